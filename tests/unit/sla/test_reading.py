"""The clocks of a ticket: what starts, stops and pauses each, and what is escalated."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from fleet.sla.calendar import ALWAYS
from fleet.sla.escalation import escalations
from fleet.sla.policy import Clock, Level, Policy, choose
from fleet.sla.reading import History, Reading, Step, read
from fleet.tickets.lifecycle import Event
from fleet.tickets.ticket import State

BEGAN = datetime(2026, 11, 23, 8, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
POLICY = Policy(
    severity="major",
    cell=None,
    valid_from=BEGAN - timedelta(days=1),
    calendar=ALWAYS,
    targets={Clock.RESPONSE: 10 * MINUTE, Clock.ARRIVAL: 60 * MINUTE, Clock.RESTORE: 120 * MINUTE},
    warn_share=0.5,
    pausing=frozenset({"parts"}),
    chain=("operations", "admin"),
)
MAIN_PATH = (
    (Event.RAISE, State.NEW, 0, None),
    (Event.ASSIGN, State.ASSIGNED, 0, None),
    (Event.ACCEPT, State.ACCEPTED, 4, None),
    (Event.DEPART, State.EN_ROUTE, 10, None),
    (Event.HOLD, State.ON_HOLD, 20, "parts"),
    (Event.RESUME, State.EN_ROUTE, 50, None),
    (Event.ARRIVE, State.ON_SITE, 70, None),
    (Event.HOLD, State.ON_HOLD, 80, "lunch"),
    (Event.RESUME, State.ON_SITE, 110, None),
)


def minute(number: float) -> datetime:
    return BEGAN + number * MINUTE


def history(*steps: tuple[Event, State, float, str | None]) -> History:
    """So much of a ticket's life, with nothing of it recovered."""
    told = [Step(event, state, minute(at), reason) for event, state, at, reason in steps]
    return History(BEGAN, told[-1].to_state, None, None, told)


def clock(which: Clock, of: History, at: float) -> Reading:
    return next(one for one in read(POLICY, of, minute(at)) if one.clock is which)


def test_what_was_noticed_late_had_recovered_before() -> None:
    """Gone in the minute 10, noticed in the 70, back in the 80: it was not well for 10 minutes."""
    life = history(
        *MAIN_PATH[:3],
        (Event.RECOVER, State.ACCEPTED, 70, None),
        (Event.RELAPSE, State.ACCEPTED, 80, None),
    )
    noticed = [
        replace(one, recovered_at=minute(10)) if one.event is Event.RECOVER else one
        for one in life.steps
    ]
    restore = clock(Clock.RESTORE, replace(life, steps=noticed), 90)
    assert restore.used == 20 * MINUTE


def test_response_ends_with_acceptance() -> None:
    response = clock(Clock.RESPONSE, history(*MAIN_PATH), 200)
    assert (response.used, response.stopped_at) == (4 * MINUTE, minute(4))
    assert response.level is Level.OK


def test_a_listed_reason_pauses_and_any_other_does_not() -> None:
    """Thirty minutes for parts are not counted for arrival; lunch is counted for restore."""
    whole = history(*MAIN_PATH)
    arrival = clock(Clock.ARRIVAL, whole, 200)
    assert (arrival.used, arrival.due_at) == (40 * MINUTE, minute(90))
    restore = clock(Clock.RESTORE, whole, 140)
    assert (restore.used, restore.due_at) == (110 * MINUTE, minute(150))


def test_while_held_nothing_is_due_yet() -> None:
    """Nobody knows when the part comes; what was due before the hold stays due."""
    held = history(*MAIN_PATH[:5])
    arrival = clock(Clock.ARRIVAL, held, 500)
    assert (arrival.paused, arrival.due_at, arrival.used) == (True, None, 20 * MINUTE)
    late = history(*MAIN_PATH[:4], (Event.HOLD, State.ON_HOLD, 90, "parts"))
    assert clock(Clock.ARRIVAL, late, 500).due_at == minute(60)


def test_restore_ends_when_telemetry_says_so() -> None:
    """Resolved by hand, it goes on; recovered, it stops at the instant of recovery."""
    by_hand = history(*MAIN_PATH, (Event.RESOLVE, State.RESOLVED, 115, None))
    resolved = replace(by_hand, resolved_at=minute(115))
    assert clock(Clock.RESTORE, resolved, 200).stopped_at is None
    recovered = replace(resolved, recovered_at=minute(118))
    assert clock(Clock.RESTORE, recovered, 200).used == 88 * MINUTE


