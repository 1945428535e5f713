"""Sums of uptime as the running api makes them, and what is kept how long."""

import asyncio
from collections.abc import AsyncIterator
from datetime import datetime, timedelta
from functools import partial
from typing import Any

import psycopg
import pytest
from psycopg import AsyncConnection
from psycopg.conninfo import make_conninfo
from psycopg.rows import TupleRow

from api import retention
from api.metrics import Metrics
from api.retention import Retention, keep
from api.scheduled import Job
from api.scope import EVERYTHING, as_api
from api.uptime.figures import Question, slices
from api.uptime.published import Of, publish
from api.uptime.schemas import By, Slice
from api.uptime.summing import sum_up
from fleet.db.pool import Pool, connect, open_pool
from tellergrid.stack.logins import API_ROLE, let_api_in
from tests.integration.api.test_uptime_by import a_bad_hour, was
from tests.integration.api.world import BEGAN, at_minute
from tests.machine import PATIENCE_S

Database = AsyncConnection[TupleRow]
UNTIL = BEGAN + timedelta(hours=40)
DAY = Of("uptime:fleet", BEGAN, BEGAN + timedelta(days=1), "UTC")


@pytest.fixture
async def pool(connection: Database, database_url: str) -> AsyncIterator[Pool]:
    """Connections as the api has them: logged in as a role that owns nothing.

    With the owner's log-in a transaction could become the owner, which in service none can.
    """
    await let_api_in(connection, "of-the-test")
    url = make_conninfo(database_url, user=API_ROLE, password="of-the-test")
    async with open_pool(as_api(url), name="test") as one:
        yield one


async def run(pool: Pool, work: Any, times: int = 1) -> Metrics:
    """So many runs of scheduled work, as a process of the api does it."""
    metrics = Metrics()
    job = Job("work", work, pool, metrics)
    for _ in range(times):
        await job.run()
    assert b'outcome="failed"' not in metrics.exposition()
    return metrics


async def sums(pool: Pool, until: datetime = UNTIL) -> None:
    """All sums there can be by then."""

    async def step(connection: Database) -> None:
        await sum_up(connection, "UTC", until)

    await run(pool, step, times=6)


async def both(connection: Database, **asked: Any) -> tuple[list[Slice], list[Slice]]:
    """The figures from sums, and from intervals."""
    cuts = asked.pop("cuts", [(BEGAN, BEGAN + timedelta(hours=30))])
    question = partial(Question, asked.pop("by", By.FLEET), cuts, **asked)
    return (
        await slices(connection, EVERYTHING, question(), {}),
        await slices(connection, EVERYTHING, question(from_sums=False), {}),
    )


async def test_the_running_api_sums_and_answers_from_it(connection: Database, pool: Pool) -> None:
    """Hours up to the last whole one, days that are over; nobody else's rows are seen by it."""
    await a_bad_hour(connection)
    await sums(pool, UNTIL + timedelta(minutes=20))
    reached = await (await connection.execute("SELECT summed_to FROM uptime_summed")).fetchall()
    assert reached == [(UNTIL,)]
    fast, raw = await both(connection)
    assert fast == raw
    # That it is the sums that answer: they are the only thing that can say this.
    await connection.execute("UPDATE uptime_cell_day SET us = us + 7 WHERE state = 'cash_out'")
    await connection.execute("UPDATE uptime_cell_hour SET us = us + 7 WHERE state = 'cash_out'")
    told, _ = await both(connection, cuts=[(BEGAN, BEGAN + timedelta(hours=17))])
    assert told[0].cash_out_us > raw[0].cash_out_us - 13 * 3600 * 1_000_000
    assert told[0].cash_out_us % 7 != raw[0].cash_out_us % 7


