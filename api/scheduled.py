"""Scheduled work: by interval and when woken, never twice at once, in one process at a time."""

import asyncio
import zlib
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine, Iterable, Iterator
from contextlib import asynccontextmanager, contextmanager
from datetime import UTC, datetime, timedelta
from time import perf_counter

import structlog
from apscheduler.schedulers.asyncio import AsyncIOScheduler
from psycopg import AsyncConnection
from psycopg.rows import TupleRow

from api.metrics import Metrics
from api.scope import ENGINE, enter
from fleet.db.pool import Pool
from fleet.db.sql import load

Work = Callable[[AsyncConnection[TupleRow]], Awaitable[None]]
FIRST_AFTER_S = 60
"""When work of a longer interval is done for the first time: a process may not live so long."""

_PATIENCE_S = 0.5
_SQL = load("api", "scheduled")
_log = structlog.get_logger("api.scheduled")


def lock_key(job: str) -> int:
    """The advisory lock of a job: who holds it does the work."""
    return zlib.crc32(f"tellergrid job {job}".encode())


class Job:
    """A piece of work done in one transaction, which holds the job's lock in the database.

    Where another process leads, or holds the lock all the same, this one leaves the work to that
    one: who leads may change while it is at work.
    """

    def __init__(
        self,
        name: str,
        work: Work,
        pool: Pool,
        metrics: Metrics,
        leads: Callable[[], bool] = lambda: True,
    ) -> None:
        self.name = name
        self._leads = leads
        self._work = work
        self._pool = pool
        self._metrics = metrics
        self._lock_key = lock_key(name)
        self._asked = False
        self._busy = False
        self._left = False

    async def run(self) -> None:
        """Do the work; asked while at it, do it once more, for it may not have seen all.

        A failure is logged and counted: the next run does what this one did not.
        """
        self._asked = True
        if self._busy:
            return
        self._busy = True
        try:
            while self._asked:
                self._asked = False
                self._left = not self._leads()
                if self._left:
                    self._metrics.jobs.labels(self.name, "elsewhere").inc()
                else:
                    await self._once()
        finally:
            self._busy = False

    async def catch_up(self) -> None:
        """Do what was left to a leader, who may not have lived to do it."""
        if self._left and self._leads():
            await self.run()

    async def _once(self) -> None:
        begun = perf_counter()
        try:
            outcome = "done" if await self._locked() else "elsewhere"
        except Exception:  # noqa: BLE001 - logged whole; a bug must not end the schedule
            outcome = "failed"
            _log.exception("job failed", job=self.name)
        self._metrics.jobs.labels(self.name, outcome).inc()
        self._metrics.job_latency.labels(self.name).observe(perf_counter() - begun)

    async def _locked(self) -> bool:
        async with self._pool.connection() as connection:
            cursor = await connection.execute(_SQL["lock"], {"key": self._lock_key})
            if await cursor.fetchone() != (True,):
                return False
            await enter(connection, ENGINE)
            await self._work(connection)
            return True


async def run_in_turn_when(woken: asyncio.Event, *runs: Callable[[], Awaitable[None]]) -> None:
    """Run one after the other whenever the event is set, until cancelled."""
    while True:
        await woken.wait()
        woken.clear()
        for run in runs:
            await run()


@contextmanager
def scheduled(job: Job, seconds: float) -> Iterator[None]:
    """Run a job every so many seconds while the block lasts, soon for the first time.

    What comes late, for the machine slept or something held the loop, is done late: left out, work
    of an hour would wait for the next one.
    """
    scheduler = AsyncIOScheduler(timezone=UTC)
    first = datetime.now(UTC) + timedelta(seconds=min(seconds, FIRST_AFTER_S))
    scheduler.add_job(
        job.run,
        "interval",
        seconds=seconds,
        max_instances=1,
        coalesce=True,
        misfire_grace_time=None,
        next_run_time=first,
    )
    scheduler.start()
    try:
        yield
    finally:
        scheduler.shutdown(wait=False)


@asynccontextmanager
async def background(*work: Coroutine[object, object, None]) -> AsyncIterator[None]:
    """Do endless work while the block lasts; what ends before is a bug, and logged."""
    tasks = [asyncio.create_task(endless) for endless in work]
    for task in tasks:
        task.add_done_callback(_ended)
    try:
        yield
    finally:
        await _end(tasks)


async def _end(tasks: Iterable[asyncio.Task[None]]) -> None:
    """Cancel tasks until they have ended.

    Once is not always enough: where a cancellation meets a query that fails at that moment, psycopg
    raises the query's error in its place, and whoever lives through errors lives on.
    """
    running = set(tasks)
    while running:
        for task in running:
            task.cancel()
        _, running = await asyncio.wait(running, timeout=_PATIENCE_S)


def _ended(task: asyncio.Task[None]) -> None:
    if not task.cancelled():
        _log.critical("background work ended", task=task.get_name(), exc_info=task.exception())
