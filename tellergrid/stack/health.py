"""How each part is, asked of the part itself."""

import asyncio
import contextlib
import os
import time
from collections.abc import Awaitable
from datetime import datetime
from typing import Literal

import httpx
import msgspec
import psycopg

from fleet.db.pool import connect as connect_database
from fleet.db.sql import load
from fleet.mqtt import Connection, Filter, Message, MqttError, Session, connect
from tellergrid.settings import Settings
from tellergrid.stack import throughput
from tellergrid.stack.record import Record
from tellergrid.stack.throughput import Throughput

_SQL = load("tellergrid.stack", "health")
_CONNECTED = "$SYS/broker/clients/connected"
_SIMULATOR = "simulator/v1/state"
_PATIENCE_S = 5.0
_RETAINED_PATIENCE_S = 2.5
_BETWEEN_LOOKS_S = 1.0

State = Literal["healthy", "unhealthy", "stopped"]


class PartHealth(msgspec.Struct, frozen=True):
    """One part: `detail` says what is wrong, or what is worth knowing."""

    state: State
    detail: str = ""


class Catalogue(msgspec.Struct, frozen=True):
    """The rules in force, and what is wrong with newer ones that are not."""

    identity: str
    refused: tuple[str, ...] = ()


class _Readiness(msgspec.Struct):
    catalogue: Catalogue


class RegionHealth(msgspec.Struct, frozen=True):
    """A region: the collector that serves it since `taken_at`, and since when nobody sees it."""

    region: str
    collector: str | None
    taken_at: datetime | None
    blind_since: datetime | None


class Health(msgspec.Struct):
    """The whole system now; a figure is None where who knows it cannot be asked."""

    parts: dict[str, PartHealth]
    regions: list[RegionHealth] = []
    throughput: Throughput | None = None
    open_faults: int | None = None
    open_tickets: int | None = None
    connections: int | None = None
    catalogue: Catalogue | None = None

    @property
    def healthy(self) -> bool:
        """Whether every part is."""
        return all(part.state == "healthy" for part in self.parts.values())


class _SimulatorState(msgspec.Struct):
    online: bool
    terminals: int = 0
    connected: int = 0


async def examine(record: Record) -> Health:
    """Ask every part of a running stack how it is; takes about a second."""
    health = Health({})
    asked = {
        "database": _ask_database(record, health),
        "broker": _ask_broker(record, health),
        "collector": _ask_collector(record, health),
        "api": _ask_service(record.api.url),
    }
    answers = await asyncio.gather(*(_answer(ask) for ask in asked.values()))
    # The simulator answers through the broker, and is known once the broker was asked.
    parts = dict(zip(asked, answers, strict=True)) | health.parts
    for name, process in record.processes.items():
        if not process.alive():
            parts[name] = PartHealth("stopped", "its process is gone")
    health.parts = parts
    return health


def stopped(record: Record) -> Health:
    """Describe a stack of which nothing runs."""
    return Health({name: PartHealth("stopped") for name in record.processes})


async def _answer(ask: Awaitable[PartHealth]) -> PartHealth:
    try:
        async with asyncio.timeout(_PATIENCE_S):
            return await ask
    except TimeoutError:
        return PartHealth("unhealthy", f"no answer within {_PATIENCE_S:g} s")
    except (httpx.HTTPError, psycopg.Error, MqttError) as problem:
        said = str(problem).strip().splitlines()
        return PartHealth("unhealthy", said[0] if said else type(problem).__name__)
    except ValueError:
        return PartHealth("unhealthy", "its answer could not be read")


async def _ask_database(record: Record, health: Health) -> PartHealth:
    connection = await connect_database(record.database.url, name="status", autocommit=True)
    async with connection:
        row = await (await connection.execute(_SQL["open_work"])).fetchone()
        if row is not None:
            health.open_faults, health.open_tickets = row
        cursor = await connection.execute(_SQL["regions"])
        health.regions = [RegionHealth(*each) for each in await cursor.fetchall()]
    return PartHealth("healthy")


async def _ask_service(url: str) -> PartHealth:
    async with httpx.AsyncClient(base_url=url, trust_env=False) as client:
        answer = await client.get("/readyz")
    if answer.is_success:
        return PartHealth("healthy")
    return PartHealth("unhealthy", f"/readyz says {answer.status_code}: {answer.text[:200]}")


async def _ask_collector(record: Record, health: Health) -> PartHealth:
    answer = await _ask_service(record.collector.url)
    async with httpx.AsyncClient(base_url=record.collector.url, trust_env=False) as client:
        looks = []
        for wait_s in (0.0, _BETWEEN_LOOKS_S):
            await asyncio.sleep(wait_s)
            page = await client.get("/metrics")
            looks.append(throughput.read(page.text, time.monotonic()))
        said = await client.get("/readyz")
    health.catalogue = msgspec.json.decode(said.content, type=_Readiness).catalogue
    health.throughput = throughput.between(*looks)
    return answer


async def _ask_broker(record: Record, health: Health) -> PartHealth:
    """Hear what the broker keeps for whoever comes: its own figures, the simulator's state."""
    account = record.broker.accounts["tester"]
    wanted = {_CONNECTED, _SIMULATOR} if record.simulator else {_CONNECTED}
    heard: dict[str, bytes] = {}
    complete = asyncio.Event()

    def on_message(connection: Connection, message: Message) -> None:
        heard[message.topic] = message.payload
        if message.packet_id is not None:
            connection.acknowledge([message.packet_id])
        if heard.keys() >= wanted:
            complete.set()

    session = Session(f"tellergrid-status-{os.getpid()}", connect_timeout_s=_PATIENCE_S)
    connection = await connect(Settings().broker_at(account.url), session, on_message)
    await connection.subscribe([Filter(topic) for topic in sorted(wanted)])
    with contextlib.suppress(TimeoutError):  # another broker may keep no figures
        async with asyncio.timeout(_RETAINED_PATIENCE_S):
            await complete.wait()
    await connection.disconnect()
    if _CONNECTED in heard:
        health.connections = int(heard[_CONNECTED])
    if record.simulator:
        health.parts["simulator"] = _simulator(heard.get(_SIMULATOR))
    return PartHealth("healthy")


def _simulator(state: bytes | None) -> PartHealth:
    if state is None:
        return PartHealth("unhealthy", "it has not said anything yet")
    said = msgspec.json.decode(state, type=_SimulatorState)
    detail = f"{said.connected} of {said.terminals} terminals connected"
    return PartHealth("healthy" if said.online else "unhealthy", detail)
