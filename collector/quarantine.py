"""The quarantine as a person meets it: listed, looked at, said again; and its bound."""

from collections.abc import Awaitable, Callable
from datetime import datetime

import msgspec

from collector.store import Connection
from fleet.db.sql import load
from fleet.topics import Channel

_SQL = load("collector", "quarantine")

ROWS = 20_000
"""Kept at the most; with payloads of at most 64 KiB that is 1.3 GB at the worst."""

Say = Callable[[str, bytes], Awaitable[object]]
"""Publishes a payload on a topic; returns when the broker has it."""


class NotReplayableError(Exception):
    """A message cannot be said again; says why."""


class Entry(msgspec.Struct, frozen=True):
    """A message that was set aside. `whole`: neither masked nor cut."""

    id: int
    arrived_at: datetime
    topic: str
    reason: str
    detail: str
    size: int
    whole: bool
    replayed_at: datetime | None


class Kept(msgspec.Struct, frozen=True):
    """The same with what is kept of its payload."""

    entry: Entry
    payload: bytes


async def listed(
    connection: Connection,
    *,
    reason: str | None = None,
    terminal: str | None = None,
    waiting: bool = False,
    limit: int = 50,
) -> list[Entry]:
    """The latest first; `waiting`: only those that can be replayed and were not."""
    sought = {"reason": reason, "terminal": terminal, "waiting": waiting, "limit": limit}
    cursor = await connection.execute(_SQL["listed"], sought)
    return [Entry(*row) for row in await cursor.fetchall()]


async def find(connection: Connection, number: int) -> Kept | None:
    """One message; None where there is none of that number."""
    row = await (await connection.execute(_SQL["found"], {"id": number})).fetchone()
    return Kept(Entry(*row[:-1]), bytes(row[-1])) if row is not None else None


async def replay(connection: Connection, number: int, say: Say) -> Entry:
    """Say a message again on its own topic and note that; raises `NotReplayableError`.

    It arrives anew: what was wrong with it and still is brings it back, as another entry. A birth
    or a last will would be believed as of now, and is not said again.
    """
    kept = await find(connection, number)
    if kept is None:
        raise NotReplayableError(f"{number}: there is none of that number")
    if not kept.entry.whole:
        how = "masked" if len(kept.payload) == kept.entry.size else "cut"
        raise NotReplayableError(f"{number}: it was {how}; the terminal has to send it again")
    if kept.entry.topic.endswith(f"/{Channel.STATUS}"):
        raise NotReplayableError(f"{number}: a birth or last will speaks of its own moment alone")
    await say(kept.entry.topic, kept.payload)
    await connection.execute(_SQL["replayed"], {"id": number})
    return kept.entry


async def trim(connection: Connection, rows: int = ROWS) -> int:
    """Drop the oldest beyond the bound, in a transaction of its own; returns how many."""
    async with connection.transaction():
        return (await connection.execute(_SQL["trim"], {"rows": rows})).rowcount
