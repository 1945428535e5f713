"""How fast a value moves: how far it has risen, or fallen, within a while.

A value is known at the messages that said it. Of those within the while only the extremes matter
that a later one has not passed: for a rise each that is lower than all after it. A terminal whose
value changes more often than sixty times within the while has the lowest of each sixtieth kept: a
rise is never seen where there is none, and may end so much earlier. So memory is bounded.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime

from fleet.rules.rule import Rate

PLACES = 60
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)

Place = tuple[datetime, float]
"""A value of the past, and when it was last said."""


@dataclass(slots=True)
class Slope:
    """The present value, None where it is not known, and those before it that still matter."""

    past: tuple[Place, ...] = ()
    value: float | None = None

    def note(self, rate: Rate, value: float | None, at: datetime, last: datetime | None) -> bool:
        """Note a value said at `at`; `last` is when the one before was said last. False: no other
        than before."""
        if value == self.value:
            return False
        past = self.past
        if self.value is not None and last is not None and not _crowded(past, rate, last):
            past = (*past, (last, self.value))
        if value is not None:
            past = tuple(place for place in past if _ahead(rate, place[1], value) > 0)
        self.past = tuple(_recent(past, rate, at))
        self.value = value
        return True

    def steep_until(self, rate: Rate) -> datetime | None:
        """Until when the value has moved too far within the while, if it moves no more."""
        if self.value is None:
            return None
        far = [at for at, before in self.past if _ahead(rate, before, self.value) > rate.by]
        return far[-1] + rate.within if far else None


def _ahead(rate: Rate, before: float, now: float) -> float:
    """How far a value has moved since, in the direction that counts."""
    return now - before if rate.rises else before - now


def _recent(past: Iterable[Place], rate: Rate, at: datetime) -> Iterable[Place]:
    return (place for place in past if place[0] + rate.within > at)


def _crowded(past: tuple[Place, ...], rate: Rate, at: datetime) -> bool:
    """Whether the sixtieth in which an instant lies has its place already."""
    slot = rate.within / PLACES
    return bool(past) and (past[-1][0] - _EPOCH) // slot == (at - _EPOCH) // slot
