"""A course shared out among processes, region by region, and what came of it put together.

The processes end with the one that started them, also when that is killed.
"""

import gc
import multiprocessing
import os
from collections import Counter
from collections.abc import Iterable
from concurrent.futures import ProcessPoolExecutor
from contextlib import suppress
from multiprocessing import connection
from multiprocessing.queues import Queue
from queue import Empty
from threading import Thread
from typing import TYPE_CHECKING

from fleet.demo import DemoGrid
from fleet.rules import catalogue
from simulator.virtual import Course
from tellergrid.virtual.run import Played, Progress, play

if TYPE_CHECKING:
    _Told = Queue[tuple[int, float]]
# What a fleet is made of lives to the end: looking for garbage among it costs a sixth of the time.
_SELDOM = (100_000, 50, 1_000)
_LOOK_EVERY_S = 0.1
_told: "_Told"
"""In a process that plays a share: where it says how far it is."""


def play_all(course: Course, progress: Progress, processes: int | None = None) -> Played:
    """Play a whole course, its regions shared out among the processors."""
    grid = course.grid()
    count = min(processes or os.cpu_count() or 1, len(grid.regions))
    if count == 1:
        return play(course, catalogue.load(), grid.regions, progress)
    shares = shared_out(grid, count)
    done = [0.0] * len(shares)
    spawn = multiprocessing.get_context("spawn")
    told: _Told = spawn.Queue()
    with ProcessPoolExecutor(count, spawn, _begin, (told,)) as pool:
        playing = [
            pool.submit(_play_share, course, share, number) for number, share in enumerate(shares)
        ]
        while not all(each.done() for each in playing):
            with suppress(Empty):
                number, done[number] = told.get(timeout=_LOOK_EVERY_S)
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


def _begin(told: "_Told") -> None:
    """What a process does before it plays."""
    global _told  # noqa: PLW0603 - how a pool hands its processes what cannot be pickled later
    _told = told
    gc.set_threshold(*_SELDOM)
    Thread(target=_end_with_parent, daemon=True).start()


def _end_with_parent() -> None:
    parent = multiprocessing.parent_process()
    if parent is not None:
        connection.wait([parent.sentinel])
        os._exit(1)


def _play_share(course: Course, regions: list[str], number: int) -> Played:
    return play(course, catalogue.load(), regions, lambda share: _told.put((number, share)))
