"""The timers of the engine: a heap of what to look at again, and when by our own clock.

An entry is a reminder, never the truth: whoever takes it looks at the hold itself and may put it
back. So nothing needs to be cancelled, and after a restart the heap is made again from the holds.
"""

import heapq
from datetime import datetime
from enum import IntEnum
from typing import NamedTuple


class Turn(IntEnum):
    """The order of what falls due together: what waits no longer for messages that are missing,
    who has not come back, who is silent, what is counted no more, then the cells, then their
    members.

    A cell is decided before any member's own fault, so that the members are not alarmed singly.
    """

    KEPT = 0
    RETURN = 1
    SILENCE = 2
    COUNT = 3
    CELL = 4
    HOLD = 5


class Timer(NamedTuple):
    """A reminder: `subject` is a terminal's code or a cell's."""

    due: datetime
    turn: Turn
    subject: str
    rule: str
    item: str = ""


class Timers:
    """A heap of reminders."""

    __slots__ = ("_heap",)

    def __init__(self) -> None:
        self._heap: list[Timer] = []

    def put(self, timer: Timer) -> None:
        """Remember a timer."""
        heapq.heappush(self._heap, timer)

    @property
    def next_due(self) -> datetime | None:
        """When the next one is due."""
        return self._heap[0].due if self._heap else None

    def is_due(self, now: datetime) -> bool:
        """Whether anything is due by `now`."""
        heap = self._heap
        return bool(heap) and heap[0][0] <= now

    def take(self, now: datetime) -> list[Timer]:
        """What is due by `now`, taken out: in order of turn, then of time."""
        heap = self._heap
        if not heap or heap[0].due > now:  # as nearly always
            return []
        due = [heapq.heappop(heap)]
        while heap and heap[0].due <= now:
            due.append(heapq.heappop(heap))
        if len(due) > 1:
            due.sort(key=lambda timer: (timer.turn, timer))
        return due

    def __len__(self) -> int:
        return len(self._heap)
