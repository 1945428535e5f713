"""A course shared out among processes gives what one gives, and they end with who started them."""

import subprocess
import sys
import time

from fleet.rules import catalogue
from simulator.scenario import load
from simulator.virtual import Course
from tellergrid.stack.process import is_same, started_ticks
from tellergrid.virtual.run import play
from tellergrid.virtual.shares import play_all
from tests.machine import PATIENCE_S
from tests.processes import descendants

START = 1_795_392_000.0  # 2026-11-23, midnight UTC
# Plays on and on, and says its first progress.
ENDLESS = f"""
from simulator.scenario import load
from simulator.virtual import Course
from tellergrid.virtual.shares import play_all
course = Course(load("everyday"), 40, {START}, 3650 * 86400.0, cells=4)
play_all(course, lambda share: print(share, flush=True), 2)
"""


def test_two_processes_give_what_one_gives() -> None:
    """Faults, tickets and intervals: nothing depends on who played which region."""
    course = Course(load("everyday"), 40, START, 6 * 3600.0, cells=4)
    shares: list[float] = []
    together = play_all(course, shares.append, 2)
    alone = play(course, catalogue.load(), course.grid().regions, lambda _: None)
    assert shares
    assert together.intervals == alone.intervals
    assert together.counts == alone.counts
    assert {each.id for each in together.faults} == {each.id for each in alone.faults}
    assert len(together.tickets) == len(alone.tickets)
    assert alone.faults


def test_they_end_with_who_started_them() -> None:
    """kill -9 leaves the parent no time to end its processes: they notice by themselves."""
    parent = subprocess.Popen([sys.executable, "-c", ENDLESS], stdout=subprocess.PIPE)
    with parent:
        assert parent.stdout is not None
        assert parent.stdout.readline()
        children = {pid: started_ticks(pid) for pid in descendants(parent.pid)}
        parent.kill()
    assert len(children) >= 2
    deadline = time.monotonic() + PATIENCE_S
    while any(ticks is not None and is_same(pid, ticks) for pid, ticks in children.items()):
        assert time.monotonic() < deadline, "they compute on"
        time.sleep(0.05)
