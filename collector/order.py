"""Messages out of their order: those that wait for others, and those that came too late."""

from collections import defaultdict
from collections.abc import Iterable
from datetime import datetime
from typing import NamedTuple

import msgspec
import structlog
from psycopg import AsyncConnection
from psycopg.rows import TupleRow

from fleet import snapshot
from fleet.db.sql import load
from fleet.quarantine import Quarantined
from fleet.rules.terminal import Kept
from fleet.telemetry import Event, Telemetry, decode_taken, encode
from fleet.topics import Channel

_SQL = load("collector", "order")
_NOT_READABLE = (Quarantined, msgspec.DecodeError, RecursionError)

log = structlog.get_logger()

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


def stored(kept: Kept) -> tuple[datetime, str, bytes]:
    """What is written of a message that waits: when it arrived, on which channel, and itself."""
    channel = Channel.EVENT if isinstance(kept.message, Event) else Channel.TELEMETRY
    return kept.arrived_at, channel.value, encode(kept.message)


def marks(late: Iterable[Late]) -> list[tuple[int, datetime, datetime, int]]:
    """Whose intervals are to be cut anew: the terminal, the first and the last instant that
    something was said that came late, and how many messages these were."""
    said: dict[int, list[datetime]] = defaultdict(list)
    for one in late:
        said[one.terminal_id].append(min(one.ts, one.arrived_at))
    return [(key, min(times), max(times), len(times)) for key, times in sorted(said.items())]


async def waiting(connection: AsyncConnection[TupleRow], region: str) -> Waiting:
    """The messages that wait, as they came. One that the contract does not allow any more is stored
    already, and is not judged: it must not keep a region from being read back."""
    found: Waiting = defaultdict(dict)
    cursor = await connection.execute(_SQL["waiting"], {"region": region})
    async for terminal_id, boot, seq, arrived_at, channel, code, payload in cursor:
        try:
            message = decode_taken(Channel(channel), payload)
            if isinstance(message, Telemetry):
                snapshot.read(message.status, message.storage)
        except _NOT_READABLE as error:
            log.warning("a message that waits cannot be read", terminal=code, why=str(error))
            continue
        if isinstance(message, Telemetry | Event):
            found[terminal_id][boot, seq] = Kept(message, arrived_at)
    return found
