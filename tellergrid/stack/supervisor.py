"""Keeps the parts running: starts them in order, starts again what dies, stops in reverse."""

import signal
import subprocess
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime

from tellergrid.stack import process
from tellergrid.stack.errors import StackError
from tellergrid.stack.parts import Part
from tellergrid.stack.record import Running

_FIRST_WAIT_S = 0.5
_LONGEST_WAIT_S = 30.0
_STEADY_S = 60.0  # who ran this long is not in a loop of dying: its next wait is the first again
_LOOK_EVERY_S = 0.2

Journal = Callable[..., object]


@dataclass(slots=True)
class _Child:
    part: Part
    process: "subprocess.Popen[bytes]"
    started: float
    wait_s: float = _FIRST_WAIT_S
    due: float | None = field(default=None)


class Supervisor:
    """The parts and their fates. All methods are called from the main thread.

    `journal` is told of every event, as a name and fields; `changed` after each start, with all
    processes, so that they are recorded.
    """

    def __init__(self, journal: Journal, changed: Callable[[dict[str, Running]], None]) -> None:
        self._journal = journal
        self._changed = changed
        self._children: dict[str, _Child] = {}
        self._asked_to_stop = threading.Event()
        self._starting = True

    def listen(self) -> None:
        """Let SIGTERM, SIGINT and SIGHUP end `watch`; while parts start, they interrupt that."""
        for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
            signal.signal(number, self._interrupt)

    def start(self, part: Part) -> None:
        """Start a part and return once it is ready."""
        part.before()
        child = _Child(part, process.start(part.program, part.log), time.monotonic())
        self._children[part.name] = child
        self._tell("started", child)
        part.ready(child.process)

    def all_started(self) -> None:
        """From now on a signal interrupts nothing: `watch` ends, at once if it is yet to begin."""
        self._starting = False

    def watch(self) -> None:
        """Start again what dies, until asked to stop."""
        while not self._asked_to_stop.wait(_LOOK_EVERY_S):
            for child in self._children.values():
                self._look_after(child)

    def stop(self) -> None:
        """Stop every part, the last started first; a second request does not cut it short."""
        self._starting = False
        for child in reversed(self._children.values()):
            process.stop(child.process, child.part.program.stop_signal)
            self._journal("stopped", part=child.part.name)
        self._children.clear()

    def _look_after(self, child: _Child) -> None:
        status = child.process.poll()
        if status is None:
            return
        now = time.monotonic()
        if child.due is None:
            if now - child.started >= _STEADY_S:
                child.wait_s = _FIRST_WAIT_S
            child.due = now + child.wait_s
            self._journal(
                "died", part=child.part.name, status=status, starting_again_in_s=child.wait_s
            )
            child.wait_s = min(child.wait_s * 2, _LONGEST_WAIT_S)
        elif now >= child.due:
            self._start_again(child, now)

    def _start_again(self, child: _Child, now: float) -> None:
        try:
            child.part.before()
            child.process = process.start(child.part.program, child.part.log)
        except (OSError, StackError) as problem:
            child.due = now + child.wait_s
            child.wait_s = min(child.wait_s * 2, _LONGEST_WAIT_S)
            self._journal("did not start", part=child.part.name, problem=str(problem))
            return
        child.started, child.due = now, None
        self._tell("started again", child)

    def _tell(self, event: str, child: _Child) -> None:
        self._journal(event, part=child.part.name, pid=child.process.pid)
        self._changed(
            {
                name: running
                for name, child in self._children.items()
                if (running := describe(child.process.pid)) is not None
            }
        )

    def _interrupt(self, _number: int, _frame: object) -> None:
        if self._starting:
            raise KeyboardInterrupt
        self._asked_to_stop.set()


def describe(pid: int) -> Running | None:
    """Describe a living process so that it is recognised later, or None when it is gone."""
    ticks = process.started_ticks(pid)
    if ticks is None:
        return None
    return Running(pid, datetime.now(UTC).isoformat(timespec="seconds"), ticks)