def test_what_lay_between_recovery_and_relapse_is_not_counted() -> None:
    relapsed = history(
        *MAIN_PATH[:3],
        (Event.RECOVER, State.ACCEPTED, 10, None),
        (Event.RELAPSE, State.ACCEPTED, 40, None),
    )
    assert clock(Clock.RESTORE, relapsed, 50).used == 20 * MINUTE


def test_recovered_before_anyone_accepted_nobody_was_late() -> None:
    steps = (*MAIN_PATH[:2], (Event.RECOVER, State.RESOLVED, 7, None))
    gone = replace(history(*steps), resolved_at=minute(7), recovered_at=minute(6))
    assert [one.stopped_at for one in read(POLICY, gone, minute(500))] == [
        minute(7),
        minute(7),
        minute(6),
    ]


def test_reopened_it_is_to_be_answered_anew() -> None:
    """The first acceptance answered the first call; the second call has its own ten minutes."""
    steps = (
        *MAIN_PATH,
        (Event.RESOLVE, State.RESOLVED, 115, None),
        (Event.REOPEN, State.ASSIGNED, 130, "fired again"),
    )
    assert clock(Clock.RESPONSE, history(*steps), 135).due_at == minute(140)


@pytest.mark.parametrize("end", [(Event.CANCEL, State.CANCELLED), (Event.MERGE, State.MERGED)])
def test_what_is_cut_short_stops_every_clock(end: tuple[Event, State]) -> None:
    ended = history(*MAIN_PATH[:2], (*end, 3, "by mistake"))
    assert {one.stopped_at for one in read(POLICY, ended, minute(500))} == {minute(3)}


WARNED = ("response warning", "operations")
BREACHED = [("response breached", who) for who in ("operations", "admin", "board", "owner")]


@pytest.mark.parametrize(
    ("at", "told", "expected"),
    [
        (4, [], []),
        (5, [], [WARNED]),
        (5, [WARNED], []),
        (10, [WARNED], []),
        (11, [WARNED], [BREACHED[1]]),
        (11, [WARNED, BREACHED[1]], []),
        (15, [WARNED, BREACHED[1]], []),
        (16, [WARNED, BREACHED[1]], [BREACHED[2]]),
        (21, [WARNED, *BREACHED[1:3]], [BREACHED[3]]),
        (500, [WARNED, *BREACHED[1:]], []),
        (11, [], BREACHED[:2]),
        (500, [], BREACHED),
        (500, BREACHED, []),
    ],
)
def test_each_of_the_chain_is_told_once(
    at: float, told: list[tuple[str, str]], expected: list[tuple[str, str]]
) -> None:
    """The target is ten minutes, warned of at five: five minutes later each, the next is told.

    Nobody looked in time: then all that were to be told hear of the breach, the first of them too.
    """
    policy = replace(POLICY, chain=("operations", "admin", "board", "owner"))
    steps = [
        Step(Event.ESCALATE, State.ASSIGNED, minute(at), reason, f"for {who}")
        for reason, who in told
    ]
    life = history(*MAIN_PATH[:2])
    life = replace(life, steps=[*life.steps, *steps])
    found = escalations(policy, life, read(policy, life, minute(at)))
    assert [(one.reason, one.tells) for one in found if one.clock is Clock.RESPONSE] == expected


def test_who_is_alone_hears_of_both() -> None:
    policy = replace(POLICY, chain=("operations",))
    life = history(*MAIN_PATH[:2])
    for at, expected in ((5, "response warning"), (11, "response breached")):
        [first, *_] = escalations(policy, life, read(policy, life, minute(at)))
        assert (first.reason, first.note) == (expected, "for operations")


def test_the_nearest_and_then_the_latest_promise_counts() -> None:
    """A promise made after the ticket was raised, for another severity or cell, does not."""
    earlier = replace(POLICY, cell="D01")
    later = replace(earlier, valid_from=BEGAN - MINUTE)
    others = [
        replace(later, severity="minor"),
        replace(later, cell="D02"),
        replace(later, valid_from=BEGAN + MINUTE),
    ]
    assert choose([POLICY, earlier, later, *others], "major", ["C001", "D01"], BEGAN) is later
    assert choose([POLICY, *others], "major", ["C001", "D01"], BEGAN) is POLICY
    assert choose(others, "major", ["C001"], BEGAN) is None
