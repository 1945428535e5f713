"""The least a subscriber can do: receive and acknowledge. `python -m tellergrid.bench.sink …`."""

import asyncio
import sys
import time

import msgspec
import uvloop

from collector.inlet import GATHER_S
from fleet.mqtt import Broker, Connection, Filter, Message, Session, connect

FILTER = "fleet/v1/bench/+/telemetry"
RECEIVE_MAXIMUM = 4000
BATCH = 500


class Task(msgspec.Struct, frozen=True):
    """Receive so many messages, then say how long it took."""

    broker_url: str
    messages: int
    database_url: str = ""


class Took(msgspec.Struct, frozen=True):
    """From the first message to the last acknowledgement; CPU time of the process meanwhile."""

    seconds: float
    cpu_s: float


async def _receive(task: Task) -> Took:
    ids: list[int] = []
    times: list[float] = []
    count = 0
    complete = asyncio.Event()

    def take(connection: Connection, message: Message) -> None:
        nonlocal count
        if not count:
            times.extend((time.monotonic(), time.process_time()))
        count += 1
        if message.packet_id is not None:
            ids.append(message.packet_id)
        if len(ids) == BATCH or count == task.messages:
            connection.acknowledge(ids)
            ids.clear()
        if count == task.messages:
            complete.set()

    session = Session("bench-sink", receive_maximum=RECEIVE_MAXIMUM, gather_s=GATHER_S)
    connection = await connect(Broker.parse(task.broker_url), session, take)
    await connection.subscribe([Filter(FILTER)])
    print("ready", flush=True)
    await complete.wait()
    took = Took(time.monotonic() - times[0], time.process_time() - times[1])
    await connection.disconnect()
    return took


if __name__ == "__main__":
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        answer = runner.run(_receive(msgspec.json.decode(sys.argv[1], type=Task)))
    print(msgspec.json.encode(answer).decode(), flush=True)
