"""One region, served by one collector at a time.

The region's advisory lock is held by the very connection that writes: a collector that lost it
cannot write any more, and the lock falls free with the connection. After any failure the region
begins again: lock, state read back, session resumed, redelivery taken.
"""

import asyncio
import random
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

import psycopg
import structlog

from collector import metrics
from collector.desk import Desk
from collector.inlet import Clock, Inlet
from collector.store import Connection
from fleet.db.pool import connect
from fleet.db.sql import load
from fleet.mqtt import Backoff, Broker, MqttError
from fleet.rules.shelf import Shelf

_SQL = load("collector", "region")
_LOCK_EVERY_S = 1.0
_TICK_S = 0.5
_REGISTRY_EVERY_S = 30.0

log = structlog.get_logger()


class Stage(StrEnum):
    """How far a region has come."""

    WAITING = "waiting"  # another collector serves it
    CONNECTING = "connecting"  # ours, but the broker or the database is away
    SERVING = "serving"


@dataclass(frozen=True, slots=True)
class Terms:
    """What every region of this process is served with."""

    database_url: str
    broker: Broker
    shelf: Shelf
    batch_count: int
    batch_linger_s: float
    receive_maximum: int
    lateness: timedelta
    clock: Clock


class Region:
    """The work for one region, for as long as this process runs."""

    def __init__(self, name: str, terms: Terms) -> None:
        self.name = name
        self.stage = Stage.CONNECTING
        self.committed_at: datetime | None = None
        self._terms = terms
        self._stopping = asyncio.Event()
        self._registry_changed = asyncio.Event()
        self._log = log.bind(region=name)

    def stop(self) -> None:
        """Finish the batch in hand, acknowledge it, disconnect, let the region go."""
        self._stopping.set()

    def registry_changed(self) -> None:
        """The api changed terminals or cells: read them again."""
        self._registry_changed.set()

    async def run(self) -> None:
        """Serve until stopped, beginning again after every failure."""
        delays = Backoff(random.Random(), base_s=0.5, cap_s=5.0).delays()  # noqa: S311
        while not self._stopping.is_set():
            try:
                await self._serve()
            except (psycopg.Error, MqttError, OSError) as error:
                metrics.restarts.labels(self.name).inc()
                self._log.warning("region begins again", error=f"{type(error).__name__}: {error}")
                await self._pause(next(delays))
            else:
                delays = Backoff(random.Random(), base_s=0.5, cap_s=5.0).delays()  # noqa: S311
            finally:
                metrics.serving.labels(self.name).set(0)

    async def _serve(self) -> None:
        """Hold the lock over any number of broker connections."""
        name = f"collector-{self.name}"
        connection = await connect(self._terms.database_url, name=name)
        try:
            if not await self._lock(connection):
                return
            terms = self._terms
            desk = Desk(connection, self.name, terms.shelf.current, lateness=terms.lateness)
            await desk.restore(self._terms.clock())
            self._log.info("region taken", terminals=len(desk.engine.terminals))
            while not self._stopping.is_set():
                await self._hear(desk)
        finally:
            await connection.close()

    async def _lock(self, connection: Connection) -> bool:
        """Wait until the region is ours; False when stopped before."""
        while not self._stopping.is_set():
            cursor = await connection.execute(_SQL["take_region"], {"region": self.name})
            row = await cursor.fetchone()
            await connection.commit()
            if row is not None and row[0]:
                self.stage = Stage.CONNECTING
                return True
            self.stage = Stage.WAITING
            await self._pause(_LOCK_EVERY_S)
        return False

    async def _hear(self, desk: Desk) -> None:
        """One broker connection, from its opening to its end."""
        terms, inlet = self._terms, Inlet(self._terms.clock)
        self.stage = Stage.CONNECTING
        connection = await inlet.open(terms.broker, self.name, terms.receive_maximum)
        try:
            desk.watch(terms.clock())
            self.stage = Stage.SERVING
            metrics.serving.labels(self.name).set(1)
            self._log.info("broker connected", resumed=connection.session_present)
            while not connection.closed.done() and not self._stopping.is_set():
                await self._turn(desk, inlet)
            if connection.closed.done() and (error := connection.closed.result()) is not None:
                raise error
            await inlet.close()
        except BaseException:
            inlet.abort()
            raise
        finally:
            desk.watch(None)

    async def _turn(self, desk: Desk, inlet: Inlet) -> None:
        """One batch: take, commit, and only then acknowledge."""
        terms = self._terms
        if self._registry_changed.is_set():
            self._registry_changed.clear()
            await desk.reload_registry(terms.clock())
        await desk.adopt(terms.shelf.current, terms.clock())
        arrivals = await inlet.batch(terms.batch_count, terms.batch_linger_s, _TICK_S)
        metrics.queue_messages.labels(self.name).set(len(inlet))
        # Time passes only as far as we have read: what waits in the queue came before `now`.
        behind = arrivals and len(inlet)
        await desk.commit(arrivals, arrivals[-1].at if behind else terms.clock())
        inlet.acknowledge(arrivals)
        self.committed_at = terms.clock()
        if not behind:  # what seems to be missing may be waiting in the queue
            for ask in await desk.asks(self.committed_at):
                inlet.ask(self.name, desk.engine.terminals[ask.terminal_id].code, ask)

    async def _pause(self, seconds: float) -> None:
        try:
            async with asyncio.timeout(seconds):
                await self._stopping.wait()
        except TimeoutError:
            pass
