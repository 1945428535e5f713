"""Figures and outages by part and bucket, by the database, against counting every microsecond."""

import asyncio
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from psycopg import AsyncConnection
from psycopg.rows import TupleRow

from api.cells.schemas import Figures
from api.scope import EVERYTHING
from api.uptime.figures import DOWN, OfCell, Question, of_cell, slices
from api.uptime.schemas import By, Slice
from api.window import Window
from fleet.availability import total
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
    stretches,
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


@dataclass(frozen=True)
class Plan:
    """What is said of a terminal, a kind or a cell, from and to a microsecond."""

    of: str
    begin: int
    end: int
    said: Any = None

    @property
    def stored(self) -> dict[str, Any]:
        return {"of": self.of, "begin": at(self.begin), "end": at(self.end), "said": self.said}


@dataclass(frozen=True)
class Planning:
    """All that is planned and said."""

    maintenance: list[Plan]
    schedules: list[Plan]
    corrections: list[Plan]
    blind: list[Any]
    """Whether we were blind to the region, at each microsecond."""


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
    connection: AsyncConnection[TupleRow],
    fleet: Sequence[Life],
    planning: Planning,
    questions: Sequence[Question],
) -> list[list[Slice]]:
    """The answers on a fleet that lived so; nothing is kept."""
    async with connection.transaction(force_rollback=True):
        for number, life in enumerate(fleet):
            await live(connection, number, life)
        await say(connection, planning)
        for cell in FAMILY:
            await short_way_is_right(connection, cell, questions[0])
        return [await slices(connection, EVERYTHING, one, {}) for one in questions]


async def short_way_is_right(
    connection: AsyncConnection[TupleRow], cell: str, question: Question
) -> None:
    """A cell's own page has a statement of its own: it finds what the question about it finds."""
    begin, end = question.cuts[0][0], question.cuts[-1][1]
    whole = Question(By.FLEET, [(begin, end)], cell, from_sums=False)
    found = await slices(connection, EVERYTHING, whole, {})
    short = await of_cell(connection, EVERYTHING, cell, Window(begin, end, end))
    figures = Figures.of(short.availability)
    if found:
        assert short.terminals == found[0].terminals
        assert figures == Figures(**{n: getattr(found[0], n) for n in Figures.model_fields})
    else:
        assert short == OfCell(total(()), 0)


def plans(value: st.SearchStrategy[Any], *subjects: str) -> st.SearchStrategy[list[Plan]]:
    """What somebody says, of whom, when."""
    ends = st.tuples(st.integers(0, LENGTH - 1), st.integers(1, LENGTH)).filter(
        lambda pair: pair[0] < pair[1]
    )
    one = st.builds(
        lambda of, pair, said: Plan(of, pair[0], pair[1], said),
        st.sampled_from(subjects),
        ends,
        value,
    )
    return st.lists(one, max_size=3)


ABOUT = ("T0", "T1", "atm", *FAMILY, "OTHER")
plannings = st.builds(
    Planning,
    maintenance=plans(st.none(), *ABOUT),
    # A schedule in force on somebody: open or closed at each microsecond. One at a time on each.
    schedules=plans(lines(st.booleans()), *ABOUT).map(
        lambda found: list({one.of: one for one in found}.values())
    ),
    corrections=plans(st.sampled_from(ServiceState), "T0", "T1"),
    blind=lines(st.booleans()),
)


def counts(planning: Planning, name: str, life: Life, t: int) -> Any:
    """The state that counts: the first in precedence."""
    cell = life.cells[t]
    above = [] if cell is None else ["OTHER"] if cell == "OTHER" else above_of(cell)
    nearest = [name, *above, "atm"]
    if any(one.of in nearest and one.begin <= t < one.end for one in planning.maintenance):
        return ServiceState.PLANNED_MAINTENANCE
    for of in nearest:
        for one in planning.schedules:
            if one.of == of and one.begin <= t < one.end:
                if one.said[t] is not True:
                    return ServiceState.OUT_OF_SCHEDULE
                break
        else:
            continue
        break
    for one in reversed(planning.corrections):
        if one.of == name and one.begin <= t < one.end:
            return one.said
    return ServiceState.UNKNOWN if planning.blind[t] else life.states[t]


