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

from fleet.rules import catalogue
from fleet.rules.catalogue import Catalogue
from simulator.virtual import Course
from tellergrid.virtual.run import Played, Progress, play

if TYPE_CHECKING:
    _Told = Queue[tuple[str, float]]
# What a fleet is made of lives to the end: looking for garbage among it costs a sixth of the time.
_SELDOM = (100_000, 50, 1_000)
_LOOK_EVERY_S = 0.1
# In a process that plays regions: where it says how far it is, and by which rules it judges.
_told: "_Told"
_rules: Catalogue


def play_all(course: Course, progress: Progress, processes: int | None = None) -> Played:
    """Play a whole course on all processors.

    One region after another: a fleet of thousands at once would be read from memory again and
    again, a region stays in the processor's cache.
    """
    sizes = Counter(terminal.region for terminal in course.grid().terminals)
    regions = [region for region, _ in sizes.most_common()]  # the largest first: all end together
    done = dict.fromkeys(regions, 0.0)
    spawn = multiprocessing.get_context("spawn")
    told: _Told = spawn.Queue()
    with ProcessPoolExecutor(processes, spawn, _begin, (told,)) as pool:
        playing = [pool.submit(_play_region, course, region) for region in regions]
        while not all(each.done() for each in playing):
            with suppress(Empty):
                region, done[region] = told.get(timeout=_LOOK_EVERY_S)
                progress(sum(done[each] * sizes[each] for each in regions) / sizes.total())
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


def _begin(told: "_Told") -> None:
    """What a process does before it plays."""
    global _told, _rules
    _told, _rules = told, catalogue.load()
    gc.set_threshold(*_SELDOM)
    Thread(target=_end_with_parent, daemon=True).start()


def _end_with_parent() -> None:
    parent = multiprocessing.parent_process()
    if parent is not None:
        connection.wait([parent.sentinel])
        os._exit(1)


def _play_region(course: Course, region: str) -> Played:
    played = play(course, _rules, [region], lambda share: _told.put((region, share)))
    _told.put((region, 1.0))
    return played
