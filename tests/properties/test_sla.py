"""The clocks equal counting every second, across nights, holidays and daylight saving."""

from array import array
from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from functools import cache
from itertools import pairwise
from zoneinfo import ZoneInfo

from hypothesis import given, settings
from hypothesis import strategies as st

from fleet.sla.calendar import FOREVER, Calendar, Hours, Span
from fleet.sla.clock import due, union, used

DAY = 24 * 3600
SECONDS = 3 * DAY
SECOND = timedelta(seconds=1)
# A day before the clock is set: forward and back, by an hour, by half an hour, and at midnight;
# and a place that never does.
PLACES = (
    ("Europe/Berlin", datetime(2026, 3, 28, tzinfo=UTC)),
    ("Europe/Berlin", datetime(2026, 10, 24, tzinfo=UTC)),
    ("Australia/Lord_Howe", datetime(2026, 4, 3, 12, tzinfo=UTC)),
    ("Australia/Lord_Howe", datetime(2026, 10, 2, 12, tzinfo=UTC)),
    ("America/Havana", datetime(2026, 3, 7, 5, tzinfo=UTC)),
    ("Asia/Shanghai", datetime(2026, 11, 22, tzinfo=UTC)),
)


@cache
def wall_clock(zone: str, begin: datetime) -> Sequence[int]:
    """What a clock which never goes back shows, second by second, in seconds since year 1.

    It is set going three hours before, so that it has seen what there is to see.
    """
    there, shown = ZoneInfo(zone), 0
    walls = array("q")
    for second in range(-3600 * 3, SECONDS):
        local = (begin + second * SECOND).astimezone(there)
        of_day = (local.hour * 60 + local.minute) * 60 + local.second
        shown = max(shown, local.toordinal() * DAY + of_day)
        if second >= 0:
            walls.append(shown)
    return walls


def running(calendar: Calendar, begin: datetime, pauses: list[Span]) -> list[bool]:
    """Whether the clock runs, second by second."""
    hours: dict[int, list[tuple[int, int]]] = {}
    runs = []
    for shown in wall_clock(calendar.zone, begin):
        day, second = divmod(shown, DAY)
        if day not in hours:
            hours[day] = _open_on(calendar, date.fromordinal(day))
        runs.append(any(opens <= second < closes for opens, closes in hours[day]))
    for pause in pauses:
        first = (pause.begin - begin) // SECOND
        last = SECONDS if pause.end == FOREVER else min(SECONDS, (pause.end - begin) // SECOND)
        runs[first:last] = [False] * (last - first)
    return runs


def _open_on(calendar: Calendar, day: date) -> list[tuple[int, int]]:
    return [
        (one.opens * 60, one.closes * 60)
        for one in calendar.hours
        if one.weekday == day.isoweekday() and day not in calendar.holidays
    ]


hours = st.builds(
    lambda weekday, opens, length: Hours(weekday, opens, min(1440, opens + length)),
    st.integers(1, 7),
    st.integers(0, 1439) | st.sampled_from([0, 60, 120, 150, 180]),
    st.integers(1, 1440),
)


@st.composite
def stories(draw: st.DrawFn) -> tuple[Calendar, datetime, list[Span], int, int]:
    """A calendar, when the window begins, pauses in it, a start and a length in seconds."""
    zone, begin = draw(st.sampled_from(PLACES))
    days = st.sampled_from([begin.date() + timedelta(days=n) for n in range(4)])
    calendar = Calendar(
        zone, tuple(draw(st.lists(hours, min_size=1, max_size=12))), draw(st.frozensets(days))
    )
    pauses = [
        Span(begin + first * SECOND, begin + (first + length) * SECOND)
        for first, length in draw(
            st.lists(st.tuples(st.integers(0, SECONDS // 2), st.integers(1, 100_000)), max_size=4)
        )
    ]
    if draw(st.booleans()):
        pauses.append(Span(begin + draw(st.integers(SECONDS // 2, SECONDS)) * SECOND, FOREVER))
    return calendar, begin, pauses, draw(st.integers(0, SECONDS // 2)), draw(st.integers(1, 90_000))


@settings(deadline=None, max_examples=40)
@given(story=stories())
def test_the_clock_equals_counting_every_second(
    story: tuple[Calendar, datetime, list[Span], int, int],
) -> None:
    """What is used by each instant, and when so much is used, are what a person would count."""
    calendar, begin, pauses, start, length = story
    runs = running(calendar, begin, pauses)
    at = begin + start * SECOND
    for end in (start, start + length // 2, min(SECONDS, start + length)):
        counted = sum(runs[start:end]) * SECOND
        assert used(calendar, at, begin + end * SECOND, pauses) == counted
    ran = [second for second in range(start, SECONDS) if runs[second]]
    reached = due(calendar, at, length * SECOND, pauses)
    if length <= len(ran):
        assert reached == begin + (ran[length - 1] + 1) * SECOND
    else:
        assert reached is None or reached > begin + SECONDS * SECOND


@given(
    cuts=st.lists(st.tuples(st.integers(0, 60), st.integers(0, 20)), max_size=12),
)
def test_a_union_covers_the_same_time_once(cuts: list[tuple[int, int]]) -> None:
    """Whatever overlaps, doubles or is empty: the same minutes, in order, apart."""
    begin = datetime(2026, 11, 23, tzinfo=UTC)
    minute = timedelta(minutes=1)
    spans = [Span(begin + a * minute, begin + (a + n) * minute) for a, n in cuts]
    joined = union(spans)
    assert all(one.end < other.begin for one, other in pairwise(joined))
    covered = {m for a, n in cuts for m in range(a, a + n)}
    assert covered == {
        m for m in range(90) if any(one.begin <= begin + m * minute < one.end for one in joined)
    }
