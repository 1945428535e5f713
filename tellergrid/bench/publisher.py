"""A fleet's voice over a few connections: `python -m tellergrid.bench.publisher …`.

Message i is the next of terminal i modulo the number of terminals. A terminal keeps to one
connection, so that its messages stay in order. At most a window of each connection's is
unacknowledged, so that the broker is never flooded.
"""

import asyncio
import sys
import time
from datetime import UTC, datetime

import msgspec
import uvloop

from collector.inlet import GATHER_S
from fleet.mqtt import Broker, Connection, Message, Session, connect
from tellergrid.bench.engine import is_low, snapshot

CONNECTIONS = 4
_WINDOW = 1000
_CHUNK = 50
_SHARE = 1  # percent of messages that change a status


class Load(msgspec.Struct, frozen=True):
    """What to publish: messages `first` to `first + messages`; `per_s` 0 is as fast as can be."""

    broker_url: str
    terminals: int
    first: int
    messages: int
    per_s: float = 0


def topic(number: int) -> str:
    """The topic of a terminal of the benchmark."""
    return f"fleet/v1/bench/{code(number)}/telemetry"


def code(number: int) -> str:
    """Its code."""
    return f"ATM-{number:06d}"


def payload(i: int, terminals: int, said_at: datetime) -> bytes:
    """Message i, said at this time."""
    number, turn = i % terminals, i // terminals
    low = is_low(number, turn, _SHARE)
    return snapshot(said_at, turn + 1, i, low=low).encode()


async def _publish(load: Load) -> None:
    broker = Broker.parse(load.broker_url)
    async with asyncio.TaskGroup() as group:
        for voice in range(CONNECTIONS):
            session = Session(f"bench-publisher-{voice}", waiting_line=_WINDOW, gather_s=GATHER_S)
            connection = await connect(broker, session, _ignored)
            group.create_task(_speak(connection, load, voice))


async def _speak(connection: Connection, load: Load, voice: int) -> None:
    mine = [
        i
        for i in range(load.first, load.first + load.messages)
        if i % load.terminals % CONNECTIONS == voice
    ]
    began = time.monotonic()
    for place in range(0, len(mine), _CHUNK):
        now = datetime.now(UTC)
        sent = [
            connection.publish(topic(i % load.terminals), payload(i, load.terminals, now))
            for i in mine[place : place + _CHUNK]
        ]
        if connection.outstanding > _WINDOW - _CHUNK or place + _CHUNK >= len(mine):
            await sent[-1]
        if load.per_s:
            due = began + (place + _CHUNK) / (load.per_s / CONNECTIONS)
            await asyncio.sleep(max(0.0, due - time.monotonic()))
    await connection.disconnect()


def _ignored(_connection: Connection, _message: Message) -> None:
    """Nothing is subscribed to."""


if __name__ == "__main__":
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(_publish(msgspec.json.decode(sys.argv[1], type=Load)))
