"""What will happen to a terminal, and when."""

from collections.abc import Callable
from heapq import heappop, heappush

Action = Callable[[float], None]


class Agenda:
    """Actions by their time (epoch seconds, to the millisecond); at one time, in order of entry."""

    __slots__ = ("_entered", "_entries")

    def __init__(self) -> None:
        self._entries: list[tuple[float, int, Action]] = []
        self._entered = 0

    @property
    def next_at(self) -> float:
        """When something is due next; infinity when nothing is."""
        return self._entries[0][0] if self._entries else float("inf")

    def enter(self, at: float, action: Action) -> None:
        """Put an action on it; it will be called with the time it was entered for."""
        self._entered += 1
        heappush(self._entries, (round(at, 3), self._entered, action))

    def pop(self, now: float) -> tuple[float, Action] | None:
        """Take the next action off, and its time, if it is due by `now`."""
        if not self._entries or self._entries[0][0] > now:
            return None
        at, _, action = heappop(self._entries)
        return at, action
