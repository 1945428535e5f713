"""Processes are told apart, tied to their parent, and ended without touching another's."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

from tellergrid.stack import process
from tellergrid.stack.process import Program, end, is_same, started_ticks
from tests.machine import PATIENCE_S

SLEEP = ("/bin/sleep", "600")
# Starts a child on a leash, says its number, and waits to be killed.
PARENT = """
import pathlib, sys, time
from tellergrid.stack import process
child = process.start(process.Program("child", tuple(sys.argv[2:])), pathlib.Path(sys.argv[1]))
print(child.pid, flush=True)
time.sleep(600)
"""


def eventually(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + PATIENCE_S
    while not condition():
        assert time.monotonic() < deadline, "it did not come true"
        time.sleep(0.01)


def test_a_child_ends_when_its_parent_is_killed(tmp_path: Path) -> None:
    """kill -9 leaves the parent no time for anything: the kernel tells the child."""
    parent = subprocess.Popen(
        [sys.executable, "-c", PARENT, tmp_path / "log", *SLEEP], stdout=subprocess.PIPE
    )
    with parent:
        assert parent.stdout is not None
        child = int(parent.stdout.readline())
        eventually(lambda: b"sleep" in Path(f"/proc/{child}/cmdline").read_bytes())
        ticks = started_ticks(child)
        assert ticks is not None
        parent.kill()
    eventually(lambda: not is_same(child, ticks))


def test_what_a_child_prints_is_in_its_log(tmp_path: Path) -> None:
    """Also when it is started a second time: the log is appended to."""
    log = tmp_path / "log"
    for _ in range(2):
        process.start(Program("echo", ("/bin/echo", "hello")), log).wait()
    assert log.read_text() == "hello\nhello\n"


def test_a_stubborn_child_is_killed_in_the_end(tmp_path: Path) -> None:
    """It ignores the polite signal; the stack must stop all the same."""
    script = "trap '' TERM; echo ready; while :; do sleep 1; done"
    log = tmp_path / "log"
    child = process.start(Program("stubborn", ("/bin/sh", "-c", script)), log)
    eventually(lambda: log.read_text() == "ready\n")
    process.stop(child, signal.SIGTERM, patience_s=0.2)
    assert child.returncode == -signal.SIGKILL


def test_a_process_that_got_the_number_of_another_is_left_alone(tmp_path: Path) -> None:
    """The record is of a process that ended long ago; a bystander has its number now."""
    bystander = process.start(Program("bystander", SLEEP), tmp_path / "log")
    ticks = started_ticks(bystander.pid)
    assert ticks is not None
    assert not end(bystander.pid, ticks - 1, signal.SIGTERM)
    assert bystander.poll() is None
    assert end(bystander.pid, ticks, signal.SIGTERM)
    assert bystander.wait() == -signal.SIGTERM


def test_a_process_that_ended_and_was_not_waited_for_is_gone(tmp_path: Path) -> None:
    """A zombie still has its number and its start time."""
    child = process.start(Program("short", ("/bin/true",)), tmp_path / "log")
    eventually(lambda: started_ticks(child.pid) is None)
    child.wait()


def test_a_process_is_the_same_as_itself() -> None:
    """And its name, which may hold blanks and parentheses, does not confuse the reading."""
    ticks = started_ticks(os.getpid())
    assert ticks is not None
    assert is_same(os.getpid(), ticks)
    assert started_ticks(2**22 + 1) is None
