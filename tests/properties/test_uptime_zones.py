"""Figures by the days and hours of a zone, across changes of its clocks, against counting hours."""

import asyncio
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from api.uptime.figures import Question
from api.uptime.schemas import By
from fleet.buckets import Bucket, buckets
from fleet.db.pool import connect
from tests.properties import test_availability_sql as world
from tests.properties.test_availability_sql import LENGTH, Life, at, lay_out
from tests.properties.test_uptime_figures import (
    Counted,
    Database,
    Planning,
    asked,
    counted,
    counts,
    lives,
    plannings,
)

HOUR = timedelta(hours=1)
# Forty hours in which clocks there go forward, and in which they go back; and of no consequence.
BEGINNINGS = {
    "Europe/Berlin": datetime(2026, 3, 28, 10, tzinfo=UTC),
    "America/New_York": datetime(2026, 10, 31, 12, tzinfo=UTC),
    "Asia/Shanghai": datetime(2026, 11, 1, 3, tzinfo=UTC),
}


@pytest.fixture
def database(database_url: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[Database]:
    """A connection to a database with four cells, in a world of forty hours."""
    monkeypatch.setattr(world, "UNIT", HOUR)
    monkeypatch.setattr(world, "BEGIN", world.BEGIN)
    with asyncio.Runner() as runner:
        connection = runner.run(connect(database_url, name="test"))
        runner.run(lay_out(connection))
        yield runner, connection
        runner.run(connection.close())


def ends_of(zone: ZoneInfo, bucket: Bucket) -> list[int]:
    """The hours at which a wall clock there shows another day, or another hour."""

    def shown(hour: int) -> object:
        there = at(hour).astimezone(zone)
        return there.date() if bucket is Bucket.DAY else (there.date(), there.hour, there.fold)

    return [0, *(t for t in range(1, LENGTH) if shown(t) != shown(t - 1)), LENGTH]


@given(
    fleet=st.lists(lives, min_size=2, max_size=2),
    planning=plannings,
    zone=st.sampled_from(sorted(BEGINNINGS)),
    bucket=st.sampled_from([Bucket.DAY, Bucket.HOUR]),
    by=st.sampled_from([By.FLEET, By.CELL, By.TERMINAL]),
)
@settings(
    deadline=None,
    max_examples=20,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
def test_days_and_hours_of_a_zone_hold_what_counting_finds(
    database: Database,
    fleet: list[Life],
    planning: Planning,
    zone: str,
    bucket: Bucket,
    by: By,
) -> None:
    """A day of 23 or 25 hours has all of them, an hour that comes twice is two; windows, schedules,
    corrections and blindness lie over it as they will."""
    runner, connection = database
    world.BEGIN = BEGINNINGS[zone]
    ends = ends_of(ZoneInfo(zone), bucket)
    cuts = list(buckets(at(0), at(LENGTH), bucket, ZoneInfo(zone)))
    assert cuts == [(at(begin), at(end)) for begin, end in pairwise(ends)]
    [got] = runner.run(asked(connection, fleet, planning, [Question(by, cuts)]))
    judged = [
        replace(life, states=[counts(planning, f"T{number}", life, t) for t in range(LENGTH)])
        for number, life in enumerate(fleet)
    ]
    number_of = {begin: number for number, (begin, _) in enumerate(cuts)}
    hour_us = HOUR // timedelta(microseconds=1)
    found = {
        (one.part, number_of[one.begin]): Counted(
            one.scope_us // hour_us,
            one.up_us // hour_us,
            one.unknown_us // hour_us,
            one.down_us // hour_us,
            one.outages,
            one.longest_outage_us // hour_us,
        )
        for one in got
    }
    assert found == counted(judged, by, ends)
    assert all(one.scope_us % hour_us == 0 for one in got)
