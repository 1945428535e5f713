"""Reads how long members of each part were in each state, and makes the figures of it."""

import asyncio
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from psycopg import AsyncConnection, AsyncCursor
from psycopg.rows import TupleRow, class_row, dict_row

from api.cells.schemas import Figures
from api.errors import NotFound
from api.scope import Scope
from api.uptime.schemas import By, Outage, Slice
from api.window import Window
from fleet.availability import Availability, availability, error_budget, total
from fleet.db.sql import load
from fleet.service_state import OUT_OF_SCOPE, UP, ServiceState
from fleet.tiles import Grain, Summed, tiles

MOST_BUCKETS = 1_000  # of one question
DOWN = frozenset(ServiceState) - OUT_OF_SCOPE - UP - {ServiceState.UNKNOWN}
NO_CAUSE = "none"
_OF_CELLS = frozenset({By.FLEET, By.LEVEL, By.CELL})  # what hours are summed of, not terminals
_AT_ONCE = 50  # there may be thousands: others are served in between

_SQL = load("api.uptime", "figures")
_EXISTS = load("api.cells", "uptime")["cell_exists"]


@dataclass(frozen=True, slots=True)
class Question:
    """What is asked: figures of what, within which cell, in which buckets, in order of time.

    `level` is that of the parts when they are by level; `target` is of operational availability.
    Not `from_sums`, the intervals alone are read: the answer is the same.
    """

    by: By
    cuts: Sequence[tuple[datetime, datetime]]
    cell: str | None = None
    level: int = 0
    target: float | None = None
    from_sums: bool = True


@dataclass(frozen=True, slots=True)
class _Row:
    """A row of `durations`."""

    part: str
    number: int
    state: str | None
    cause: str | None
    terminals: int
    outages: int
    us: int


async def slices(
    connection: AsyncConnection[TupleRow],
    scope: Scope,
    question: Question,
    components: Mapping[str, str],
) -> list[Slice]:
    """The figures of every part that had members, bucket by bucket.

    `components` says of a rule what it is about. A cell that is not there has no parts.
    """
    cuts = question.cuts
    if not cuts:
        return []
    summed = await _summed(connection, question.by) if question.from_sums else None
    finest = Grain.HOUR if question.by in _OF_CELLS else Grain.DAY
    laid = [
        (number, tile)
        for number, (begin, end) in enumerate(cuts, 1)
        for tile in tiles(begin, end, summed, finest)
    ]
    parameters = {
        "tile_numbers": [number for number, _ in laid],
        "tile_grains": [tile.grain.value for _, tile in laid],
        "tile_begins": [tile.begin for _, tile in laid],
        "tile_untils": [tile.end for _, tile in laid],
        "by": question.by.value,
        "cell": question.cell,
        "level": question.level,
        "begin": cuts[0][0],
        "until": cuts[-1][1],
        "begins": [begin for begin, _ in cuts],
        "untils": [until for _, until in cuts],
        "down": sorted(DOWN),
        "scope": scope.parameter,
    }
    async with connection.cursor(row_factory=class_row(_Row)) as cursor:
        await cursor.execute(_SQL["durations"], parameters)
        grouped = await _grouped(cursor)
    made: list[Slice] = []
    for (part, number), found in sorted(grouped.items()):
        made.append(_slice(part, cuts[number - 1], found, components, question.target))
        if len(made) % _AT_ONCE == 0:
            await asyncio.sleep(0)
    return made


async def most_slices(
    connection: AsyncConnection[TupleRow], scope: Scope, question: Question
) -> int:
    """How many slices the answer has at the most, where that can be many; 0 where it cannot."""
    cuts = question.cuts
    if len(cuts) <= 1:
        return 0
    parameters = {
        "by": question.by.value,
        "cell": question.cell,
        "level": question.level,
        "begin": cuts[0][0],
        "until": cuts[-1][1],
        "scope": scope.parameter,
    }
    [(parts,)] = await (await connection.execute(_SQL["parts"], parameters)).fetchall()
    return (parts or 0) * len(cuts)


async def _grouped(cursor: AsyncCursor[_Row]) -> dict[tuple[str, int], list[_Row]]:
    """Rows by part and bucket."""
    grouped: dict[tuple[str, int], list[_Row]] = {}
    while rows := await cursor.fetchmany(_AT_ONCE):
        for row in rows:
            grouped.setdefault((row.part, row.number), []).append(row)
        await asyncio.sleep(0)
    return grouped


@dataclass(frozen=True, slots=True)
class OfCell:
    """How available the members of a cell and of all below it were, and how many there were."""

    availability: Availability
    terminals: int


class _Assumed:
    """What sums there were when a cell was last asked about: the next answer says if that holds."""

    summed: Summed | None = None


_assumed = _Assumed()


