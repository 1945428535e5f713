"""Wires the collector: the regions, their registry's changes, the HTTP side, the graceful stop."""

import asyncio
import random
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta

import psycopg
import structlog
import uvicorn

from collector import registry
from collector.errors import CollectorError
from collector.region import Region, Terms
from collector.reload import watch_catalogue
from collector.service import application
from collector.settings import Settings
from fleet.db.pool import connect
from fleet.mqtt import Backoff, Broker
from fleet.rules.shelf import Shelf

log = structlog.get_logger()

_REGISTRY_EVERY_S = 30.0


class Collector:
    """All regions of this process."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._terms = Terms(
            database_url=settings.database_url.get_secret_value(),
            broker=Broker.parse(settings.broker_url.get_secret_value()),
            shelf=Shelf(settings.catalogue),
            batch_count=min(settings.batch_count, settings.receive_maximum // 2),
            batch_linger_s=settings.batch_linger_ms / 1000,
            receive_maximum=settings.receive_maximum,
            lateness=timedelta(milliseconds=settings.lateness_ms),
            clock=lambda: datetime.now(UTC),
        )
        self._tasks: set[asyncio.Task[None]] = set()
        self._stopping = asyncio.Event()
        self.regions: dict[str, Region] = {}

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
        watching = asyncio.create_task(self._watch_registry())
        reading = asyncio.create_task(watch_catalogue(self.shelf))
        stopped = asyncio.create_task(self._stop_wanted())
        try:
            while not stopped.done():
                running = {watching, reading, stopped, *self._tasks}
                done, _ = await asyncio.wait(running, return_when=asyncio.FIRST_COMPLETED)
                for task in done:
                    task.result()
                self._tasks -= done
        finally:
            self.stop()
            for task in (watching, reading, stopped):
                task.cancel()
            await asyncio.gather(watching, reading, stopped, *self._tasks, return_exceptions=True)

    async def _stop_wanted(self) -> None:
        await self._stopping.wait()

    async def _watch_registry(self) -> None:
        """Start a region when it appears; tell all when the api changed terminals."""
        delays = Backoff(random.Random(), base_s=0.5, cap_s=5.0).delays()  # noqa: S311
        while not self._stopping.is_set():
            try:
                await self._listen()
            except (psycopg.Error, OSError) as error:
                log.warning("registry unreachable", error=f"{type(error).__name__}: {error}")
                await asyncio.sleep(next(delays))

    async def _listen(self) -> None:
        url = self._terms.database_url
        connection = await connect(url, name="collector-registry", autocommit=True)
        async with connection:
            await connection.execute("LISTEN registry")
            while not self._stopping.is_set():
                self._start(await registry.regions(connection))
                async for _ in connection.notifies(timeout=_REGISTRY_EVERY_S, stop_after=1):
                    pass
                for region in self.regions.values():
                    region.registry_changed()

    def _start(self, found: list[str]) -> None:
        only = self._settings.only_regions
        for name in found:
            if name not in self.regions and (not only or name in only):
                region = self.regions[name] = Region(name, self._terms)
                self._tasks.add(asyncio.create_task(region.run(), name=name))


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
            application(lambda: collector.regions, collector.shelf),
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
