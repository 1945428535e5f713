"""Figures from sums that were made before equal those from the intervals, whatever comes late."""

import asyncio
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from psycopg import AsyncConnection
from psycopg.rows import TupleRow

from api.scope import EVERYTHING
from api.uptime.figures import Question, slices
from api.uptime.schemas import By, Slice
from api.uptime.summing import sum_up
from fleet.buckets import Bucket, buckets
from fleet.db.pool import connect
from fleet.tiles import Grain, Summed, tiles
from tests.properties import test_availability_sql as world
from tests.properties.test_availability_sql import LENGTH, Life, at, lay_out, live, stretches
from tests.properties.test_uptime_figures import (
    Database,
    Planning,
    cuts,
    lives,
    plannings,
    say,
    short_way_is_right,
)

BEGAN = datetime(2026, 3, 27, 21, 40, tzinfo=UTC)  # two days before clocks go forward
STEP = timedelta(minutes=97)
ZONES = ("UTC", "Europe/Berlin", "Asia/Kolkata")
EVERY_WAY = (By.FLEET, By.CELL, By.LEVEL, By.TERMINAL, By.VENDOR)
instants = st.integers(0, LENGTH)


@pytest.fixture
def database(database_url: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[Database]:
    """A connection to a database with four cells, in a world that lasts days."""
    monkeypatch.setattr(world, "BEGIN", BEGAN)
    monkeypatch.setattr(world, "UNIT", STEP)
    with asyncio.Runner() as runner:
        connection = runner.run(connect(database_url, name="test"))
        runner.run(lay_out(connection))
        yield runner, connection
        runner.run(connection.close())


async def begin_anew(connection: AsyncConnection[TupleRow]) -> None:
    await connection.execute(
        "TRUNCATE terminal, blindness, service_interval, service_schedule, uptime_summed,"
        " uptime_stale, uptime_cell_day, uptime_cell_hour, uptime_terminal_day, uptime_crossing"
        " CASCADE"
    )
    await connection.commit()


async def summed(connection: AsyncConnection[TupleRow], zone: str, until: datetime) -> None:
    """All sums up to an instant, as the scheduled work makes them, and none of them stale."""
    async with connection.transaction():
        more = await sum_up(connection, zone, until)
    while more:
        async with connection.transaction():
            more = await sum_up(connection, zone, until)
    await connection.commit()
    assert await (await connection.execute("SELECT FROM uptime_stale")).fetchall() == []


async def equal(connection: AsyncConnection[TupleRow], ends: Sequence[int]) -> None:
    """In every way to cut the fleet, the two answers are the same."""
    spans = [(at(begin), at(end)) for begin, end in pairwise(ends)]
    whole = [(spans[0][0], spans[-1][1])]
    for by in EVERY_WAY:
        for cell in (None, "TOP"):
            for asked in (spans, whole):
                one = Question(by, asked, cell)
                raw = Question(by, asked, cell, from_sums=False)
                fast: list[Slice] = await slices(connection, EVERYTHING, one, {})
                assert fast == await slices(connection, EVERYTHING, raw, {}), (by, cell)
    await short_way_is_right(connection, "TOP", Question(By.FLEET, whole, "TOP"))
    await connection.commit()


async def lived_otherwise(connection: AsyncConnection[TupleRow], life: Life) -> None:
    """What was recorded of the first terminal was not so: late data says what was."""
    chosen = "(SELECT id FROM terminal WHERE code = 'T0')"
    await connection.execute(f"DELETE FROM service_interval WHERE terminal_id = {chosen}")
    await connection.execute(f"DELETE FROM terminal_cell WHERE terminal_id = {chosen}")
    for state, begin, end in stretches(life.states):
        await connection.execute(
            f"INSERT INTO service_interval VALUES ({chosen}, %s, tstzrange(%s, %s))",
            (state, begin, end),
        )
    for cell, begin, end in stretches(life.cells):
        await connection.execute(
            f"INSERT INTO terminal_cell VALUES ({chosen}, %s, tstzrange(%s, %s), 'polygon')",
            (cell, begin, end),
        )
    await connection.execute(
        "UPDATE terminal SET commissioned_at = %s, decommissioned_at = NULL WHERE code = 'T0'",
        (at(life.commissioned),),
    )


@given(
    fleet=st.lists(lives, min_size=2, max_size=3),
    otherwise=lives,
    planning=plannings,
    zone=st.sampled_from(ZONES),
    ends=cuts,
    reached=st.tuples(instants, instants).map(sorted),
    planned_late=st.booleans(),
)
@settings(
    deadline=None,
    max_examples=15,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
def test_sums_equal_the_intervals_under_late_data(
    database: Database,
    fleet: list[Life],
    otherwise: Life,
    planning: Planning,
    zone: str,
    ends: list[int],
    reached: list[int],
    planned_late: bool,
) -> None:
    """Summed up to some hour; then a terminal turns out to have lived otherwise, windows, schedules
    and corrections are said afterwards: before the sums are made anew and after, in hours and days
    of any zone, the answer is that of the intervals."""
    runner, connection = database

    async def story() -> None:
        await begin_anew(connection)
        for number, life in enumerate(fleet):
            await live(connection, number, life)
        if not planned_late:
            await say(connection, planning)
        await connection.commit()
        await summed(connection, zone, at(reached[0]))
        await equal(connection, ends)
        await lived_otherwise(connection, otherwise)
        if planned_late:
            await say(connection, planning)
        await connection.commit()
        await equal(connection, ends)
        await summed(connection, zone, at(reached[1]))
        await equal(connection, ends)

    runner.run(story())


@given(
    ends=st.tuples(st.integers(0, 6000), st.integers(1, 6000)),
    known=st.tuples(st.integers(0, 100), st.integers(0, 100)),
    zone=st.sampled_from(ZONES),
    finest=st.sampled_from(Grain),
)
def test_tiles_are_the_window_end_to_end(
    ends: tuple[int, int], known: tuple[int, int], zone: str, finest: Grain
) -> None:
    """Days and hours are whole ones of the zone, within what is summed; no raw hour is left out."""
    there = ZoneInfo(zone)
    minute, hour = timedelta(minutes=1), timedelta(hours=1)
    begin = BEGAN + ends[0] * minute
    end = begin + ends[1] * minute
    from_ = datetime(2026, 3, 27, tzinfo=there).astimezone(UTC) + known[0] * hour
    found = list(tiles(begin, end, Summed(from_, from_ + known[1] * hour, there), finest))
    assert [(one.begin, one.end) for one in found][:1] == [(begin, found[0].end)]
    assert found[-1].end == end
    assert all(one.end == other.begin for one, other in pairwise(found))
    for one in found:
        if one.grain is not Grain.RAW:
            bucket = Bucket(one.grain)
            around = buckets(one.begin - 5 * hour, one.end + 5 * hour, bucket, there)
            assert (one.begin, one.end) in around
            assert from_ <= one.begin < one.end <= from_ + known[1] * hour
            assert finest is not Grain.RAW
            assert one.grain is Grain.DAY or finest is Grain.HOUR
