"""What is promised of a ticket that gets worse, and better again."""

from dataclasses import replace

from fleet.sla.policy import Clock
from fleet.sla.promise import Promise, Rating, ratings, readings
from fleet.tickets.lifecycle import Event
from fleet.tickets.ticket import State
from tests.unit.sla.test_reading import MAIN_PATH, MINUTE, POLICY, history, minute

CRITICAL = replace(
    POLICY, severity="critical", targets=dict.fromkeys(Clock, 5 * MINUTE), pausing=frozenset()
)


def test_a_ticket_that_was_never_rated_has_one_promise() -> None:
    assert ratings(minute(0), "major", []) == (Rating("major", minute(0)),)


def test_what_was_promised_of_the_milder_one_still_counts() -> None:
    changes = [(minute(60), "minor"), (minute(90), "major")]
    assert ratings(minute(0), "critical", changes) == (
        Rating("minor", minute(0)),
        Rating("major", minute(60)),
        Rating("critical", minute(90)),
    )


def test_when_it_eases_what_was_promised_of_the_worse_falls_away() -> None:
    changes = [(minute(60), "minor"), (minute(90), "critical")]
    assert ratings(minute(0), "minor", changes) == (Rating("minor", minute(0)),)
    # At least major it has been since it was critical.
    assert ratings(minute(0), "major", changes) == (
        Rating("minor", minute(0)),
        Rating("major", minute(60)),
    )


def test_the_promise_that_is_due_first_is_the_one_that_is_read() -> None:
    """Ten minutes for a response; critical at minute 2: five from there, which is sooner."""
    life = history((Event.RAISE, State.NEW, 0, None))
    promises = [Promise(POLICY, minute(0)), Promise(CRITICAL, minute(2))]
    response = readings(promises, life, minute(3))[0]
    assert (response.due_at, response.used) == (minute(7), 1 * MINUTE)
    # Critical at minute 8 only: what was promised before is due at 10, before 13.
    promises = [Promise(POLICY, minute(0)), Promise(CRITICAL, minute(8))]
    assert readings(promises, life, minute(9))[0].due_at == minute(10)


def test_a_clock_that_had_ended_does_not_begin_anew() -> None:
    """Accepted at minute 4, critical at 15: the response was given; all else is due by that."""
    promises = [Promise(POLICY, minute(0)), Promise(CRITICAL, minute(15))]
    response, arrival, restore = readings(promises, history(*MAIN_PATH[:4]), minute(16))
    assert (response.stopped_at, response.target) == (minute(4), 10 * MINUTE)
    assert (arrival.due_at, restore.due_at) == (minute(20), minute(20))


def test_where_nothing_was_promised_of_the_milder_one_all_counts_from_when_it_got_worse() -> None:
    """Nothing is promised of a minor one, raised at 0; critical at minute 60: due at 65."""
    life = history((Event.RAISE, State.NEW, 0, None))
    assert [one.due_at for one in readings([Promise(CRITICAL, minute(60))], life, minute(61))] == (
        [minute(65)] * 3
    )
    # Accepted at minute 4, its response is over.
    promises = [Promise(CRITICAL, minute(15))]
    response, arrival, _ = readings(promises, history(*MAIN_PATH[:4]), minute(16))
    assert (response.stopped_at, arrival.due_at) == (minute(4), minute(20))
