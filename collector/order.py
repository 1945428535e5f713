"""What became of the order in which messages were written: those that wait for others, those that
came too late to be judged, clocks that were set."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import astuple
from datetime import datetime
from typing import NamedTuple

from psycopg import AsyncConnection, AsyncCursor
from psycopg.rows import TupleRow

from fleet.db.sql import load
from fleet.rules.record import Record
from fleet.rules.terminal import Kept
from fleet.telemetry import Event, Telemetry, decode, encode
from fleet.topics import Channel

_SQL = load("collector", "order")

Waiting = dict[int, dict[tuple[int, int], Kept]]
"""By terminal, then by boot and seq."""


class Late(NamedTuple):
    """A message that came when later ones had been judged."""

    terminal_id: int
    boot: int
    seq: int
    channel: str
    ts: datetime
    arrived_at: datetime


async def write(cursor: AsyncCursor[TupleRow], record: Record, late: Sequence[Late]) -> None:
    """Write it down, in the batch's transaction."""
    for key, kept in record.kept.items():
        if kept is None:
            await cursor.execute(_SQL["wait_no_longer"], key)
        else:
            channel = Channel.EVENT if isinstance(kept.message, Event) else Channel.TELEMETRY
            row = (*key, kept.arrived_at, channel.value, encode(kept.message))
            await cursor.execute(_SQL["wait"], row)
    if late:
        await cursor.executemany(_SQL["late"], late)
    if record.jumps:
        await cursor.executemany(_SQL["jump"], [astuple(each) for each in record.jumps])


async def waiting(connection: AsyncConnection[TupleRow], region: str) -> Waiting:
    """The messages that wait, as they came."""
    found: Waiting = defaultdict(dict)
    cursor = await connection.execute(_SQL["waiting"], {"region": region})
    async for terminal_id, boot, seq, arrived_at, channel, code, payload in cursor:
        message = decode(Channel(channel), code, payload)
        if isinstance(message, Telemetry | Event):
            found[terminal_id][boot, seq] = Kept(message, arrived_at)
    return found
