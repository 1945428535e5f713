"""When technicians work."""

from datetime import UTC, datetime, timedelta

from fleet.sla.calendar import Calendar, Hours, Span
from tests.unit.dispatch.world import HOUR, NOW, technician

# NOW is a Monday, 8:00 UTC, 16:00 in Shanghai.
DAYS = Calendar("Asia/Shanghai", tuple(Hours(day, 8 * 60, 17 * 60) for day in range(1, 6)))
NIGHTS = Calendar("UTC", (Hours(1, 22 * 60, 1440), Hours(2, 0, 6 * 60)))


def test_a_shift_is_of_the_wall_clock_of_its_zone() -> None:
    """At nine in the evening UTC it is five in the morning there."""
    person = technician(1, shifts=DAYS)
    assert person.on_shift(NOW)
    assert not person.on_shift(NOW + HOUR)
    assert person.shift(NOW) == Span(NOW, NOW + HOUR)
    tomorrow = datetime(2026, 11, 24, tzinfo=UTC)
    assert person.shift(NOW + HOUR) == Span(tomorrow, tomorrow + 9 * HOUR)


def test_a_night_is_one_shift() -> None:
    """Stored as two rows, it does not end at midnight."""
    begin = datetime(2026, 11, 23, 22, tzinfo=UTC)
    assert technician(1, shifts=NIGHTS).shift(NOW) == Span(begin, begin + 8 * HOUR)


def test_an_absence_ends_a_shift_or_puts_it_off() -> None:
    """Away from half past: the shift ends there. Away now: it begins when they are back."""
    half = NOW + HOUR / 2
    away = technician(1, shifts=DAYS, absences=(Span(half, half + HOUR),))
    assert (away.absent(NOW), away.absent(half)) == (False, True)
    assert away.shift(NOW) == Span(NOW, half)
    late = technician(1, shifts=DAYS, absences=(Span(NOW - HOUR, half),))
    assert late.shift(NOW) == Span(half, NOW + HOUR)


def test_without_shifts_they_always_work() -> None:
    """And without any to come they never do."""
    begin_end = technician(1).shift(NOW)
    assert begin_end is not None
    assert begin_end.begin == NOW
    assert begin_end.end > NOW + timedelta(days=1)
    gone = technician(1, shifts=DAYS, absences=(Span(NOW, NOW + timedelta(days=400)),))
    assert gone.shift(NOW) is None