async def test_an_outage_goes_on_over_midnight_and_from_cell_to_cell(
    connection: Database, pool: Pool
) -> None:
    """Within a day the terminal is moved while it is down, and it is still down the next day: for
    the district that is one outage, for the cells it is two."""
    down = (15 * 60.0, 17 * 60.0)  # from 23:00 to 01:00
    await was(connection, "ATM-1", ("offline", *down, "silent"))
    moved = at_minute(15 * 60 + 20)
    chosen = "terminal_id = (SELECT id FROM terminal WHERE code = 'ATM-1')"
    await connection.execute(
        f"UPDATE terminal_cell SET valid = tstzrange(lower(valid), %s) WHERE {chosen}", (moved,)
    )
    await connection.execute(
        "INSERT INTO terminal_cell SELECT id, 'C002', tstzrange(%s, NULL), 'polygon'"
        " FROM terminal WHERE code = 'ATM-1'",
        (moved,),
    )
    await sums(pool)
    for asked in ({"cell": "D01"}, {"by": By.CELL}, {"by": By.TERMINAL}, {"by": By.LEVEL}):
        fast, raw = await both(connection, **asked)
        assert fast == raw
    [district] = (await both(connection, cell="D01"))[0]
    assert (district.outages, district.longest_outage_us) == (1, 120 * 60_000_000)


async def test_late_data_is_told_at_once_and_published_as_a_version(
    connection: Database, pool: Pool
) -> None:
    """A day is summed and published; published again it is the same. Then a journal comes late: the
    figures are others at once, from the intervals, and again when they are summed anew; and what
    was published stays beside its second version."""
    await a_bad_hour(connection)
    await sums(pool)

    async def told() -> int:
        [fleet], raw = await both(connection, cuts=[(DAY.begin, DAY.end)])
        assert [fleet] == raw
        body = fleet.model_dump(mode="json", by_alias=True)
        return (await publish(connection, DAY, body, "ops", "daily")).version

    async with connection.transaction():
        assert [await told(), await told()] == [1, 1]
    await connection.execute(
        "UPDATE service_interval SET period = tstzrange(lower(period), %s)"
        " WHERE state = 'cash_out'",
        (at_minute(55),),
    )
    await was(connection, "ATM-1", ("in_service", 55, None, ""))
    async with connection.transaction():
        assert await told() == 2
    await sums(pool)
    assert await (await connection.execute("SELECT FROM uptime_stale")).fetchall() == []
    async with connection.transaction():
        assert await told() == 2
    kept = await connection.execute("SELECT version FROM published_figure ORDER BY version")
    assert await kept.fetchall() == [(1,), (2,)]


async def test_chunks_are_kept_as_long_as_they_should(
    connection: Database, pool: Pool, database_url: str
) -> None:
    """By table; what was summed is read from the intervals afterwards. This edition of TimescaleDB
    has no columnstore: it is not asked for one."""
    assert database_url
    await a_bad_hour(connection)
    await sums(pool)
    await connection.execute(
        "INSERT INTO telemetry (ts, terminal_id, boot, seq, arrived_at)"
        " SELECT now() - make_interval(days => age), 1, 1, 1, now() FROM unnest('{0,20,90}'::int[])"
        " AS age"
    )
    shown = "SELECT count(*) FROM telemetry"
    await run(pool, partial(keep, retention=Retention()))
    assert await (await connection.execute(shown)).fetchall() == [(3,)]
    days = {"telemetry": 30, "event": 30, "uptime_cell_hour": 1, "uptime_terminal_day": 1}
    kept = Retention(days, columns_after_days=7)
    for _ in range(2):
        await run(pool, partial(keep, retention=kept))
        assert await (await connection.execute(shown)).fetchall() == [(2,)]
    await connection.execute("UPDATE uptime_summed SET hours_from = now(), terminals_from = now()")
    await connection.execute("DELETE FROM uptime_cell_hour")
    await connection.execute("DELETE FROM uptime_terminal_day")
    for by in (By.FLEET, By.TERMINAL):
        fast, raw = await both(connection, by=by)
        assert fast == raw


