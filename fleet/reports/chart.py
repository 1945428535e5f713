"""The chart of a cell's month: the time lost on each day, stacked by state.

Pictures of availability hide what they are about: 99 % and 98 % look alike, and one is twice as
bad. So what is drawn is the time in which a terminal was not in service or degraded, and the time
of which nothing is known, in hours, summed over the cell's terminals.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from math import ceil

from fleet.reports.monthly import Figures
from fleet.service_state import ServiceState

COLOURS = {
    ServiceState.CASH_OUT: "#e0a030",
    ServiceState.OUT_OF_SERVICE: "#c0392b",
    ServiceState.SUPERVISOR: "#7d6bb0",
    ServiceState.OFFLINE: "#5d6d7e",
    ServiceState.UNKNOWN: "#cfd4d8",
}
"""What is lost, from the bottom of a bar upwards."""

HOUR_US = 3_600_000_000


@dataclass(frozen=True, slots=True)
class Piece:
    """A part of a bar, in shares of the chart: from its left and from its bottom."""

    day: int
    state: ServiceState
    left: float
    width: float
    bottom: float
    height: float


def top_h(days: Sequence[Figures]) -> int:
    """How many hours the chart is high: enough for the worst day, whole."""
    worst = max((_lost_us(day) for day in days), default=0)
    return max(1, ceil(worst / HOUR_US))


def pieces(days: Sequence[Figures]) -> Iterator[Piece]:
    """The bars, a day each; what lasted no time is not drawn."""
    high = top_h(days) * HOUR_US
    wide = 1 / max(1, len(days))
    for number, day in enumerate(days):
        below = 0
        for state in COLOURS:
            us = day.by_state_us.get(state, 0)
            if us:
                yield Piece(number + 1, state, number * wide, wide * 0.8, below / high, us / high)
            below += us


def _lost_us(day: Figures) -> int:
    return sum(day.by_state_us.get(state, 0) for state in COLOURS)
