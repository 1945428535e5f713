"""A course played to its end: its messages, judged region by region."""

from collections import Counter
from collections.abc import Callable, Iterable

import msgspec

from fleet.demo import DemoGrid
from fleet.rules.catalogue import Catalogue
from simulator.truth import Line
from simulator.virtual import Course, VirtualFleet
from simulator.wire import Arrived
from tellergrid.virtual.region import VirtualRegion
from tellergrid.virtual.said import Fault, Interval
from tellergrid.virtual.tickets import Raised

Progress = Callable[[float], None]
_PROGRESS_EVERY_S = 3600.0


class Played(msgspec.Struct):
    """What came of a course: the truth, and what the system said; intervals by terminal."""

    truth: list[Line]
    faults: list[Fault]
    tickets: list[Raised]
    intervals: dict[str, list[Interval]]
    counts: dict[str, int]
    absences: list[tuple[float, float]]


def play(course: Course, rules: Catalogue, regions: Iterable[str], progress: Progress) -> Played:
    """Play some regions of a course, here and now; `progress` is told the share that is done."""
    grid = course.grid()
    wanted = sorted(regions)
    fleet = VirtualFleet(course, wanted)
    above = ancestors(grid)
    judges = {
        name: VirtualRegion(
            name,
            {n: each for n, each in fleet.terminals.items() if each.region == name},
            above,
            rules,
            course.start,
        )
        for name in wanted
    }
    of = {number: judges[each.region] for number, each in fleet.terminals.items()}
    told = course.start
    was_away = False
    for until, arrived, away in fleet.steps():
        if away is not was_away:
            was_away = away
            for judge in judges.values():
                judge.watch(None if away else until)
        _judge(arrived, of)
        for judge in judges.values():
            judge.settle(until, fleet)
        if until - told >= _PROGRESS_EVERY_S:
            told = until
            progress((until - course.start) / course.lasts_s)
    return _played(fleet, judges.values())


def ancestors(grid: DemoGrid) -> dict[str, tuple[str, ...]]:
    """The cells above each cell, the nearest first."""
    parents = {cell.code: cell.parent for cell in grid.cells}
    found: dict[str, tuple[str, ...]] = {}
    for code, parent in parents.items():
        above: list[str] = []
        at = parent
        while at is not None:
            above.append(at)
            at = parents[at]
        found[code] = tuple(above)
    return found


def _judge(arrived: list[Arrived], of: dict[int, VirtualRegion]) -> None:
    for each in arrived:
        of[each.terminal].take(each)


def _played(fleet: VirtualFleet, judges: Iterable[VirtualRegion]) -> Played:
    counts: Counter[str] = Counter()
    faults: list[Fault] = []
    tickets: list[Raised] = []
    intervals: dict[str, list[Interval]] = {}
    for judge in judges:
        counts.update(judge.counts)
        counts["missing"] += judge.missing
        faults += judge.said.faults.values()
        tickets += judge.tickets.raised
        for number, found in judge.said.intervals.items():
            intervals[fleet.terminals[number].code] = found
    return Played(fleet.told(), faults, tickets, intervals, dict(counts), fleet.absences())
