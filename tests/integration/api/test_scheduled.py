"""Scheduled work: it reacts to a fault at once, and happens once among many processes."""

import asyncio
import re
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from functools import partial
from pathlib import Path
from time import monotonic

import pytest
from fastapi import FastAPI
from psycopg import AsyncConnection
from psycopg.conninfo import make_conninfo
from psycopg.rows import TupleRow
from pydantic import SecretStr

from api import scheduled, timetable
from api.app import create_app
from api.metrics import Metrics
from api.scheduled import Job
from api.settings import Settings
from fleet.db.pool import Pool, open_pool
from tellergrid.stack.logins import API_ROLE, let_api_in
from tests.integration.api.conftest import client_of
from tests.integration.api.world import SomeFault, clear, fire
from tests.machine import PATIENCE_S

Database = AsyncConnection[TupleRow]


async def until(
    true: Callable[[], Awaitable[bool]], within_s: float = PATIENCE_S, every_s: float = 0.01
) -> float:
    """Wait until something is true; gives how long it took, in seconds."""
    began = monotonic()
    async with asyncio.timeout(within_s):
        while True:
            if await true():
                return monotonic() - began
            await asyncio.sleep(every_s)


async def states(connection: Database) -> list[str]:
    cursor = await connection.execute("SELECT state FROM ticket ORDER BY id")
    return [row[0] for row in await cursor.fetchall()]


async def tickets_are(connection: Database, *expected: str) -> bool:
    return await states(connection) == list(expected)


async def listening(connection: Database) -> None:
    """Wait until an api listens, so that what is measured is not its start."""

    async def heard() -> bool:
        cursor = await connection.execute(
            "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()"
            " AND application_name = 'tellergrid-api-listener' AND state = 'idle'"
            " AND query ~ 'LISTEN|SELECT'"
        )
        return await cursor.fetchone() != (0,)

    await until(heard)


@pytest.mark.usefixtures("app")
async def test_a_ticket_is_there_within_a_second_of_the_fault(connection: Database) -> None:
    """By notification alone: this api looks by itself only once a minute. Three times over, for
    the machine may have something else to do at one of them."""
    await listening(connection)
    raised_s, resolved_s = list[float](), list[float]()
    for times in range(1, 4):
        fault = await fire(connection, SomeFault(item=str(times)))
        before = ["RESOLVED"] * (times - 1)
        raised_s.append(await until(partial(tickets_are, connection, *before, "ASSIGNED")))
        await clear(connection, fault)
        resolved_s.append(await until(partial(tickets_are, connection, *before, "RESOLVED")))
    assert min(raised_s) < 1
    assert min(resolved_s) < 1


async def test_without_any_notification_it_looks_by_itself(
    settings: Settings, connection: Database
) -> None:
    """A notification may be lost: the next look by the clock finds the fault."""
    polling = create_app(settings.model_copy(update={"poll_seconds": 0.2}))
    async with polling.router.lifespan_context(polling):
        await listening(connection)
        await fire(connection, notify=False)
        await until(partial(tickets_are, connection, "ASSIGNED"))


@asynccontextmanager
async def apis(settings: Settings, count: int) -> AsyncIterator[list[FastAPI]]:
    """Several apis on one database, as several processes would be."""
    running = [create_app(settings) for _ in range(count)]
    async with asyncio.TaskGroup() as group:
        stop = asyncio.Event()

        async def run(one: FastAPI, up: asyncio.Event) -> None:
            async with one.router.lifespan_context(one):
                up.set()
                await stop.wait()

        ups = [asyncio.Event() for _ in running]
        for one, up in zip(running, ups, strict=True):
            group.create_task(run(one, up))
        for up in ups:
            await up.wait()
        yield running
        stop.set()


async def test_three_apis_raise_each_ticket_once(settings: Settings, connection: Database) -> None:
    """All are woken by every fault; each ticket is raised, assigned and told of once."""
    async with apis(settings, 3):
        await listening(connection)
        for item in range(10):
            await fire(connection, SomeFault(item=str(item)))
        await until(partial(tickets_are, connection, *["ASSIGNED"] * 10))
    cursor = await connection.execute("SELECT event, count(*) FROM ticket_transition GROUP BY 1")
    assert dict(await cursor.fetchall()) == {"raise": 10, "assign": 10}


async def test_asked_while_at_it_the_job_looks_once_more(database_url: str) -> None:
    """What is committed after it looked would else wait for the next time by the clock."""
    runs = 0

    async def work(_: Database) -> None:
        nonlocal runs
        runs += 1
        if runs == 1:
            await asyncio.gather(job.run(), job.run())

    async with open_pool(database_url, name="test") as pool:
        job = Job("test", work, pool, Metrics())
        await job.run()
    assert runs == 2


