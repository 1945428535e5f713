"""A run that was played over a broker into a database, scored by what is stored there."""

from bisect import bisect_left
from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from math import inf
from typing import Any

import psycopg

from fleet import demo
from fleet.db.sql import load
from fleet.rules.catalogue import Catalogue
from fleet.service_state import ServiceState
from fleet.tickets.ticket import State
from simulator.scenario import Scenario, Story
from simulator.truth import Label, Line, Run, Stay
from tellergrid.score.comparison import Score, compare
from tellergrid.score.expectation import World
from tellergrid.score.spans import Span
from tellergrid.stack.errors import StackError
from tellergrid.virtual.run import Played
from tellergrid.virtual.said import Fault, Interval
from tellergrid.virtual.tickets import Raised

_SQL = load("tellergrid.score", "stored")


def score_stored(
    database: psycopg.Connection[Any], truth: list[Line], scenario: Scenario, rules: Catalogue
) -> Score:
    """Score a run by its truth; raises StackError for a truth that is none, or nobody's here."""
    runs = [line for line in truth if isinstance(line, Run)]
    if len(runs) != 1 or runs[0].ends_at is None:
        raise StackError("This is not the truth about one run that has ended.")
    run = runs[0]
    begin, end = run.begins_at, runs[0].ends_at
    codes = sorted({line.terminal for line in truth if isinstance(line, Label | Stay)})
    window: dict[str, object] = {"since": _instant(begin), "until": _instant(end), "codes": codes}
    cells: dict[str, list[str]] = defaultdict(list)
    for code, cell in database.execute(_SQL["members"], window):
        cells[cell].append(code)
    if not cells:
        raise StackError("None of the run's terminals is in this database.")
    absences = _absences(scenario, run, end)
    world = World(run, end, rules, scenario.world(run.rate), absences, cells)
    window["cells"] = sorted(cells)
    played = Played(
        truth=truth,
        faults=[Fault(*row) for row in database.execute(_SQL["faults"], window)],
        tickets=[_ticket(*row) for row in database.execute(_SQL["tickets"], window)],
        intervals=_intervals(database, window),
        counts=_counts(database, window),
        absences=absences,
    )
    return compare(world, played)


def _absences(scenario: Scenario, run: Run, end: float) -> list[Span]:
    """When the scenario had the broker away; whom it picks does not matter to that."""
    story = Story(scenario, demo.grid(1, 1).terminals, run.seed, run.begins_at, run.rate)
    found: list[Span] = []
    for begins_at, ends_at in story.absences():
        if begins_at >= end:
            break
        found.append((begins_at, ends_at))
    return found


def _ticket(
    scope: str,
    subject: str,
    cell: str,
    rule: str,
    item: str,
    created_at: float,
    state: str,
    again: Sequence[float],
    over: Sequence[float],
) -> Raised:
    spans = []
    for since in (created_at, *again):
        place = bisect_left(over, since)
        spans.append((since, over[place] if place < len(over) else inf))
    return Raised(scope, subject, cell, rule, item, created_at, State(state), spans)


def _intervals(
    database: psycopg.Connection[Any], window: Mapping[str, object]
) -> dict[str, list[Interval]]:
    found: dict[str, list[Interval]] = defaultdict(list)
    for code, state, begins_at, ends_at in database.execute(_SQL["intervals"], window):
        found[code].append(Interval(ServiceState(state), begins_at, ends_at))
    return dict(found)


def _counts(database: psycopg.Connection[Any], window: Mapping[str, object]) -> dict[str, int]:
    counts = {}
    for name in ("messages", "quarantined"):
        row = database.execute(_SQL[name], window).fetchone()
        counts[name] = 0 if row is None else int(row[0])
    return counts


def _instant(at: float) -> datetime:
    return datetime.fromtimestamp(at, UTC)
