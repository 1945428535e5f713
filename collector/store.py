"""The collector's tables: the one place that writes a batch, and the one that reads state back."""

from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import astuple

from psycopg import AsyncConnection, AsyncCursor
from psycopg.rows import TupleRow

from collector import rows
from collector.batch import Batch, LedgerKey
from collector.intake import SetAside
from fleet.db.sql import load
from fleet.ledger import Received, Span
from fleet.rules.changes import Change, Cleared, Fired, Flapped, Suppressed, Transition
from fleet.rules.record import Record
from fleet.rules.terminal import Terminal

Connection = AsyncConnection[TupleRow]
Cursor = AsyncCursor[TupleRow]
Fence = Callable[[Cursor], Awaitable[None]]
"""Raises, inside the transaction, when its region is no longer ours."""

_SQL = load("collector", "store")


async def prepare(connection: Connection) -> None:
    """What a connection needs before its first batch."""
    await connection.execute(_SQL["make_beat"])
    await connection.execute(_SQL["look_up"])


async def write(
    connection: Connection,
    batch: Batch,
    terminals: dict[int, Terminal],
    catalogue: str,
    fence: Fence | None = None,
) -> None:
    """Write a whole batch in one transaction; the commit is this function's return."""
    async with connection.transaction(), connection.cursor() as cursor:
        if fence is not None:
            await fence(cursor)
        await copy_telemetry(cursor, batch.telemetry)
        await _copy(cursor, "copy_event", batch.events)
        await _copy(cursor, "copy_presence", batch.presences)
        await _quarantine(cursor, batch.aside)
        touched = {i: terminals[i] for i in sorted(batch.record.terminals) if i in terminals}
        await _ledger(cursor, batch.received, touched)
        await _beats(cursor, touched.values(), rebooted=batch.rebooted)
        await _snapshots(cursor, [each for i, each in touched.items() if i in batch.changed])
        await _holds(cursor, batch.record)
        await _transitions(cursor, batch.record)
        await _service(cursor, [c for c in batch.record.changes if isinstance(c, Transition)])
        await _faults(cursor, batch.record.changes, catalogue)


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
        async for terminal_id, boot, firsts, lasts, doubled in cursor:
            ranges = zip(firsts, lasts, strict=True)
            found[terminal_id, boot] = Received(ranges, doubled)
    return found


async def copy_telemetry(cursor: Cursor, packed: Sequence[bytes]) -> None:
    """Rows of `telemetry`, packed, by binary COPY; for the benchmark as well."""
    await _copy(cursor, "copy_telemetry", packed)


async def _copy(cursor: Cursor, name: str, packed: Sequence[bytes]) -> None:
    if packed:
        async with cursor.copy(_SQL[name]) as copy:
            await copy.write(rows.copied(packed))


async def _quarantine(cursor: Cursor, aside: Sequence[SetAside]) -> None:
    if aside:
        await cursor.executemany(_SQL["insert_quarantine"], [astuple(each) for each in aside])


async def _ledger(
    cursor: Cursor, received: dict[LedgerKey, Received], touched: Mapping[int, Terminal]
) -> None:
    """Ledgers that only grew at their end stay as they are: `boot_received` reads the rest."""
    written = {
        key: each
        for key, each in received.items()
        if each.reshaped or not _at_its_end(key, each, touched)
    }
    if written:
        await cursor.execute(
            _SQL["upsert_ledger"],
            {
                "ids": [terminal_id for terminal_id, _ in written],
                "boots": [boot for _, boot in written],
                "received": [_multirange(each.ranges) for each in written.values()],
                "doubled": [each.doubled for each in written.values()],
            },
        )
    for each in written.values():
        each.reshaped = False


def _at_its_end(key: LedgerKey, received: Received, touched: Mapping[int, Terminal]) -> bool:
    terminal_id, boot = key
    terminal = touched.get(terminal_id)
    return terminal is not None and (terminal.boot, terminal.seq) == (boot, received.last)


async def give_up(connection: Connection, lost: Mapping[LedgerKey, Sequence[Span]]) -> None:
    """Write down, in a transaction of its own, what was asked for in vain."""
    async with connection.transaction(), connection.cursor() as cursor:
        await cursor.execute(
            _SQL["give_up"],
            {
                "ids": [terminal_id for terminal_id, _ in lost],
                "boots": [boot for _, boot in lost],
                "lost": [_multirange(each) for each in lost.values()],
            },
        )


def _multirange(spans: Iterable[Span]) -> str:
    return "{" + ",".join(f"[{first},{last}]" for first, last in spans) + "}"