async def test_a_job_that_fails_is_counted_and_runs_again(database_url: str) -> None:
    """A bug in one run must not end the schedule."""
    metrics = Metrics()
    runs: list[int] = []

    async def work(connection: Database) -> None:
        runs.append(1)
        if len(runs) == 1:
            await connection.execute("SELECT 1 / 0")

    async with open_pool(database_url, name="test") as pool:
        job = Job("test", work, pool, metrics)
        await job.run()
        await job.run()
    exposition = metrics.exposition().decode()
    assert 'tellergrid_api_jobs_total{outcome="failed",work="test"} 1.0' in exposition
    assert 'tellergrid_api_jobs_total{outcome="done",work="test"} 1.0' in exposition


async def test_while_one_process_is_at_it_another_leaves_it_alone(database_url: str) -> None:
    """The lock belongs to the transaction of the one who works."""
    working, finish = asyncio.Event(), asyncio.Event()
    second: list[int] = []

    async def slow(_: Database) -> None:
        working.set()
        await finish.wait()

    async def other(_: Database) -> None:
        second.append(1)

    async with (
        open_pool(database_url, name="one") as one,
        open_pool(database_url, name="two") as two,
    ):
        running = asyncio.create_task(_job("same", slow, one).run())
        await working.wait()
        await _job("same", other, two).run()
        assert second == []
        finish.set()
        await running
        await _job("same", other, two).run()
        assert second == [1]


async def test_what_was_left_to_a_leader_is_done_by_who_leads_next(database_url: str) -> None:
    """The leader may have died before it did it, and by the clock it is due in an hour."""
    runs: list[int] = []
    leads = False

    async def work(_: Database) -> None:
        runs.append(1)

    async with open_pool(database_url, name="test") as pool:
        job = Job("test", work, pool, Metrics(), lambda: leads)
        await job.run()
        await job.catch_up()
        assert runs == []
        leads = True
        await job.catch_up()
        await job.catch_up()
        assert runs == [1]


async def test_of_three_apis_one_leads_and_when_it_ends_another(
    settings: Settings, connection: Database
) -> None:
    """The two that follow have left all scheduled work to it; then one of them takes over."""
    assert not connection.closed
    async with AsyncExitStack() as stack:
        running = {}
        for _ in range(3):
            one = create_app(settings.model_copy(update={"poll_seconds": 0.2}))
            ended = await stack.enter_async_context(AsyncExitStack())
            await ended.enter_async_context(one.router.lifespan_context(one))
            running[ended] = one.state.services.listener

        async def one_leads() -> bool:
            return [one.leads for one in running.values()].count(True) == 1

        for _ in range(2):
            await until(one_leads)
            [leader] = [ended for ended, listener in running.items() if listener.leads]
            await leader.aclose()
            assert not running.pop(leader).leads
        await until(one_leads)


def _job(name: str, work: Callable[[Database], Awaitable[None]], pool: Pool) -> Job:
    return Job(name, work, pool, Metrics())


async def test_metrics_tell_of_jobs_tickets_and_requests(
    app: FastAPI, connection: Database
) -> None:
    """Live tickets by state, requests by the route's template, never by path."""
    await listening(connection)
    await fire(connection)
    await until(partial(tickets_are, connection, "ASSIGNED"))
    async with client_of(app) as client:
        await client.get("/api/v1/terminals/ATM-1")
        await client.get("/no/such/path")
        text = (await client.get("/metrics")).text
    assert 'tellergrid_tickets_open{state="ASSIGNED"} 1.0' in text
    assert (
        'tellergrid_api_requests_total{method="GET",route="/api/v1/terminals/{id}",status="401"}'
        in text
    )
    assert 'route="(none)",status="404"' in text
    assert 'tellergrid_api_jobs_total{outcome="done",work="follow_faults"}' in text


async def test_all_of_it_can_be_done_by_whom_the_api_logs_in_as(
    settings: Settings, connection: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A role that owns nothing: whatever needs more fails each time, and nobody sees it."""
    monkeypatch.setattr(scheduled, "FIRST_AFTER_S", 0)
    monkeypatch.setattr(timetable, "_MINUTE_S", 0.2)
    monkeypatch.setattr(timetable, "_HOUR_S", 0.2)
    await let_api_in(connection, "in tests")
    url = make_conninfo(settings.database_url, user=API_ROLE, password="in tests")
    audited = {"audit_key": SecretStr("a secret, as long as it must be"), "audit_folder": tmp_path}
    changed = {"database_url": url, "poll_seconds": 0.2} | audited
    app = create_app(settings.model_copy(update=changed))
    async with app.router.lifespan_context(app):
        metrics: Metrics = app.state.services.metrics

        async def all_done() -> bool:
            return jobs(metrics, "done") >= WORK

        await until(all_done)
        assert jobs(metrics, "failed") == set()


WORK = {
    *("watch_clocks", "seal_audit", "sum_uptime", "expand_windows", "keep", "report_month"),
    *("forget_answers", "forget_attempts", "forget_notifications", "forget_sessions"),
    *("export_audit", "follow_faults", "gather_notifications"),
}


def jobs(metrics: Metrics, outcome: str) -> set[str]:
    """The work that ended so."""
    said = re.compile(rf'tellergrid_api_jobs_total{{outcome="{outcome}",work="(\w+)"}}')
    return set(said.findall(metrics.exposition().decode()))
