"""The collector's tables: the one place that writes a batch, and the one that reads state back."""

from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from itertools import takewhile
from operator import attrgetter

from psycopg import AsyncConnection, AsyncCursor
from psycopg.rows import TupleRow

from collector import columns, rows
from collector.ledgers import LedgerKey
from collector.statement import Statement
from collector.statements import multirange
from fleet.db.sql import load
from fleet.ledger import Received, Span

Connection = AsyncConnection[TupleRow]
Cursor = AsyncCursor[TupleRow]
Fence = Callable[[Cursor], Awaitable[None]]
"""Raises, inside the transaction, when its region is no longer ours."""

_SQL = load("collector", "store")
_IS_COPY = attrgetter("packed")


async def prepare(connection: Connection) -> None:
    """What a connection needs before its first batch."""
    columns.adapt(connection)
    await connection.execute(_SQL["look_up"])


async def read_through(connection: Connection) -> None:
    """What a transaction needs that reads all of a region back."""
    await connection.execute(_SQL["read_through"])


async def write(
    connection: Connection, statements: Sequence[Statement], fence: Fence | None = None
) -> None:
    """Write a whole batch in one transaction; the commit is this function's return."""
    async with connection.transaction(), connection.cursor() as cursor:
        if fence is not None:
            await fence(cursor)
        await _run_all(cursor, statements)


async def _run_all(cursor: Cursor, statements: Sequence[Statement]) -> None:
    copies = list(takewhile(_IS_COPY, statements))  # a pipeline carries none
    for statement in copies:
        await _run(cursor, statement)
    async with cursor.connection.pipeline():  # all others in one round trip
        for statement in statements[len(copies) :]:
            await _run(cursor, statement)


async def _run(cursor: Cursor, statement: Statement) -> None:
    text = _SQL[statement.name]
    if statement.packed is not None:
        async with cursor.copy(text) as copy:
            await copy.write(rows.copied(statement.packed))
    elif statement.each is not None:
        await cursor.executemany(text, statement.each)
    else:
        await cursor.execute(text, statement.values)


async def read_ledger(
    connection: Connection, keys: Iterable[LedgerKey]
) -> dict[LedgerKey, Received]:
    """The ledgers of some boots; an empty one where a boot is new."""
    wanted = list(keys)
    found = {key: Received() for key in wanted}
    if wanted:
        ids, boots = zip(*wanted, strict=True)
        cursor = await connection.execute(
            _SQL["read_ledger"], {"ids": list(ids), "boots": list(boots)}
        )
        async for terminal_id, boot, firsts, lasts, doubled, blurred_to in cursor:
            ranges = zip(firsts, lasts, strict=True)
            found[terminal_id, boot] = Received(ranges, doubled, blurred_to)
    return found


async def read_numbers(connection: Connection, key: LedgerKey, to: int) -> list[Span]:
    """Which numbers of a boot are stored up to one, from the messages themselves."""
    asked = {"terminal": key[0], "boot": key[1], "to": to}
    cursor = await connection.execute(_SQL["read_numbers"], asked)
    return [(first, last) for first, last in await cursor.fetchall()]


async def copy_telemetry(cursor: Cursor, packed: Sequence[bytes]) -> None:
    """Rows of `telemetry`, packed, by binary COPY; for the benchmark as well."""
    await _run(cursor, Statement("copy_telemetry", packed=packed))


async def give_up(connection: Connection, lost: Mapping[LedgerKey, Sequence[Span]]) -> None:
    """Write down, in a transaction of its own, what was asked for in vain."""
    async with connection.transaction(), connection.cursor() as cursor:
        await cursor.execute(
            _SQL["give_up"],
            {
                "ids": [terminal_id for terminal_id, _ in lost],
                "boots": [boot for _, boot in lost],
                "lost": [multirange(each) for each in lost.values()],
            },
        )
