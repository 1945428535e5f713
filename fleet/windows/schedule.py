"""Service schedules: when a terminal is meant to serve, by the wall clock of a place.

Hours of weekdays, and days that are different: holidays without hours, days with hours of their
own. Hours that overlap are one. They begin and end as those of `fleet.sla.calendar` do.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta
from zoneinfo import ZoneInfo

from fleet.sla.calendar import Span, first_instant
from fleet.windows.spans import clipped, merged, outside

_DAY = timedelta(days=1)

Minutes = tuple[int, int]
"""From and to, in minutes of the day, up to 1440."""


@dataclass(frozen=True, slots=True)
class Schedule:
    """Hours by weekday (1 Monday to 7 Sunday), and of days that are different."""

    zone: str
    week: Mapping[int, tuple[Minutes, ...]]
    days: Mapping[date, tuple[Minutes, ...]] = field(default_factory=dict)


def openings(schedule: Schedule, asked: Span) -> list[Span]:
    """When it serves, of what is asked for: in order, apart."""
    there = ZoneInfo(schedule.zone)
    # A day more on either side: what is today there may be yesterday or tomorrow elsewhere.
    day = asked.begin.astimezone(there).date() - _DAY
    last = asked.end.astimezone(there).date() + _DAY
    spans: list[Span] = []
    while day <= last:
        spans += _day(schedule, day)
        day += _DAY
    return list(clipped(merged(spans), asked))


def closings(schedule: Schedule, asked: Span) -> Iterator[Span]:
    """When it does not serve, of what is asked for: all the rest."""
    return outside(openings(schedule, asked), asked)


def _day(schedule: Schedule, day: date) -> Iterator[Span]:
    hours: Iterable[Minutes] = schedule.days.get(day, schedule.week.get(day.isoweekday(), ()))
    for opens, closes in hours:
        yield Span(
            first_instant(schedule.zone, day, opens), first_instant(schedule.zone, day, closes)
        )
