"""When we saw a region and when we were blind: told second by second."""

from datetime import UTC, datetime, timedelta

import pytest

from collector.sight import Blindness, Cause, Sight, passed

T0 = datetime(2026, 11, 23, 8, tzinfo=UTC)


def at(seconds: float) -> datetime:
    return T0 + timedelta(seconds=seconds)


def seeing(until: float = 0) -> Sight:
    sight = Sight()
    sight.see(at(until))
    return sight


def test_a_region_never_seen_before_was_not_lost_sight_of() -> None:
    assert Sight().see(at(0)) is None


def test_a_short_look_away_is_no_blindness() -> None:
    """Another collector takes over within five seconds: nothing to write down."""
    assert seeing().see(at(4.9)) is None


@pytest.mark.parametrize("cause", [Cause.BROKER, Cause.DATABASE, Cause.COLLECTOR])
def test_an_outage_is_blindness_from_the_last_instant_seen(cause: Cause) -> None:
    sight = seeing(10)
    sight.lose(cause)
    assert sight.see(at(40)) == Blindness(at(10), at(40), cause)
    assert sight.see(at(41)) is None


def test_what_was_away_first_is_the_cause() -> None:
    """The database goes, then the broker, then both come back."""
    sight = seeing()
    sight.lose(Cause.DATABASE)
    sight.lose(Cause.BROKER)
    assert sight.see(at(60)) == Blindness(at(0), at(60), Cause.DATABASE, broker_too=True)
    sight.lose(Cause.DATABASE)
    assert sight.see(at(90)) == Blindness(at(60), at(90), Cause.DATABASE)


@pytest.mark.parametrize("away_s", [3, 30])
def test_a_blindness_whose_end_was_not_stored_keeps_its_cause(away_s: float) -> None:
    """The broker is back, for seconds or longer; the database goes before that is committed."""
    sight = seeing()
    sight.lose(Cause.BROKER)
    sight.see(at(away_s))
    sight.lose(Cause.DATABASE)
    sight.resume(at(0))
    assert sight.see(at(60)) == Blindness(at(0), at(60), Cause.BROKER)
    sight.lose(Cause.DATABASE)
    sight.resume(at(60))
    assert sight.see(at(90)) == Blindness(at(60), at(90), Cause.DATABASE)


def test_the_broker_that_went_before_the_end_of_a_blindness_was_stored_was_away_too() -> None:
    """The database is back, and the broker goes with it once more before anything is committed."""
    sight = seeing()
    sight.lose(Cause.DATABASE)
    sight.see(at(30))
    sight.lose(Cause.BROKER)
    sight.resume(at(0))
    assert sight.see(at(60)) == Blindness(at(0), at(60), Cause.DATABASE, broker_too=True)


def test_to_be_behind_for_long_is_blindness_too() -> None:
    """Nothing is away; the broker has more for us than we can take, for a minute."""
    sight = seeing()
    assert not sight.blind(at(4))
    assert sight.blind(at(5))
    assert sight.see(at(60)) == Blindness(at(0), at(60), Cause.BACKLOG)


def test_what_was_read_while_the_broker_held_back_is_not_all_that_was_said() -> None:
    """Our window was full until 6.2; what was read at 3 is judged later, when there is room."""
    sight = seeing()
    for moment in (3, 6, 6.2):
        sight.hold_back(at(moment))
    assert sight.held_back(at(3))
    assert not sight.held_back(at(6.3))


def test_a_new_process_goes_on_from_what_the_one_before_it_saw() -> None:
    sight = Sight()
    sight.resume(at(0))
    assert sight.see(at(30)) == Blindness(at(0), at(30), Cause.COLLECTOR)


def test_a_line_that_was_dead_unnoticed_carried_nothing_since_it_was_last_heard() -> None:
    sight = seeing(20)
    sight.rewind(at(5))
    sight.lose(Cause.BROKER)
    assert sight.see(at(21)) == Blindness(at(5), at(21), Cause.BROKER)


def test_a_clock_that_was_set_back_makes_no_blindness() -> None:
    sight = seeing(3600)
    assert sight.see(at(0)) is None
    assert sight.see(at(1)) is None


@pytest.mark.parametrize(("quiet", "until"), [(0, 100), (5, 100), (5.5, 99.5), (60, 45)])
def test_time_stands_on_a_line_that_is_quiet_for_longer_than_is_allowed(
    quiet: float, until: float
) -> None:
    assert passed(at(100), timedelta(seconds=quiet), timedelta(seconds=5)) == at(until)
