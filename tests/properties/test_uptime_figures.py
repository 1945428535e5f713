"""Figures and outages by part and bucket, by the database, against counting every microsecond."""

import asyncio
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from psycopg import AsyncConnection
from psycopg.rows import TupleRow

from api.scope import EVERYTHING
from api.uptime.figures import DOWN, Question, slices
from api.uptime.schemas import By, Slice
from fleet.db.pool import connect
from fleet.service_state import OUT_OF_SCOPE, UP, ServiceState
from tests.properties.test_availability_sql import (
    FAMILY,
    LENGTH,
    Life,
    at,
    commissions,
    lay_out,
    lines,
    live,
)

Database = tuple[asyncio.Runner, AsyncConnection[TupleRow]]
Moment = tuple[str, int, int]  # the terminal, the microsecond, the bucket

# Mostly adjacent stretches of few states, so that outages of several states are common.
lives = st.builds(
    lambda cells, states, ends: Life(cells, states, *ends),
    lines(st.sampled_from([*FAMILY, "OTHER", None])),
    lines(st.none() | st.sampled_from(ServiceState)),
    commissions,
)
cuts = st.lists(st.integers(0, LENGTH), min_size=2, max_size=5, unique=True).map(sorted)


@dataclass
class Counted:
    """What a model finds of one part in one bucket."""

    scope: int = 0
    up: int = 0
    unknown: int = 0
    down: int = 0
    outages: int = 0
    longest: int = 0


@pytest.fixture
def database(database_url: str) -> Iterator[Database]:
    """A connection to a database with four cells, and the loop it lives in."""
    with asyncio.Runner() as runner:
        connection = runner.run(connect(database_url, name="test"))
        runner.run(lay_out(connection))
        yield runner, connection
        runner.run(connection.close())


async def asked(
    connection: AsyncConnection[TupleRow], fleet: Sequence[Life], questions: Sequence[Question]
) -> list[list[Slice]]:
    """The answers on a fleet that lived so; nothing is kept."""
    async with connection.transaction(force_rollback=True):
        for number, life in enumerate(fleet):
            await live(connection, number, life)
        return [await slices(connection, EVERYTHING, one, {}) for one in questions]


def parts(by: By, number: int, cell: str) -> list[str]:
    """To which parts a terminal belongs while it is in a cell."""
    if by is By.TERMINAL:
        return [f"T{number}"]
    if by is By.LEVEL:  # the tops: TOP and OTHER
        return ["OTHER" if cell == "OTHER" else "TOP"]
    return {By.CELL: [cell], By.FLEET: ["fleet"], By.VENDOR: ["v"]}[by]


def counted(fleet: Sequence[Life], by: By, ends: Sequence[int]) -> dict[tuple[str, int], Counted]:
    found: dict[tuple[str, int], Counted] = {}
    for number, life in enumerate(fleet):
        run: Counter[str] = Counter()
        for bucket, (begin, end) in enumerate(pairwise(ends)):
            run.clear()
            for t in range(begin, end):
                last = LENGTH if life.decommissioned is None else life.decommissioned
                here = life.cells[t] is not None and life.commissioned <= t < last
                member = parts(by, number, life.cells[t]) if here else []
                for gone in run.keys() - set(member):
                    run[gone] = 0
                for part in member:
                    one = found.setdefault((part, bucket), Counted())
                    count(one, life, t)
                    run[part] = run[part] + 1 if life.states[t] in DOWN else 0
                    one.longest = max(one.longest, run[part])
    return found


def count(one: Counted, life: Life, t: int) -> None:
    state: Any = life.states[t]
    one.scope += state not in OUT_OF_SCOPE
    one.unknown += state in (None, ServiceState.UNKNOWN)
    one.up += state in UP
    one.down += state in DOWN
    one.outages += state in DOWN and (t == 0 or life.states[t - 1] not in DOWN)


@given(
    fleet=st.lists(lives, max_size=3),
    by=st.sampled_from([By.FLEET, By.CELL, By.LEVEL, By.TERMINAL, By.VENDOR]),
    ends=cuts,
)
@settings(
    deadline=None,
    max_examples=60,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
def test_the_database_finds_what_counting_finds(
    database: Database, fleet: list[Life], by: By, ends: list[int]
) -> None:
    """By part and bucket; and the parts, and the buckets, add up to the whole, exactly."""
    runner, connection = database
    spans = [(at(begin), at(end)) for begin, end in pairwise(ends)]
    whole = [(spans[0][0], spans[-1][1])]
    [got, [*total]] = runner.run(
        asked(connection, fleet, [Question(by, spans), Question(By.FLEET, whole)])
    )
    model = counted(fleet, by, ends)
    number = {begin: n for n, (begin, _) in enumerate(spans)}
    assert {(one.part, number[one.begin]) for one in got} == model.keys()
    for one in got:
        expected = model[one.part, number[one.begin]]
        assert (
            Counted(
                one.scope_us,
                one.up_us,
                one.unknown_us,
                one.down_us,
                one.outages,
                one.longest_outage_us,
            )
            == expected
        )
        assert one.up_us + one.down_us + one.unknown_us == one.scope_us
        assert sum(one.down_by_cause_us.values()) == one.down_us
        assert sum(one.down_by_component_us.values()) == one.down_us
    for name in ("scope_us", "up_us", "down_us", "unknown_us", "outages", "cash_out_us"):
        assert sum(getattr(one, name) for one in got) == sum(getattr(one, name) for one in total)
