"""When work is done: hours of weekdays in a time zone, but for holidays.

An opening begins at the first instant of its day at which the wall clock shows its hour or a later
one, and ends likewise. So an hour that the spring leaves out is passed over, and one that the
autumn shows twice opens at its first showing and does not open again.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from typing import NamedTuple
from zoneinfo import ZoneInfo

_MINUTES = 24 * 60
_DAY = timedelta(days=1)
_SECOND = timedelta(seconds=1)
_LAST_DAY = date(9990, 1, 1)

FOREVER = datetime(9990, 1, 1, tzinfo=UTC)
"""The end of what has not ended yet."""


class Span(NamedTuple):
    """From `begin` to just before `end`."""

    begin: datetime
    end: datetime


@dataclass(frozen=True, slots=True)
class Hours:
    """Open on a weekday (1 Monday to 7 Sunday), from and to in minutes of the day, up to 1440."""

    weekday: int
    opens: int
    closes: int


@dataclass(frozen=True, slots=True)
class Calendar:
    """Hours in a zone; no hours on holidays. `always`: it never closes, on any day."""

    zone: str
    hours: tuple[Hours, ...]
    holidays: frozenset[date] = frozenset()
    always: bool = field(init=False, repr=False, compare=False)
    _hash: int = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        """Find out once what every clock asks."""
        object.__setattr__(self, "_hash", hash((self.zone, self.hours, self.holidays)))
        whole = {one.weekday for one in self.hours if (one.opens, one.closes) == (0, _MINUTES)}
        always = len(whole) == len(range(7)) and not self.holidays
        object.__setattr__(self, "always", always)

    def __hash__(self) -> int:
        """As equality has it: days of calendars are remembered by it."""
        return self._hash


ALWAYS = Calendar("UTC", tuple(Hours(weekday, 0, _MINUTES) for weekday in range(1, 8)))
"""Round the clock."""


def openings(calendar: Calendar, begin: datetime, until: datetime = FOREVER) -> Iterator[Span]:
    """The times it is open from `begin` to `until`, in order, apart or touching, in UTC."""
    if calendar.always:
        if begin < until:
            yield Span(begin, until)
        return
    if not calendar.hours:
        return
    reached = begin
    # A day more on either side: what is today there may be yesterday or tomorrow in the zone.
    day = begin.astimezone(ZoneInfo(calendar.zone)).date() - _DAY
    while day < _LAST_DAY:
        if _midnight(day) >= until + 2 * _DAY:
            return
        for span in _day(calendar, day):
            clipped = Span(max(span.begin, reached), min(span.end, until))
            if clipped.begin < clipped.end:
                yield clipped
                reached = clipped.end
        day += _DAY


def _midnight(day: date) -> datetime:
    return datetime.combine(day, time(), UTC)


@lru_cache(maxsize=16384)
def _day(calendar: Calendar, day: date) -> tuple[Span, ...]:
    if day in calendar.holidays:
        return ()
    return tuple(
        sorted(
            Span(
                first_instant(calendar.zone, day, one.opens),
                first_instant(calendar.zone, day, one.closes),
            )
            for one in calendar.hours
            if one.weekday == day.isoweekday()
        )
    )


@lru_cache(maxsize=16384)
def first_instant(zone: str, day: date, minute: int) -> datetime:
    """The first instant at which the wall clock shows that minute of the day, or a later one."""
    wall = datetime.combine(day, time()) + timedelta(minutes=minute)
    there = ZoneInfo(zone)
    first = wall.replace(tzinfo=there, fold=0).astimezone(UTC)
    second = wall.replace(tzinfo=there, fold=1).astimezone(UTC)
    return first if first <= second else _skip(second, first, there)


def _skip(low: datetime, high: datetime, zone: ZoneInfo) -> datetime:
    """The instant between two at which the clock is set forward, to the second."""
    before = low.astimezone(zone).utcoffset()
    while high - low > _SECOND:
        middle = low + timedelta(seconds=(high - low) // _SECOND // 2)
        if middle.astimezone(zone).utcoffset() == before:
            low = middle
        else:
            high = middle
    return high