def above_of(cell: str) -> list[str]:
    """A cell and those above it, the nearest first."""
    return list(reversed(FAMILY[: FAMILY.index(cell) + 1]))


async def say(connection: AsyncConnection[TupleRow], planning: Planning) -> None:
    """Store what was planned and said, and when we were blind."""
    for _, begin, end in stretches([one or None for one in planning.blind]):
        await connection.execute(
            "INSERT INTO blindness VALUES ('r', tstzrange(%s, %s), 'broker')",
            (begin, end or at(LENGTH)),
        )
    for number, one in enumerate(planning.maintenance):
        await connection.execute(
            "INSERT INTO planned_window (purpose, terminal_id, cell_code, kind, first, zone,"
            " author, reason) SELECT 'maintenance', (SELECT id FROM terminal WHERE code = %(of)s),"
            " (SELECT code FROM cell WHERE code = %(of)s), CASE WHEN %(of)s = 'atm' THEN 'atm' END,"
            " tstzrange(%(begin)s, %(end)s), 'UTC', 'a', 'r'",
            one.stored,
        )
        await connection.execute(
            "INSERT INTO planned_occurrence SELECT max(id), tstzrange(%(begin)s, %(end)s)"
            " FROM planned_window",
            one.stored | {"n": number},
        )
    for number, one in enumerate(planning.schedules):
        code = f"S{number}"
        await connection.execute(
            "INSERT INTO service_schedule (code, name, zone, author) VALUES (%s, 's', 'UTC', 'a')",
            (code,),
        )
        await connection.execute(
            "INSERT INTO service_schedule_use (schedule_code, terminal_id, cell_code, kind, valid,"
            " author, reason) SELECT %(code)s, (SELECT id FROM terminal WHERE code = %(of)s),"
            " (SELECT code FROM cell WHERE code = %(of)s), CASE WHEN %(of)s = 'atm' THEN 'atm' END,"
            " tstzrange(%(begin)s, %(end)s), 'a', 'r'",
            one.stored | {"code": code},
        )
        closed = [None if open_ is True else "closed" for open_ in one.said]
        for _, begin, end in stretches(closed):
            await connection.execute(
                "INSERT INTO service_closing VALUES (%s, tstzrange(%s, %s))", (code, begin, end)
            )
    for one in planning.corrections:
        await connection.execute(
            "INSERT INTO service_correction (terminal_id, state, period, author, reason)"
            " SELECT id, %(said)s, tstzrange(%(begin)s, %(end)s), 'a', 'r' FROM terminal"
            " WHERE code = %(of)s",
            one.stored,
        )


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
    fleet=st.lists(lives, min_size=2, max_size=3),
    planning=plannings,
    by=st.sampled_from([By.FLEET, By.CELL, By.LEVEL, By.TERMINAL, By.VENDOR]),
    ends=cuts,
)
@settings(
    deadline=None,
    max_examples=60,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
def test_the_database_finds_what_counting_finds(
    database: Database, fleet: list[Life], planning: Planning, by: By, ends: list[int]
) -> None:
    """By part and bucket; and the parts, and the buckets, add up to the whole, exactly.

    Maintenance of terminals, cells and kinds, schedules of the same, corrections and our own
    blindness overlap as they will: at every microsecond the first in precedence counts.
    """
    runner, connection = database
    spans = [(at(begin), at(end)) for begin, end in pairwise(ends)]
    whole = [(spans[0][0], spans[-1][1])]
    [got, [*total]] = runner.run(
        asked(connection, fleet, planning, [Question(by, spans), Question(By.FLEET, whole)])
    )
    lived = [
        replace(life, states=[counts(planning, f"T{number}", life, t) for t in range(LENGTH)])
        for number, life in enumerate(fleet)
    ]
    model = counted(lived, by, ends)
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
