"""Planned windows: a stretch of time that may come again on the wall clock of a place.

A window that comes again keeps the hours of its first time in its zone. Where the clock is set
forward or back meanwhile, an occurrence is as much shorter or longer; in an hour that the spring
leaves out it begins when the clock is set, in one that the autumn shows twice at the first showing.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from enum import StrEnum
from zoneinfo import ZoneInfo

from fleet.sla.calendar import FOREVER, Span, first_instant

LONGEST = timedelta(days=31)
"""Of one occurrence that comes again."""

_DAY = timedelta(days=1)
_MINUTE = timedelta(minutes=1)


class Purpose(StrEnum):
    """What a window is for: maintenance is not judged and holds tickets, a silence only holds."""

    MAINTENANCE = "maintenance"
    SILENCE = "silence"


class Repeat(StrEnum):
    """How a window comes again: each day, on weekdays of each week, on its day of each month."""

    DAILY = "daily"
    WEEKLY = "weekly"
    MONTHLY = "monthly"


@dataclass(frozen=True, slots=True)
class Recurrence:
    """How a window comes again: in which zone, on which weekdays (1 Monday to 7 Sunday).

    Without weekdays a weekly one comes on that of its first time. A month without its day has none.
    """

    repeat: Repeat
    zone: str
    weekdays: frozenset[int] = frozenset()


@dataclass(frozen=True, slots=True)
class Window:
    """The first time, how it comes again if it does, and when it ends for good.

    The occurrence under way at `until` ends then. One that comes again must begin and end on whole
    minutes and be shorter than `LONGEST`; raises `ValueError` where it does not.
    """

    first: Span
    recurrence: Recurrence | None = None
    until: datetime = FOREVER

    def __post_init__(self) -> None:
        """Refuse what cannot come again."""
        if self.first.begin >= self.first.end:
            raise ValueError("a window must end after it begins")
        if self.recurrence is None:
            return
        if any(end.second or end.microsecond for end in self.first):
            raise ValueError("a window that comes again begins and ends on whole minutes")
        if self.first.end - self.first.begin >= LONGEST:
            raise ValueError(f"a window that comes again is shorter than {LONGEST.days} days")


def occurrences(window: Window, asked: Span) -> Iterator[Span]:
    """Its times that touch what is asked for, each whole, in order of their beginning."""
    last = min(window.until, asked.end)
    for span in _times(window, asked.begin, last):
        part = Span(span.begin, min(span.end, window.until))
        if part.begin < part.end and part.end > asked.begin and part.begin < last:
            yield part


def _times(window: Window, begin: datetime, end: datetime) -> Iterator[Span]:
    first, recurrence = window.first, window.recurrence
    yield first
    if recurrence is None:
        return
    # By the wall clock: what begins at 1 and ends at 4 does so on the day of the change too.
    opening, closing = (one.astimezone(ZoneInfo(recurrence.zone)) for one in first)
    opens = opening.hour * 60 + opening.minute
    length = closing.replace(tzinfo=None) - opening.replace(tzinfo=None)
    closes = opens + max(length // _MINUTE, 0)
    day = max(opening.date(), begin.astimezone(ZoneInfo(recurrence.zone)).date() - LONGEST)
    while datetime(day.year, day.month, day.day, tzinfo=UTC) < end + 2 * _DAY:
        if _comes(recurrence, opening.date(), day):
            span = Span(
                first_instant(recurrence.zone, day, opens),
                first_instant(recurrence.zone, day, closes),
            )
            if first.begin < span.begin < span.end:
                yield span
        day += _DAY


def _comes(recurrence: Recurrence, first: date, day: date) -> bool:
    match recurrence.repeat:
        case Repeat.DAILY:
            return True
        case Repeat.WEEKLY:
            return day.isoweekday() in (recurrence.weekdays or {first.isoweekday()})
        case Repeat.MONTHLY:
            return day.day == first.day
