"""What is stored of terminals, as the messages that it came in: to be judged once more.

Reads only. Status and storage stand in a row where they changed; a row without them repeats the
message before it, by boot and seq, and so does what is made of it here.
"""

from collections.abc import AsyncGenerator, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, NamedTuple

import msgspec
from psycopg import AsyncConnection
from psycopg.rows import TupleRow

from fleet import snapshot
from fleet.db import hours
from fleet.db.sql import load
from fleet.quarantine import Quarantined
from fleet.rules.replay import Blind, Heard
from fleet.rules.terminal import Terminal
from fleet.telemetry import Event, Presence, Telemetry

Connection = AsyncConnection[TupleRow]

_SQL = load("fleet.db", "history")
_MEASURED = ("temperature_c", "rtt_ms", "disk_free_pct")
_AT_ONCE = 2000
_AHEAD = timedelta(hours=1)  # a clock that is ahead by more is quarantined
_WHOLE_KEPT = 50
_EVENT = msgspec.json.Decoder(Event)
_EXTRA = msgspec.json.Decoder(dict[str, object])


class _Before(NamedTuple):
    """What was known of a terminal when a time began; None: nothing."""

    id: int
    boot: int | None
    seq: int
    ts: datetime
    arrived_at: datetime
    temperature_c: float | None
    rtt_ms: float | None
    disk_free_pct: float | None
    extra: str | None
    status: str | None
    storage: str | None
    online: bool | None
    said_at: datetime


class _Row(NamedTuple):
    """One message as it is stored."""

    kind: str
    arrived_at: datetime
    terminal_id: int
    boot: int
    seq: int
    ts: datetime
    temperature_c: float | None
    rtt_ms: float | None
    disk_free_pct: float | None
    extra: str | None
    status: str | None
    storage: str | None
    body: str
    online: bool
    retained: bool | None


async def regions(connection: Connection) -> list[str]:
    """Every region that has terminals."""
    cursor = await connection.execute(_SQL["regions"])
    return [row[0] for row in await cursor.fetchall()]


async def blind(
    connection: Connection, region: str, since: datetime, until: datetime
) -> list[Blind]:
    """When nobody saw a region."""
    asked = {"region": region, "since": since, "until": until}
    cursor = await connection.execute(_SQL["blind"], asked)
    return [Blind(*row) async for row in cursor]


async def terminals(
    connection: Connection,
    since: datetime,
    *,
    region: str | None = None,
    codes: Sequence[str] | None = None,
) -> list[Terminal]:
    """Terminals as the grid has them now, each with what was known of it at `since`."""
    asked = {"region": region, "codes": None if codes is None else list(codes), "since": since}
    cursor = await connection.execute(_SQL["terminals"], asked)
    found = {}
    for key, code, kind, cell, vendor, model, of_region, above, began in await cursor.fetchall():
        found[key] = Terminal(key, code, kind, cell, vendor, model, of_region, tuple(above))
        found[key].commissioned_at = began
    book = await hours.read(connection)
    for each in found.values():
        each.hours = book.of(each.id, each.kind, (each.cell, *each.above))
    rows = await connection.execute(_SQL["before"], {"ids": list(found), "at": since})
    async for row in rows:
        before = _Before(*row)
        _recall(found[before.id], before)
    return list(found.values())


async def heard(
    connection: Connection,
    terminals: Sequence[Terminal],
    since: datetime,
    until: datetime,
    said_until: datetime | None = None,
) -> AsyncGenerator[Heard, None]:
    """Everything that arrived of them from `since` to `until`, in its order; in a transaction.

    With `said_until`, only what was said before that.
    """
    asked = {"ids": [each.id for each in terminals], "since": since, "until": until}
    asked["said_until"] = said_until or until + _AHEAD
    latest = {each.id: _Whole(each) for each in terminals}
    async with connection.cursor(name="heard") as rows:
        rows.itersize = _AT_ONCE
        await rows.execute(_SQL["heard"], asked)
        async for found in rows:
            row = _Row(*found)
            yield Heard(row.arrived_at, row.terminal_id, _message(row, latest), row.retained)


async def catalogue_content(connection: Connection, identity: str) -> Mapping[str, Any] | None:
    """What a catalogue said that judged once; None where it was never kept."""
    cursor = await connection.execute(_SQL["catalogue"], {"identity": identity})
    row = await cursor.fetchone()
    return None if row is None else row[0]


async def catalogues_between(
    connection: Connection, region: str, since: datetime, until: datetime
) -> list[tuple[datetime, str, Mapping[str, Any]]]:
    """From when on, identity and content of the catalogues by which a region was judged then."""
    asked = {"region": region, "since": since, "until": until}
    return await (await connection.execute(_SQL["catalogues_between"], asked)).fetchall()


async def catalogue_at(
    connection: Connection, region: str, at: datetime
) -> tuple[str, Mapping[str, Any]] | None:
    """The identity and content of the catalogue by which a region was judged at a time."""
    cursor = await connection.execute(_SQL["catalogue_at"], {"region": region, "at": at})
    row = await cursor.fetchone()
    return None if row is None else (row[0], row[1])


class _Whole:
    """The last snapshots of a terminal that came whole: what came out of order is not repeated by
    what came after it, but by what was said after it."""

    def __init__(self, terminal: Terminal) -> None:
        known = terminal.status or b"{}", terminal.storage or b"[]"
        self._found = [((terminal.boot, terminal.seq), known)]

    def note(self, key: tuple[int, int], status: bytes, storage: bytes) -> None:
        self._found = [*self._found[-_WHOLE_KEPT:], (key, (status, storage))]

    def before(self, key: tuple[int, int]) -> tuple[bytes, bytes]:
        """The latest that was said before; of a re-imaged terminal the latest that came."""
        said = [each for each in self._found if each[0] < key]
        return max(said)[1] if said else self._found[-1][1]


def _message(row: _Row, latest: dict[int, _Whole]) -> Telemetry | Event | Presence:
    if row.kind == "presence":
        return Presence(row.arrived_at, row.boot, row.online)
    if row.kind == "event":
        return _EVENT.decode(row.body)
    if row.status is not None and row.storage is not None:
        status, storage = row.status.encode(), row.storage.encode()
        latest[row.terminal_id].note((row.boot, row.seq), status, storage)
    else:
        status, storage = latest[row.terminal_id].before((row.boot, row.seq))
    return Telemetry(
        row.ts, row.boot, row.seq, msgspec.Raw(status), msgspec.Raw(storage),
        msgspec.Raw(_metrics(row)),
    )  # fmt: skip


def _metrics(row: _Row | _Before) -> bytes:
    known = {name: getattr(row, name) for name in _MEASURED}
    extra = _EXTRA.decode(row.extra) if row.extra else {}
    return msgspec.json.encode({**{k: v for k, v in known.items() if v is not None}, **extra})


def _recall(terminal: Terminal, row: _Before) -> None:
    if row.online is not None:
        terminal.connected = row.online
    if row.boot is None:
        return
    terminal.boot, terminal.seq, terminal.at = row.boot, row.seq, min(row.ts, row.arrived_at)
    terminal.arrived_at = terminal.heard_at = row.arrived_at
    if row.online is None or row.said_at < row.arrived_at:
        terminal.connected = True
    terminal.metrics = _metrics(row)
    terminal.status = (row.status or "{}").encode()
    terminal.storage = (row.storage or "[]").encode()
    try:
        read = snapshot.read(terminal.status, terminal.storage)
    except Quarantined:  # the contract was another one when it was stored
        return
    terminal.values, terminal.items = read.values, read.items
