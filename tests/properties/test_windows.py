"""Windows and schedules equal looking at the wall clock, minute by minute; and what they hold."""

from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from hypothesis import given, settings
from hypothesis import strategies as st

from fleet.sla.calendar import FOREVER, Span
from fleet.windows.holding import due
from fleet.windows.schedule import Schedule, closings, openings
from fleet.windows.spans import merged, outside
from fleet.windows.window import Recurrence, Repeat, Window, occurrences
from tests.properties.test_sla import DAY, PLACES, SECONDS, wall_clock

MINUTE = timedelta(minutes=1)
ZONES = {zone: ZoneInfo(zone) for zone, _ in PLACES}
MINUTES = SECONDS // 60
Wall = tuple[date, int]

hours = st.tuples(st.integers(0, 1439), st.integers(1, 1440)).filter(lambda ends: ends[0] < ends[1])
spans = st.lists(
    st.tuples(st.integers(0, 60), st.integers(0, 20)).map(
        lambda pair: Span(at(pair[0]), at(pair[0] + pair[1]))
    ),
    max_size=6,
)


def at(minute: int) -> datetime:
    return datetime(2026, 11, 23, tzinfo=UTC) + minute * MINUTE


def walls(zone: str, begin: datetime) -> list[datetime]:
    """What a wall clock that never goes back shows, minute by minute."""
    midnight = datetime.fromordinal(1)
    return [midnight + timedelta(seconds=shown - DAY) for shown in wall_clock(zone, begin)[::60]]


def inside(found: list[Span], begin: datetime) -> list[bool]:
    """Whether each minute is in one of the spans; they are whole minutes."""
    held = [False] * MINUTES
    for span in found:
        first = max(0, (span.begin - begin) // MINUTE)
        last = max(0, min(MINUTES, (span.end - begin) // MINUTE))
        held[first:last] = [True] * max(0, last - first)
    return held


@given(
    place=st.sampled_from(PLACES),
    week=st.dictionaries(st.integers(1, 7), st.lists(hours, max_size=3).map(tuple)),
    other=st.dictionaries(st.integers(0, 4), st.lists(hours, max_size=2).map(tuple), max_size=2),
)
@settings(deadline=None, max_examples=30)
def test_a_schedule_is_open_when_the_wall_clock_says_so(
    place: tuple[str, datetime], week: dict[int, Any], other: dict[int, Any]
) -> None:
    """Hours that overlap are one, other days come first; open and closed are the whole."""
    zone, begin = place
    whole = Span(begin, begin + timedelta(seconds=SECONDS))
    days = {begin.date() + timedelta(days=n): open_ for n, open_ in other.items()}
    schedule = Schedule(zone, week, days)
    expected = []
    for wall in walls(zone, begin):
        minute = wall.hour * 60 + wall.minute
        today = days.get(wall.date(), week.get(wall.isoweekday(), ()))
        expected.append(any(opens <= minute < closes for opens, closes in today))
    found = openings(schedule, whole)
    assert inside(found, begin) == expected
    assert merged([*found, *closings(schedule, whole)]) == [whole]
    assert found == merged(found)


@given(
    place=st.sampled_from(PLACES),
    first=st.integers(-3000, 2000),
    length=st.integers(1, 3000),
    repeat=st.sampled_from(Repeat),
    weekdays=st.frozensets(st.integers(1, 7), max_size=4),
    until=st.none() | st.integers(-500, MINUTES),
)
@settings(deadline=None, max_examples=50)
def test_a_window_comes_again_by_the_wall_clock(
    place: tuple[str, datetime],
    first: int,
    length: int,
    repeat: Repeat,
    weekdays: frozenset[int],
    until: int | None,
) -> None:
    """It keeps its hours across a change of the clock, and ends for good when it should."""
    zone, begin = place
    opens = begin + first * MINUTE
    there = Recurrence(repeat, zone, weekdays)
    end = FOREVER if until is None else begin + until * MINUTE
    window = Window(Span(opens, opens + length * MINUTE), there, end)
    asked = Span(begin, begin + timedelta(seconds=SECONDS))
    found = list(occurrences(window, asked))
    expected = inside([window.first], begin)
    local = [one.astimezone(ZONES[zone]).replace(tzinfo=None) for one in window.first]
    for minute, wall in enumerate(walls(zone, begin)):
        for back in range(4):
            day = wall.date() - timedelta(days=back)
            starts = datetime.combine(day, local[0].time())
            if day > local[0].date() and comes(there, local[0].date(), day):
                expected[minute] |= starts <= wall < starts + (local[1] - local[0])
    if until is not None:
        last = max(0, min(MINUTES, until))
        expected[last:] = [False] * (MINUTES - last)
    assert inside(found, begin) == expected
    assert all(span.begin < span.end for span in found)


def comes(recurrence: Recurrence, first: date, day: date) -> bool:
    match recurrence.repeat:
        case Repeat.DAILY:
            return True
        case Repeat.WEEKLY:
            return day.isoweekday() in (recurrence.weekdays or [first.isoweekday()])
        case Repeat.MONTHLY:
            return day.day == first.day


@given(windows=spans, fired=st.integers(0, 60), hold=st.integers(0, 10))
def test_a_ticket_is_due_after_its_hold_outside_of_every_window(
    windows: list[Span], fired: int, hold: int
) -> None:
    """Minute by minute: in a window the hold begins anew; what was never in one waits for none."""
    covered = [any(span.begin <= at(m) < span.end for span in windows) for m in range(200)]
    minute, left = fired, 0
    while covered[minute] or left:
        left = hold if covered[minute] else left - 1
        minute += 1
    while covered[minute - 1] and covered[minute]:
        minute += 1
    assert due(at(fired), hold * MINUTE, windows) == at(minute)


@given(some=spans)
def test_what_is_outside_is_the_rest(some: list[Span]) -> None:
    """Inside and outside meet and never overlap."""
    whole = Span(at(0), at(90))
    rest = list(outside(some, whole))
    assert merged([*rest, *some]) == [whole]
    for span in rest:
        assert not any(one.begin < span.end and span.begin < one.end for one in merged(some))
