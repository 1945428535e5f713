"""The yardstick: a plain collector on paho, without rules. `python -m tellergrid.bench.plain …`.

Manual acknowledgement after the commit, the same table by the same binary COPY, decoded by msgspec:
what a good engineer writes in an afternoon.
"""

import queue
import sys
import time
from datetime import UTC, datetime

import msgspec
import paho.mqtt.client as paho
import psycopg
from paho.mqtt.enums import CallbackAPIVersion
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties
from psycopg.types.json import Jsonb

from fleet.mqtt import Broker
from tellergrid.bench.sink import BATCH, FILTER, RECEIVE_MAXIMUM, Task, Took

_LINGER_S = 0.02
_PATIENCE_S = 60.0
_COPY = """
COPY telemetry (ts, terminal_id, boot, seq, arrived_at, temperature_c, rtt_ms, disk_free_pct,
                status, storage, extra)
FROM STDIN (FORMAT BINARY)
"""
_TYPES = [
    "timestamptz", "int4", "int4", "int8", "timestamptz", "float4", "float4", "float4", "jsonb",
    "jsonb", "jsonb",
]  # fmt: skip


class _Metrics(msgspec.Struct):
    temperature_c: float
    rtt_ms: float
    disk_free_pct: float


class _Telemetry(msgspec.Struct):
    ts: datetime
    boot: int
    seq: int
    status: msgspec.Raw
    storage: msgspec.Raw
    metrics: _Metrics


_Waiting = queue.SimpleQueue[tuple[paho.MQTTMessage, datetime]]


def _collect(task: Task) -> Took:
    waiting: _Waiting = queue.SimpleQueue()
    client = _client(Broker.parse(task.broker_url), waiting)
    last: dict[int, bytes] = {}
    done = 0
    began = cpu = 0.0
    with psycopg.connect(task.database_url) as database:
        print("ready", flush=True)
        while done < task.messages:
            batch = [waiting.get(timeout=_PATIENCE_S)]
            if not done:
                began, cpu = time.monotonic(), time.process_time()
            deadline = time.monotonic() + _LINGER_S
            while len(batch) < BATCH and (left := deadline - time.monotonic()) > 0:
                try:
                    batch.append(waiting.get(timeout=left))
                except queue.Empty:
                    break
            with database.cursor().copy(_COPY) as copy:
                copy.set_types(_TYPES)
                for message, at in batch:
                    copy.write_row(_row(message, at, last))
            database.commit()
            for message, _ in batch:
                client.ack(message.mid, message.qos)
            done += len(batch)
        took = Took(time.monotonic() - began, time.process_time() - cpu)
    client.disconnect()
    client.loop_stop()
    return took


def _client(broker: Broker, waiting: _Waiting) -> paho.Client:
    client = paho.Client(
        CallbackAPIVersion.VERSION2, "bench-plain", protocol=paho.MQTTv5, manual_ack=True
    )
    client.username_pw_set(broker.username, broker.password)
    client.on_message = lambda _client, _data, message: waiting.put((message, datetime.now(UTC)))
    properties = Properties(PacketTypes.CONNECT)  # type: ignore[no-untyped-call]  # paho's own
    properties.ReceiveMaximum = RECEIVE_MAXIMUM
    subscribed = queue.SimpleQueue[bool]()
    client.on_subscribe = lambda *_: subscribed.put(True)
    client.connect(broker.host, broker.port, properties=properties)
    client.loop_start()
    client.subscribe(FILTER, qos=1)
    subscribed.get(timeout=_PATIENCE_S)
    return client


def _row(message: paho.MQTTMessage, at: datetime, last: dict[int, bytes]) -> tuple[object, ...]:
    said = msgspec.json.decode(message.payload, type=_Telemetry)
    terminal = int(message.topic.split("/")[3].removeprefix("ATM-")) + 1
    metrics = (said.metrics.temperature_c, said.metrics.rtt_ms, said.metrics.disk_free_pct)
    body = bytes(said.status) + bytes(said.storage)
    changed = last.get(terminal) != body
    last[terminal] = body
    bodies = (_json(said.status), _json(said.storage)) if changed else (None, None)
    return (said.ts, terminal, said.boot, said.seq, at, *metrics, *bodies, None)


def _json(raw: msgspec.Raw) -> Jsonb:
    return Jsonb(bytes(raw).decode(), dumps=str)


if __name__ == "__main__":
    answer = _collect(msgspec.json.decode(sys.argv[1], type=Task))
    print(msgspec.json.encode(answer).decode(), flush=True)
