"""The collector's clock: the time of day, and never backwards.

A clock that is set back would make new messages seem older than what is stored, and holds would
stand still until it has caught up. So from the last reading on time passes at the pace of a
monotonic clock, until the time of day is ahead of it again. A clock that leaps ahead is followed:
the leap is a time in which we saw nothing (`collector.sight`).
"""

import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta


def time_of_day() -> datetime:
    """What the machine says."""
    return datetime.now(UTC)


class SteadyClock:
    """Callable; both clocks are handed in."""

    def __init__(
        self,
        wall: Callable[[], datetime] | None = None,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._wall = wall or time_of_day
        self._monotonic = monotonic
        self._last = self._wall()
        self._at = monotonic()

    def __call__(self) -> datetime:
        """The time now."""
        at = self._monotonic()
        steady = self._last + timedelta(seconds=at - self._at)
        self._last, self._at = max(self._wall(), steady), at
        return self._last
