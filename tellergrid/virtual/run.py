"""A course played to its end: in one process, or its regions shared out among several."""

import gc
import multiprocessing
import os
from collections import Counter
from collections.abc import Callable, Iterable
from concurrent.futures import ProcessPoolExecutor
from queue import Queue

import msgspec

from fleet.demo import DemoGrid
from fleet.rules import catalogue
from fleet.rules.catalogue import Catalogue
from simulator.truth import Line
from simulator.virtual import Course, VirtualFleet
from simulator.wire import Arrived
from tellergrid.virtual.region import VirtualRegion
from tellergrid.virtual.said import Fault, Interval
from tellergrid.virtual.tickets import Raised

Progress = Callable[[float], None]
_PROGRESS_EVERY_S = 3600.0
# What a fleet is made of lives to the end: looking for garbage among it costs a sixth of the time.
_SELDOM = (100_000, 50, 1_000)


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


def play_all(course: Course, progress: Progress, processes: int | None = None) -> Played:
    """Play a whole course, its regions shared out among the processors."""
    grid = course.grid()
    count = min(processes or os.cpu_count() or 1, len(grid.regions))
    if count == 1:
        return play(course, catalogue.load(), grid.regions, progress)
    shares = shared_out(grid, count)
    done = [0.0] * len(shares)
    with (
        multiprocessing.Manager() as manager,
        ProcessPoolExecutor(count, multiprocessing.get_context("spawn")) as pool,
    ):
        told: Queue[tuple[int, float]] = manager.Queue()
        playing = [
            pool.submit(_play_share, course, share, number, told)
            for number, share in enumerate(shares)
        ]
        while min(done) < 1:
            number, share = told.get()
            done[number] = share
            progress(sum(done) / len(done))
        return merged(future.result() for future in playing)


def merged(parts: Iterable[Played]) -> Played:
    """What came of the shares of one course, together."""
    parts = sorted(parts, key=lambda part: min(part.intervals, default=""))
    counts: Counter[str] = Counter()
    for part in parts:
        counts.update(part.counts)
    head, *_ = parts
    return Played(
        truth=[head.truth[0], *(line for part in parts for line in part.truth[1:])],
        faults=[each for part in parts for each in part.faults],
        tickets=[each for part in parts for each in part.tickets],
        intervals={code: each for part in parts for code, each in part.intervals.items()},
        counts=dict(counts),
        absences=head.absences,
    )


def shared_out(grid: DemoGrid, count: int) -> list[list[str]]:
    """The regions in so many shares of about as many terminals each."""
    sizes = Counter(terminal.region for terminal in grid.terminals)
    shares: list[list[str]] = [[] for _ in range(count)]
    loads = [0] * count
    for region, size in sizes.most_common():
        lightest = loads.index(min(loads))
        shares[lightest].append(region)
        loads[lightest] += size
    return [share for share in shares if share]


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


def _play_share(
    course: Course, regions: list[str], number: int, told: "Queue[tuple[int, float]]"
) -> Played:
    gc.set_threshold(*_SELDOM)
    try:
        return play(course, catalogue.load(), regions, lambda share: told.put((number, share)))
    finally:
        told.put((number, 1.0))


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
