"""Flapping: whether a fault goes to and fro. Its last twenty transitions say so, the newest most.

The score is that of Nagios Core (`base/flapping.c`): the state changes among the last twenty
places, each weighted, over twenty; the weights rise in a line from 0.75 for the oldest to 1.25 for
the newest. Nagios takes a place at each check. Here nothing is checked by the clock: a place is a
transition, and it counts while it is no older than `within`, in the subject's time. So the score
depends only on how many transitions are recent, and the moment when it falls below the low
threshold is exact: it can be told beforehand, and waited for across restarts.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cache

PLACES = 20
_OLDEST, _NEWEST = 0.75, 1.25


@cache
def score(recent: int) -> float:
    """The weighted share, 0 to 1, when so many of the newest places hold a transition."""
    step = (_NEWEST - _OLDEST) / (PLACES - 1)
    return sum(_NEWEST - step * place for place in range(min(recent, PLACES))) / PLACES


@cache
def _most_below(low: float) -> int:
    """With how many recent transitions a fault may be left and flap no more."""
    return max(n for n in range(PLACES) if score(n) < low)


@dataclass(frozen=True, slots=True)
class Flapping:
    """When a rule's fault is said to flap: from `high` on, until the score is below `low`."""

    high: float = 0.3
    low: float = 0.15
    within: timedelta = timedelta(minutes=30)

    def begins(self, transitions: "Transitions", at: datetime) -> bool:
        """Whether the score has reached the high threshold."""
        recent = sum(at - time < self.within for time in transitions.times)
        return score(recent) >= self.high

    def ends_at(self, transitions: "Transitions") -> datetime:
        """When the score falls below the low threshold, if nothing more happens."""
        kept = _most_below(self.low)
        times = transitions.times
        # The oldest go first. Fewer than would do are left when the thresholds were changed.
        return times[-kept - 1] + self.within if len(times) > kept else times[-1]


@dataclass(slots=True)
class Transitions:
    """The last twenty transitions of a fault, in event time; `raised` by the newest of them."""

    times: tuple[datetime, ...] = ()
    raised: bool = False

    def note(self, at: datetime, *, raised: bool) -> bool:
        """Note a transition; False where it is none: what was unknown meanwhile has not changed."""
        if self.times and raised is self.raised:
            return False
        self.times, self.raised = (*self.times, at)[-PLACES:], raised
        return True


DEFAULT = Flapping()
