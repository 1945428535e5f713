"""How far each terminal's clock is off, from when its messages arrive. Pure: time is handed in.

A message arrives after it was said: by how much longer than the line takes is not known, for it may
have waited in a queue. So the quickest of many says the most. Rules:

- `ts − arrival` of a message is the least that the clock is ahead (where positive) or the most that
  it is behind (where negative). The greatest of an hour is taken as the skew.
- A message quicker than that shows a clock that is further ahead: it is taken at once. A slower one
  counts when the hour is over.
- Only changes of more than a second are written down: what is less is the line.

What follows from a skew: a time ahead of its arrival is judged as of its arrival; a clock that is
behind keeps its own pace, and its holds count in it (`fleet.rules.terminal`). More than an hour
ahead or thirty days behind is no skew but nonsense, and quarantined (`fleet.telemetry`). Both times
are stored as they came.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import islice

WINDOW = timedelta(hours=1)
STEP_US = 1_000_000
BOUNDS_S = (5, 60, 600)
"""By how much a clock may be off, in either direction, to be counted as off."""


@dataclass(slots=True)
class _Clock:
    skew_us: int
    best_us: int
    since: datetime


class Skews:
    """The clocks of a region's terminals, by id."""

    def __init__(self, stored: Mapping[int, int], now: datetime) -> None:
        self._clocks = {each: _Clock(skew, skew, now) for each, skew in stored.items()}
        self.changed: dict[int, int] = {}
        """What is to be written down; `take` takes it out."""
        self.off = dict.fromkeys(BOUNDS_S, 0)
        """How many clocks are off by more than each bound."""
        for skew in stored.values():
            self._count(skew, 1)

    def take(self, most: int) -> dict[int, int]:
        """Some of what is to be written down. Whoever cannot write it begins anew anyway."""
        taken = dict(islice(self.changed.items(), most))
        for terminal_id in taken:
            del self.changed[terminal_id]
        return taken

    def note(self, quickest_us: Mapping[int, int], now: datetime) -> None:
        """Take in the greatest `ts − arrival` of a batch, microseconds by terminal."""
        clocks, over = self._clocks, now - WINDOW
        for terminal_id, measured in quickest_us.items():
            clock = clocks.get(terminal_id)
            if clock is None:
                clocks[terminal_id] = _Clock(measured, measured, now)
                self.changed[terminal_id] = measured
                self._count(measured, 1)
                continue
            if measured > clock.best_us:
                clock.best_us = measured
            if measured > clock.skew_us + STEP_US:
                self._take(terminal_id, clock, now)
            elif clock.since <= over:
                if abs(clock.best_us - clock.skew_us) > STEP_US:
                    self._take(terminal_id, clock, now)
                clock.best_us, clock.since = measured, now

    def forget(self, terminal_id: int) -> None:
        """It is gone, and its clock with it."""
        if (clock := self._clocks.pop(terminal_id, None)) is not None:
            self._count(clock.skew_us, -1)
            self.changed.pop(terminal_id, None)

    def _take(self, terminal_id: int, clock: _Clock, now: datetime) -> None:
        self._count(clock.skew_us, -1)
        self._count(clock.best_us, 1)
        clock.skew_us, clock.since = clock.best_us, now
        self.changed[terminal_id] = clock.skew_us

    def _count(self, skew_us: int, by: int) -> None:
        for bound_s in BOUNDS_S:
            if abs(skew_us) > bound_s * 1_000_000:
                self.off[bound_s] += by
