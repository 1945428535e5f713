"""Wires the collector: its share of the regions, the HTTP side, the graceful stop."""

import asyncio
import os
import random
import secrets
import signal
import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import TYPE_CHECKING

import psycopg
import structlog
import uvicorn

from collector import metrics, ring
from collector.clock import SteadyClock
from collector.errors import CollectorError
from collector.recutting import keep_cutting
from collector.region import Region, Terms, said
from collector.reload import watch_catalogue
from collector.service import application
from collector.settings import Settings
from collector.share import Share
from collector.writer import untraced
from fleet.db.migrate import MigrationError, check
from fleet.db.pool import connect
from fleet.mqtt import Backoff
from fleet.rules.shelf import Shelf

if TYPE_CHECKING:
    from collector.tracing import Traces

log = structlog.get_logger()

_ROUND_EVERY_S = 0.5
_FREED_WITHIN_S = 0.2  # a connection that was ended gives its lock back
_REGISTRY_EVERY_S = 30.0


class Collector:
    """The regions that are this process's share, and how it comes by them."""

    def __init__(self, settings: Settings) -> None:
        name = f"{socket.gethostname()[:24]}-{os.getpid()}-{secrets.token_hex(2)}"
        self._traces = _traces(settings, name)
        self._terms = Terms(
            name=name,
            database_url=settings.database_url.get_secret_value(),
            broker=settings.broker,
            shelf=Shelf(settings.catalogue),
            batch_count=min(settings.batch_count, settings.receive_maximum // 2),
            batch_linger_s=settings.batch_linger_ms / 1000,
            receive_maximum=settings.receive_maximum,
            lateness=timedelta(milliseconds=settings.lateness_ms),
            clock=SteadyClock(),
            incident_after=timedelta(seconds=settings.platform_after_s),
            writer=untraced if self._traces is None else self._traces.writer,
        )
        self._share = Share(self._terms.name, settings.only_regions)
        self._tasks: dict[str, asyncio.Task[None]] = {}
        self._stopping = asyncio.Event()
        self.regions: dict[str, Region] = {}
        self.joined = False
        """Whether we know which regions there are, and are one of those that share them."""
        self.problem: str | None = None
        """Why we do not."""

    @property
    def ready(self) -> bool:
        """Whether every region that is ours is served; with none, we stand by for the others'."""
        return self.joined and all(each.ready for each in self.regions.values())

    @property
    def shelf(self) -> Shelf:
        """Where the rules come from."""
        return self._terms.shelf

    def stop(self) -> None:
        """Stop gracefully: what was taken is committed and acknowledged."""
        self._stopping.set()
        for region in self.regions.values():
            region.stop()

    async def run(self) -> None:
        """Serve the regions until stopped; raises what a region's task cannot recover from."""
        sharing = asyncio.create_task(self._keep_sharing())
        reading = asyncio.create_task(watch_catalogue(self.shelf))
        cutting = asyncio.create_task(self._cut_in())
        stopped = asyncio.create_task(self._stop_wanted())
        always = (sharing, reading, cutting, stopped)
        try:
            while not stopped.done():
                running = {*always, *self._tasks.values()}
                await asyncio.wait(
                    running, return_when=asyncio.FIRST_COMPLETED, timeout=_ROUND_EVERY_S
                )
                for task in always:
                    if task.done():
                        task.result()
                self._collect()
        finally:
            self.stop()
            for task in always:
                task.cancel()
            await asyncio.gather(*always, *self._tasks.values(), return_exceptions=True)
            if self._traces is not None:
                await asyncio.to_thread(self._traces.close)

    async def _stop_wanted(self) -> None:
        await self._stopping.wait()

    async def _cut_in(self) -> None:
        terms = self._terms
        await keep_cutting(
            terms.database_url, terms.name, lambda: list(self.regions), lambda: self.shelf.current
        )

    def _collect(self) -> None:
        """Forget the regions that were given up or taken by others."""
        for name, task in list(self._tasks.items()):
            if task.done():
                task.result()
                del self._tasks[name], self.regions[name]

    async def _keep_sharing(self) -> None:
        """Take part in the sharing, whatever happens to the connection it goes by."""
        delays = Backoff(random.Random(), base_s=0.5, cap_s=2.0).delays()  # noqa: S311
        while not self._stopping.is_set():
            try:
                await self._share_regions()
            except (psycopg.Error, MigrationError, OSError) as error:
                self.joined, self.problem = False, said(error)
                log.warning("registry unreachable", error=f"{type(error).__name__}: {error}")
                await asyncio.sleep(next(delays))

    async def _share_regions(self) -> None:
        """Round by round; between them hear what the api changed."""
        name = f"collector {self._terms.name}"
        connection = await connect(self._terms.database_url, name=name, autocommit=True)
        async with connection:
            await check(connection)
            await ring.join(connection)
            since = time.monotonic()
            while not self._stopping.is_set():
                evicted = await self._round(connection)
                rest_s = _FREED_WITHIN_S if evicted else _ROUND_EVERY_S
                async for _ in connection.notifies(timeout=rest_s, stop_after=1):
                    since = -_REGISTRY_EVERY_S
                if time.monotonic() - since >= _REGISTRY_EVERY_S:
                    since = time.monotonic()
                    for region in self.regions.values():
                        region.registry_changed()

    async def _round(self, connection: ring.Connection) -> bool:
        """Look around and make the moves; True when there is something to take very soon."""
        holdings, members = await ring.look(connection)
        for each in holdings:
            metrics.serving.labels(each.region)  # 0 until it is served here: somebody asks for all
        mine = frozenset(self.regions)
        moves = self._share.decide(holdings, members, mine, self._terms.clock())
        for backend in moves.evict:
            log.warning("a connection that says nothing more is ended", backend=backend)
            await ring.evict(connection, backend)
        for name in moves.give_up:
            log.info("region given up", region=name)
            self.regions[name].stop()
        for name in moves.take:
            region = self.regions[name] = Region(name, self._terms)
            self._tasks[name] = asyncio.create_task(region.run(), name=name)
        self.joined = bool(holdings)
        self.problem = None if holdings else "the database knows no region"
        return bool(moves.evict)


def _traces(settings: Settings, name: str) -> "Traces | None":
    if settings.trace_endpoint is None:
        return None
    from collector.tracing import Traces  # noqa: PLC0415 - who asks for none loads none of it

    return Traces(settings.trace_endpoint, name)


class _Web(uvicorn.Server):
    """A server that leaves the signals to us: the regions stop first."""

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


async def serve(settings: Settings) -> None:
    """Run the collector and its HTTP side until SIGTERM or SIGINT."""
    collector = Collector(settings)
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, collector.stop)
    web = _Web(
        uvicorn.Config(
            application(collector),
            http="h11",  # bounds the head of a request: httptools gathers one without an end
            host=settings.collector_host,
            port=settings.collector_port,
            log_level="warning",
            lifespan="off",
        )
    )
    listening = asyncio.create_task(_listen(web, settings))
    working = asyncio.create_task(collector.run())
    try:
        done, _ = await asyncio.wait({listening, working}, return_when=asyncio.FIRST_COMPLETED)
        for task in done:
            await task
    finally:
        collector.stop()
        web.should_exit = True
        await asyncio.gather(listening, working, return_exceptions=True)


async def _listen(web: uvicorn.Server, settings: Settings) -> None:
    try:
        await web.serve()
    except SystemExit:
        where = f"{settings.collector_host}:{settings.collector_port}"
        raise CollectorError(
            f"cannot listen on {where}: set TELLERGRID_COLLECTOR_PORT to a free port"
        ) from None