async def _beats(cursor: Cursor, touched: Iterable[Terminal], *, rebooted: bool) -> None:
    """What changes with every message, by way of a table of this connection alone."""
    packed = [rows.beat(each) for each in touched]
    await _copy(cursor, "copy_beat", packed)
    if rebooted:
        await cursor.execute(_SQL["keep_ledgers"])
    await cursor.execute(_SQL["update_terminal_state"])
    if cursor.rowcount < len(packed):
        await cursor.execute(_SQL["insert_terminal_state"])


async def _snapshots(cursor: Cursor, changed: Sequence[Terminal]) -> None:
    """Status and storage go over the wire where they changed; else what is stored stays."""
    if changed:
        await cursor.execute(
            _SQL["upsert_terminal_snapshot"],
            {
                "ids": [each.id for each in changed],
                "status": [each.status.decode() for each in changed],
                "storage": [each.storage.decode() for each in changed],
            },
        )


async def _holds(cursor: Cursor, record: Record) -> None:
    idle = [key for key, hold in record.holds.items() if hold is None]
    active = [(key, hold) for key, hold in record.holds.items() if hold is not None]
    if idle:
        await cursor.executemany(_SQL["delete_hold"], [astuple(key) for key in idle])
    if active:
        rows = [
            (
                *astuple(key),
                hold.phase.value,
                hold.since,
                hold.started_at,
                hold.fault_id,
                hold.flapping,
            )
            for key, hold in active
        ]
        await cursor.executemany(_SQL["upsert_hold"], rows)


async def _transitions(cursor: Cursor, record: Record) -> None:
    """The transitions that flapping is judged on, and the events that are counted."""
    for (terminal, rule), times in record.counts.items():
        await cursor.execute(_SQL["upsert_event_count"], (terminal, rule, list(times)))
    for key, kept in record.transitions.items():
        if kept is None:
            await cursor.execute(_SQL["delete_transitions"], astuple(key))
        else:
            row = (*astuple(key), list(kept.times), kept.raised)
            await cursor.execute(_SQL["upsert_transitions"], row)


async def _service(cursor: Cursor, transitions: Sequence[Transition]) -> None:
    if transitions:
        last = {each.terminal_id: each for each in transitions}
        await cursor.execute(
            _SQL["update_service_state"],
            {
                "ids": list(last),
                "states": [each.state.value for each in last.values()],
                "ats": [each.at for each in last.values()],
            },
        )
        await cursor.execute(
            _SQL["cut_service_intervals"],
            {
                "ids": [each.terminal_id for each in transitions],
                "ats": [each.at for each in transitions],
            },
        )
        await cursor.execute(
            _SQL["insert_service_intervals"],
            {
                "ids": [each.terminal_id for each in transitions],
                "ats": [each.at for each in transitions],
                "states": [each.state.value for each in transitions],
                "causes": [",".join(each.causes) for each in transitions],
            },
        )


async def _faults(cursor: Cursor, changes: Sequence[Change], catalogue: str) -> None:
    for change in changes:
        match change:
            case Fired():
                await cursor.execute(_SQL["insert_fault"], _fault_row(change, catalogue))
                await _feed(cursor, change.id, "fired", change.fired_at)
            case Cleared():
                await cursor.execute(_SQL["clear_fault"], (change.cleared_at, change.id))
                await _feed(cursor, change.id, "cleared", change.at)
            case Suppressed():
                await cursor.execute(_SQL["suppress_fault"], (change.by, change.id))
                what = "suppressed" if change.by else "released"
                await _feed(cursor, change.id, what, change.at)
            case Flapped():
                what = "flapping" if change.flapping else "steady"
                await cursor.execute(_SQL[f"{what}_fault"], (change.at, change.id))
                await _feed(cursor, change.id, what, change.at)
            case Transition():
                pass
    if any(not isinstance(change, Transition) for change in changes):
        await cursor.execute(_SQL["notify_fault"])


async def _feed(cursor: Cursor, fault_id: object, change: str, at: object) -> None:
    await cursor.execute(_SQL["insert_fault_change"], (fault_id, change, at))


def _fault_row(fired: Fired, catalogue: str) -> dict[str, object]:
    rule = fired.rule
    return {
        "id": fired.id,
        "scope": fired.key.scope,
        "subject": fired.key.subject,
        "terminal_id": fired.terminal_id,
        "cell_code": fired.cell,
        "rule": rule.name,
        "item": fired.key.item,
        "severity": rule.severity.value,
        "component": rule.component,
        "impact": rule.impact.value if rule.impact else "none",
        "title": rule.title,
        "remedy": rule.remedy,
        "skill": rule.skill,
        "line": rule.line,
        "parts": list(rule.parts),
        "started_at": fired.started_at,
        "fired_at": fired.fired_at,
        "suppressed_by": fired.suppressed_by,
        "catalogue": catalogue,
    }
