"""A cell's uptime, summed by the database, against a model that counts every microsecond."""

import asyncio
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from psycopg import AsyncConnection
from psycopg.rows import TupleRow

from api.cells.schemas import Figures, Uptime
from api.cells.uptime import uptime
from api.scope import EVERYTHING
from api.window import Window
from fleet.db.pool import connect
from fleet.service_state import OUT_OF_SCOPE, UP, ServiceState

BEGIN = datetime(2026, 11, 23, 8, tzinfo=UTC)
UNIT = timedelta(microseconds=1)  # what a step of time is
LENGTH = 40  # steps: the whole world of an example
FAMILY = ("TOP", "INNER", "LEAF")  # each the parent of the next; OTHER stands apart

Line = list[Any]


def lines(values: st.SearchStrategy[Any]) -> st.SearchStrategy[Line]:
    """What is so at each microsecond: stretches of values, cut to the length of the world."""
    stretches = st.lists(st.tuples(values, st.integers(1, LENGTH)), min_size=1, max_size=6)
    return stretches.map(
        lambda runs: [value for value, times in runs for _ in range(times)][:LENGTH]
    ).map(lambda line: line + [None] * (LENGTH - len(line)))


@dataclass(frozen=True)
class Life:
    """A terminal: in which cell, in which state, in commission or not, at every microsecond."""

    cells: Line
    states: Line
    commissioned: int
    decommissioned: int | None

    def judged(self, cell: str, begin: int, end: int) -> Line:
        """Its state at each microsecond of a window in which it is a member of the cell."""
        family = FAMILY[FAMILY.index(cell) :]
        last = LENGTH if self.decommissioned is None else self.decommissioned
        return [
            self.states[t]
            for t in range(begin, end)
            if self.cells[t] in family and self.commissioned <= t < last
        ]


commissions = st.tuples(st.integers(0, LENGTH - 1), st.none() | st.integers(1, LENGTH)).filter(
    lambda ends: ends[1] is None or ends[0] < ends[1]
)
lives = st.builds(
    lambda cells, states, ends: Life(cells, states, *ends),
    lines(st.sampled_from([*FAMILY, "OTHER", None])),
    lines(st.none() | st.sampled_from(ServiceState)),
    commissions,
)
windows = st.tuples(st.integers(0, LENGTH), st.integers(0, LENGTH)).filter(
    lambda ends: ends[0] < ends[1]
)


def at(microsecond: int) -> datetime:
    return BEGIN + microsecond * UNIT


def stretches(line: Line) -> Iterator[tuple[Any, datetime, datetime | None]]:
    """The stretches of a line that have a value; the last one goes on for ever."""
    cuts = [0, *(t for t in range(1, LENGTH) if line[t] != line[t - 1]), LENGTH]
    for begin, end in pairwise(cuts):
        if line[begin] is not None:
            yield line[begin], at(begin), None if end == LENGTH else at(end)


@pytest.fixture
def database(database_url: str) -> Iterator[tuple[asyncio.Runner, AsyncConnection[TupleRow]]]:
    """A connection to a database with four cells, and the loop it lives in."""
    with asyncio.Runner() as runner:
        connection = runner.run(connect(database_url, name="test"))
        runner.run(lay_out(connection))
        yield runner, connection
        runner.run(connection.close())


async def lay_out(connection: AsyncConnection[TupleRow]) -> None:
    await connection.execute("INSERT INTO region VALUES ('r', 'R')")
    for code, parent in (*zip(FAMILY, (None, *FAMILY), strict=False), ("OTHER", None)):
        await connection.execute(
            "INSERT INTO cell (code, name, level, parent_code, boundary)"
            " VALUES (%(code)s, %(code)s, %(level)s, %(parent)s, '{}')",
            {"code": code, "level": 0 if parent is None else 1, "parent": parent},
        )
    await connection.commit()


async def live(connection: AsyncConnection[TupleRow], number: int, life: Life) -> None:
    """Store a terminal's life as seeder and collector would."""
    end = None if life.decommissioned is None else at(life.decommissioned)
    cursor = await connection.execute(
        "INSERT INTO terminal (code, kind, vendor, model, region_code, site, latitude, longitude,"
        " commissioned_at, decommissioned_at)"
        " VALUES (%s, 'atm', 'v', 'm', 'r', 's', 0, 0, %s, %s) RETURNING id",
        (f"T{number}", at(life.commissioned), end),
    )
    [(key,)] = await cursor.fetchall()
    async with connection.cursor() as rows:
        await rows.executemany(
            "INSERT INTO terminal_cell VALUES (%s, %s, tstzrange(%s, %s), 'polygon')",
            [(key, *stretch) for stretch in stretches(life.cells)],
        )
        await rows.executemany(
            "INSERT INTO service_interval VALUES (%s, %s, tstzrange(%s, %s))",
            [(key, *stretch) for stretch in stretches(life.states)],
        )


async def measured(
    connection: AsyncConnection[TupleRow],
    fleet: Sequence[Life],
    cell: str,
    window: Window,
) -> tuple[Uptime, Uptime]:
    """The uptime of a cell that lived so: in sum, and with every terminal; nothing is kept."""
    async with connection.transaction(force_rollback=True):
        for number, life in enumerate(fleet):
            await live(connection, number, life)
        return (
            await uptime(connection, EVERYTHING, cell, window, detail=False),
            await uptime(connection, EVERYTHING, cell, window, detail=True),
        )


def check(figures: Figures, line: Line) -> None:
    """The figures are those of counting the microseconds of a line."""
    judged = [state for state in line if state not in OUT_OF_SCOPE]
    unknown = [state for state in judged if state in (None, ServiceState.UNKNOWN)]
    up = [state for state in judged if state in UP]
    assert figures.scope_us == len(judged)
    assert figures.unknown_us == len(unknown)
    assert figures.up_us == len(up)
    assert figures.down_us == len(judged) - len(unknown) - len(up)
    assert figures.up_us + figures.down_us + figures.unknown_us == figures.scope_us
    assert sum(figures.by_state_us.values()) == figures.scope_us
    for state, us in figures.by_state_us.items():
        if state is not ServiceState.UNKNOWN:
            assert us == judged.count(state)


@given(fleet=st.lists(lives, max_size=4), cell=st.sampled_from(FAMILY), ends=windows)
@settings(
    deadline=None,
    max_examples=60,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
def test_the_database_sums_what_counting_finds(
    database: tuple[asyncio.Runner, AsyncConnection[TupleRow]],
    fleet: list[Life],
    cell: str,
    ends: tuple[int, int],
) -> None:
    """Terminals come, move among cells, go, change state, in gaps nothing is recorded.

    For any window the figures of a cell, and of each terminal in it, are those of counting.
    """
    runner, connection = database
    window = Window(at(ends[0]), at(ends[1]), until=at(ends[1]))
    sums, detailed = runner.run(measured(connection, fleet, cell, window))
    counted = {
        f"T{number}": line
        for number, life in enumerate(fleet)
        if (line := life.judged(cell, *ends))
    }
    check(sums, [state for line in counted.values() for state in line])
    assert sums.terminals == detailed.terminals == len(counted)
    assert detailed.detail is not None
    assert [one.terminal for one in detailed.detail] == list(counted)
    for one in detailed.detail:
        check(one, counted[one.terminal])
    assert detailed.model_copy(update={"detail": None}) == sums
