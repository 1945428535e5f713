"""How far a terminal's clock is off: the quickest message says it."""

from datetime import UTC, datetime, timedelta

from collector.skew import Skews

T0 = datetime(2026, 11, 23, 8, tzinfo=UTC)
SECOND = 1_000_000


def at(minutes: float) -> datetime:
    return T0 + timedelta(minutes=minutes)


def test_the_first_message_is_taken_and_small_changes_are_not_written() -> None:
    skews = Skews({}, at(0))
    skews.note({7: -40_000}, at(0))
    assert skews.changed == {7: -40_000}
    skews.changed.clear()
    skews.note({7: -10_000}, at(1))
    assert skews.changed == {}


def test_a_message_that_waited_in_a_queue_says_nothing_of_the_clock() -> None:
    """Ten minutes late once, among others that came at once."""
    skews = Skews({7: 0}, at(0))
    skews.note({7: -600 * SECOND}, at(1))
    skews.note({7: -30_000}, at(2))
    skews.note({7: -30_000}, at(61))
    assert skews.changed == {}


def test_a_clock_that_is_ahead_is_seen_at_once() -> None:
    skews = Skews({7: 0}, at(0))
    skews.note({7: 90 * SECOND}, at(1))
    assert skews.changed == {7: 90 * SECOND}


def test_a_clock_that_was_put_right_is_seen_within_the_hour() -> None:
    """It was ninety seconds ahead; from minute one on it is right."""
    skews = Skews({7: 90 * SECOND}, at(0))
    for minute in range(1, 60):
        skews.note({7: -20_000}, at(minute))
    assert skews.changed == {}
    for minute in range(60, 121):
        skews.note({7: -20_000}, at(minute))
    assert skews.changed == {7: -20_000}


def test_a_fleet_that_is_heard_for_the_first_time_is_written_down_in_pieces() -> None:
    """Each clock once, whatever is measured between two pieces."""
    skews = Skews({}, at(0))
    skews.note({terminal: -terminal for terminal in range(1, 6)}, at(0))
    first = skews.take(3)
    skews.note({1: -9}, at(1))
    rest = skews.take(3)
    assert (len(first), len(rest)) == (3, 2)
    assert first | rest == {1: -1, 2: -2, 3: -3, 4: -4, 5: -5}
    assert skews.take(3) == {}


def test_clocks_that_are_off_are_counted_by_bounds() -> None:
    """Read back, found, corrected, gone; ahead and behind alike, and at the bound not yet."""
    skews = Skews({1: 0, 2: 700 * SECOND, 3: -61 * SECOND}, at(0))
    assert skews.off == {5: 2, 60: 2, 600: 1}
    skews.note({4: -5 * SECOND, 5: -6 * SECOND, 1: 10 * SECOND}, at(0))
    assert skews.off == {5: 4, 60: 2, 600: 1}
    skews.note({3: 0}, at(1))
    assert skews.off == {5: 3, 60: 1, 600: 1}
    skews.forget(2)
    skews.forget(99)
    assert skews.off == {5: 2, 60: 0, 600: 0}
    assert 2 not in skews.changed