async def test_what_hours_were_put_together_with_goes_with_them(
    connection: Database, pool: Pool
) -> None:
    """Outages over an hour's edge, a row an hour: they stayed for ever. Those of days are kept."""
    await a_bad_hour(connection)
    await sums(pool)
    grains = "SELECT DISTINCT grain FROM uptime_crossing ORDER BY grain"
    assert await (await connection.execute(grains)).fetchall() == [("day",), ("hour",)]
    await run(pool, partial(keep, retention=Retention({"uptime_cell_hour": None})))
    assert await (await connection.execute(grains)).fetchall() == [("day",), ("hour",)]
    await run(pool, partial(keep, retention=Retention({"uptime_cell_hour": 1})))
    assert await (await connection.execute(grains)).fetchall() == [("day",)]
    fast, raw = await both(connection)
    assert fast == raw


async def test_what_a_backup_reads_is_dropped_another_time(
    connection: Database, pool: Pool, database_url: str
) -> None:
    """Dropping waited for the backup to end, and whoever asked for uptime waited behind it."""
    await a_bad_hour(connection)
    await sums(pool)
    last_year = (
        "INSERT INTO uptime_cell_hour SELECT now() - interval '1 year', '', 'offline', '', 1, 1"
    )
    await connection.execute(last_year)
    shown = "SELECT count(*) FROM uptime_cell_hour WHERE us = 1"
    dropping = partial(
        keep, retention=Retention({"uptime_cell_hour": 90, "uptime_terminal_day": 90})
    )
    async with await connect(database_url, name="backup") as backup:
        await backup.execute("SELECT FROM uptime_cell_hour, uptime_terminal_day")
        async with asyncio.timeout(PATIENCE_S):
            _, fast = await asyncio.gather(run(pool, dropping), both(connection))
        assert fast[0] == fast[1]
        assert await (await connection.execute(shown)).fetchall() == [(1,)]
    await run(pool, dropping)
    assert await (await connection.execute(shown)).fetchall() == [(0,)]


async def test_the_columnstore_is_asked_for_in_words_that_are_understood(
    connection: Database, pool: Pool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Here the licence forbids it, and that is all that is wrong: statements and options are known.
    An edition that says it is licensed and refuses all the same costs a warning, nothing else."""
    policy = "SELECT add_compression_policy('telemetry', interval '7 d', if_not_exists => true)"
    for asked in (retention._SQL["columns"], policy):
        with pytest.raises(psycopg.errors.FeatureNotSupported, match='current "apache" license'):
            await connection.execute(asked, {"table": "telemetry", "days": 7})
    with pytest.raises(psycopg.errors.RaiseException, match="kept for ever"):
        await connection.execute(retention._SQL["drop"], {"table": "fault", "before": UNTIL})
    monkeypatch.setitem(retention._SQL, "licensed", "SELECT true")
    await connection.execute(
        "INSERT INTO telemetry (ts, terminal_id, boot, seq, arrived_at)"
        " SELECT now() - make_interval(days => 90), 1, 1, 1, now()"
    )
    await run(pool, partial(keep, retention=Retention({"telemetry": 30}, columns_after_days=7)))
    assert await (await connection.execute("SELECT FROM telemetry")).fetchall() == []


async def test_sums_of_before_a_terminal_left_the_fleet_hold(
    connection: Database, pool: Pool
) -> None:
    """It leaves after years: what its cell was till then is not summed again, and told as ever."""
    await a_bad_hour(connection)
    await sums(pool)
    left, came = at_minute(20 * 60), at_minute(-30 * 60)
    of = "WHERE code = 'ATM-1'"
    for change, begin, end in (
        (f"decommissioned_at = '{left}'", left, None),
        ("decommissioned_at = NULL", left, None),
        (f"commissioned_at = '{at_minute(60)}'", came, at_minute(60)),
    ):
        await connection.execute(f"UPDATE terminal SET {change} {of}")
        spans = await connection.execute("SELECT lower(span), upper(span) FROM uptime_stale")
        for since, until in await spans.fetchall():
            assert since >= begin - timedelta(microseconds=1)
            assert end is None or until <= end + timedelta(microseconds=1)
        for _ in range(2):  # from the intervals at once, and from the sums made anew
            for by in (By.FLEET, By.CELL, By.TERMINAL):
                fast, raw = await both(connection, by=by)
                assert fast == raw
            await sums(pool)
