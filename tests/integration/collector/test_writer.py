"""Two batches at a time, on the real database: what one that fails does to the next."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import datetime
from struct import pack
from typing import Any

import psycopg
import pytest

from collector import store
from collector.claim import Seen
from collector.desk import Desk
from collector.intake import Arrival
from collector.statements import Statement
from collector.store import Connection
from collector.writer import Writer
from fleet.db.pool import connect
from tests.integration.collector.test_desk import arrival, at, connection, desk, rows

__all__ = ["connection", "desk"]

Run = Callable[[Any, Statement], Awaitable[None]]
NOTHING_SEEN = Seen(None)
STORED = "SELECT seq FROM telemetry ORDER BY seq"


@pytest.fixture
def acknowledged() -> list[int | None]:
    return []


@pytest.fixture
async def writer(desk: Desk, acknowledged: list[int | None]) -> AsyncIterator[Writer]:
    def acknowledge(arrivals: list[Arrival]) -> None:
        acknowledged.extend(each.packet_id for each in arrivals)

    async with Writer(desk, acknowledge) as opened:
        yield opened


def instead(monkeypatch: pytest.MonkeyPatch, meanwhile: Run) -> None:
    """Let something happen before each statement."""
    run = store._run

    async def both(cursor: Any, statement: Statement) -> None:
        await meanwhile(cursor, statement)
        await run(cursor, statement)

    monkeypatch.setattr(store, "_run", both)


def says(statement: Statement, seq: int) -> bool:
    """Whether a statement stores a message of that number."""
    packed = statement.packed if statement.name == "copy_telemetry" else None
    return any(pack("!iq", 8, seq) in row for row in packed or ())


async def put(writer: Writer, *numbers: int) -> None:
    await writer.put([arrival(0, n, n) for n in numbers], at(numbers[-1]), NOTHING_SEEN)


async def test_a_batch_that_cannot_be_written_takes_nothing_from_the_next(
    writer: Writer,
    connection: Connection,
    acknowledged: list[int | None],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The second of five messages trips the database while the next batch was judged already."""

    async def tripping(cursor: Any, statement: Statement) -> None:
        if says(statement, 2):
            await cursor.execute("SELECT 1 / 0")

    instead(monkeypatch, tripping)
    await put(writer, 1, 2, 3)
    await put(writer, 4, 5)
    await writer.settle()
    assert await rows(connection, STORED) == [(1,), (3,), (4,), (5,)]
    assert await rows(connection, "SELECT reason FROM quarantine") == [("malformed",)]
    assert acknowledged == [1, 2, 3, 4, 5]
    assert await rows(connection, "SELECT seq FROM terminal_state") == [(5,)]


async def test_a_batch_is_written_as_it_was_judged_while_the_next_one_is_judged(
    desk: Desk, writer: Writer, database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The first waits until the second was judged: all the same it stores the state it led to."""
    second_judged, between = asyncio.Event(), list[Any]()
    judge = desk.judge

    async def judged(opening: Any, now: datetime) -> Any:
        found = await judge(opening, now)
        if opening.messages[0].message.seq == 2:
            second_judged.set()
        return found

    async def waiting(_cursor: Any, statement: Statement) -> None:
        if says(statement, 1):
            await second_judged.wait()
        if says(statement, 2):
            async with await connect(database_url, name="test") as other:
                between.extend(await rows(other, "SELECT seq FROM terminal_state"))

    monkeypatch.setattr(desk, "judge", judged)
    instead(monkeypatch, waiting)
    await put(writer, 1)
    await put(writer, 2)
    await writer.settle()
    assert between == [(1,)]


async def test_a_database_that_is_gone_acknowledges_neither_batch(
    desk: Desk, connection: Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The connection breaks under the first; the second was judged on what never came to be."""
    acknowledged: list[Arrival] = []

    async def broken(_cursor: Any, statement: Statement) -> None:
        if says(statement, 1):
            raise psycopg.OperationalError("the server closed the connection")

    instead(monkeypatch, broken)
    writer = Writer(desk, acknowledged.extend)
    await put(writer, 1)
    with pytest.raises(psycopg.OperationalError):
        await put(writer, 2)
    assert acknowledged == []
    assert await rows(connection, STORED) == []