async def of_cell(
    connection: AsyncConnection[TupleRow], scope: Scope, cell: str, window: Window
) -> OfCell:
    """The figures of one cell over a window, as `slices` has them; raises `NotFound`.

    In one statement, but for once an hour, when there are more sums than were known of.
    """
    if window.begin >= window.until:
        await existing(connection, scope, cell)
        return OfCell(total(()), 0)
    summed = _assumed.summed or await _summed(connection, By.CELL)
    while True:
        whole, recorded = await _durations(connection, scope, cell, window, summed)
        terminals, members, there, *sums = whole
        if not there:
            raise NotFound("cell", cell)
        assumed, summed = summed, _told(sums)
        if summed == assumed:
            _assumed.summed = summed
            return OfCell(availability(members, recorded), terminals)


async def _durations(
    connection: AsyncConnection[TupleRow],
    scope: Scope,
    cell: str,
    window: Window,
    summed: Summed | None,
) -> tuple[Sequence[Any], dict[ServiceState, int]]:
    """What `of_cell` says with no state and by state, its tiles laid by those sums."""
    laid = list(tiles(window.begin, window.until, summed, Grain.HOUR))
    parameters = {
        "cell": cell,
        "begin": window.begin,
        "until": window.until,
        "tile_grains": _array(tile.grain for tile in laid),
        "tile_begins": _array(tile.begin.isoformat() for tile in laid),
        "tile_untils": _array(tile.end.isoformat() for tile in laid),
        "scope": scope.parameter,
    }
    rows = await (await connection.execute(_SQL["of_cell"], parameters)).fetchall()
    [whole] = [rest for state, *rest in rows if state is None]
    return whole, {ServiceState(state): us for state, _, us, *_ in rows if state is not None}


def _array(values: Iterable[str]) -> str:
    """An array as PostgreSQL reads it, of what needs no quotes; the driver looks at none of it."""
    return f"{{{','.join(values)}}}"


async def _summed(connection: AsyncConnection[TupleRow], by: By) -> Summed | None:
    asked = {"terminals": by not in _OF_CELLS}
    row = await (await connection.execute(_SQL["summed"], asked)).fetchone()
    return None if row is None else _told(row)


def _told(row: Sequence[Any]) -> Summed | None:
    """What a row says of sums, if there are any."""
    begins_at, summed_to, zone, hours_from = row
    return None if zone is None else Summed(begins_at, summed_to, ZoneInfo(zone), hours_from)


async def outages(
    connection: AsyncConnection[TupleRow], scope: Scope, cell: str, window: Window, rows: int
) -> list[Outage]:
    """The outages of a cell with all that was below it; raises `NotFound`."""
    await existing(connection, scope, cell)
    parameters = {
        "cell": cell,
        "begin": window.begin,
        "until": window.until,
        "down": sorted(DOWN),
        "scope": scope.parameter,
        "rows": rows,
    }
    async with connection.cursor(row_factory=dict_row) as cursor:
        await cursor.execute(_SQL["outages"], parameters)
        return [Outage.model_validate(row) for row in await cursor.fetchall()]


async def existing(connection: AsyncConnection[TupleRow], scope: Scope, cell: str) -> None:
    """Raise `NotFound` where a cell is not there for the caller."""
    parameters = {"cell": cell, "scope": scope.parameter}
    if await (await connection.execute(_EXISTS, parameters)).fetchone() != (True,):
        raise NotFound("cell", cell)


def _slice(
    part: str,
    cut: tuple[datetime, datetime],
    rows: Iterable[_Row],
    components: Mapping[str, str],
    target: float | None,
) -> Slice:
    recorded: Counter[ServiceState] = Counter()
    causes: Counter[str] = Counter()
    members = terminals = outages = longest = 0
    for row in rows:
        if row.state is None:
            members, terminals = row.us, row.terminals
        elif row.state == "longest":
            longest = row.us
        else:
            state = ServiceState(row.state)
            recorded[state] += row.us
            outages += row.outages
            if state in DOWN:
                causes[row.cause or NO_CAUSE] += row.us
    known = availability(members, recorded)
    by_component: Counter[str] = Counter()
    for cause, us in causes.items():
        by_component[components.get(cause, NO_CAUSE)] += us
    budget = None if target is None else error_budget(known, target)
    return Slice(
        **Figures.of(known).model_dump(),
        part=part,
        begin=cut[0],
        end=cut[1],
        terminals=terminals,
        outages=outages,
        longest_outage_us=longest,
        mtbf_us=known.up_us // outages if outages else None,
        mttr_us=known.down_us // outages if outages else None,
        cash_out_us=recorded[ServiceState.CASH_OUT],
        down_by_cause_us=dict(causes),
        down_by_component_us=dict(by_component),
        budget_us=budget,
        budget_left_us=None if budget is None else budget - known.down_us,
    )
