"""The lifecycle of tickets: which moves there are, who may make them, what they change."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest

from fleet.tickets.diagram import page
from fleet.tickets.following import Cause, Step, follow
from fleet.tickets.lifecycle import (
    ALL_TRUE,
    MOVES,
    TAKEN,
    Actor,
    Event,
    Fact,
    Guard,
    Move,
    Need,
    Refusal,
    Role,
    Why,
    allowed,
    decide,
    may_ever,
)
from fleet.tickets.outcome import Said, after
from fleet.tickets.resolution import ActionCode, CauseCode
from fleet.tickets.ticket import ENDED, State, Ticket

NOW = datetime(2026, 11, 23, 8, tzinfo=UTC)
HOUR = timedelta(hours=1)
FAULT, LATER_FAULT = UUID(int=1), UUID(int=2)
ASSIGNEE = Actor(Role.TECHNICIAN, 7)
OTHER = Actor(Role.TECHNICIAN, 8)
ENGINE = Actor(Role.ENGINE)
EVERYTHING_SAID = frozenset(Need)
DONE = Said(cause=CauseCode.WEAR, action=ActionCode.REPLACED)

# What each role may do in each state, written down apart from the table: for tickets that have a
# technician, have recovered, are not pinned, were held while ACCEPTED, and resolved long ago.
STAFF_ANY = {Event.CANCEL, Event.MERGE}
EXPECTED: dict[State, dict[Role, set[Event]]] = {
    State.NEW: {
        Role.ENGINE: {
            Event.ESCALATE,
            Event.RATE,
            Event.ASSIGN,
            Event.RECOVER,
            Event.RELAPSE,
            Event.MERGE,
        },
        Role.TECHNICIAN: set(),
        Role.OPERATIONS: {Event.ASSIGN, Event.HAND_OVER, *STAFF_ANY},
    },
    State.ASSIGNED: {
        Role.ENGINE: {
            *(Event.ESCALATE, Event.RATE, Event.RECOVER, Event.RELAPSE, Event.MERGE),
            *(Event.ASSIGN, Event.TIME_OUT),
        },
        Role.TECHNICIAN: {Event.ACCEPT, Event.DECLINE, Event.HAND_OVER},
        Role.OPERATIONS: {Event.ASSIGN, Event.HAND_OVER, *STAFF_ANY},
    },
    State.ACCEPTED: {
        Role.ENGINE: {Event.ESCALATE, Event.RATE, Event.RECOVER, Event.RELAPSE},
        Role.TECHNICIAN: {Event.DEPART, Event.HOLD, Event.DECLINE, Event.HAND_OVER},
        Role.OPERATIONS: {Event.ASSIGN, Event.HOLD, Event.HAND_OVER, *STAFF_ANY},
    },
    State.EN_ROUTE: {
        Role.ENGINE: {Event.ESCALATE, Event.RATE, Event.RECOVER, Event.RELAPSE},
        Role.TECHNICIAN: {Event.ARRIVE, Event.HOLD, Event.DECLINE, Event.HAND_OVER},
        Role.OPERATIONS: {Event.ASSIGN, Event.HOLD, Event.HAND_OVER, *STAFF_ANY},
    },
    State.ON_SITE: {
        Role.ENGINE: {Event.ESCALATE, Event.RATE, Event.RECOVER, Event.RELAPSE},
        Role.TECHNICIAN: {Event.RESOLVE, Event.HOLD, Event.DECLINE, Event.HAND_OVER},
        Role.OPERATIONS: {Event.ASSIGN, Event.HOLD, Event.HAND_OVER, *STAFF_ANY},
    },
    State.ON_HOLD: {
        Role.ENGINE: {Event.ESCALATE, Event.RATE, Event.RECOVER, Event.RELAPSE},
        Role.TECHNICIAN: {Event.RESUME, Event.DECLINE, Event.HAND_OVER},
        Role.OPERATIONS: {Event.ASSIGN, Event.RESUME, Event.HAND_OVER, *STAFF_ANY},
    },
    State.RESOLVED: {
        Role.ENGINE: {Event.ESCALATE, Event.RATE, Event.RECOVER, Event.REOPEN, Event.CLOSE},
        Role.TECHNICIAN: set(),
        Role.OPERATIONS: {Event.REOPEN, Event.CLOSE, *STAFF_ANY},
    },
    State.CLOSED: {},
    State.CANCELLED: {},
    State.MERGED: {},
}


def ticket(state: State, **changes: Any) -> Ticket:
    """A ticket of technician 7 whose fault has recovered; held, if it is, while accepted."""
    usual = Ticket(
        id=1,
        version=1,
        state=state,
        fault_id=FAULT,
        technician_id=7,
        held_in=State.ACCEPTED if state is State.ON_HOLD else None,
        resolved_at=NOW if state is State.RESOLVED else None,
        recovered_at=NOW,
    )
    return replace(usual, **changes)


@pytest.mark.parametrize("state", State)
@pytest.mark.parametrize("role", Role)
@pytest.mark.parametrize("event", Event)
def test_exactly_the_expected_moves_are_made(state: State, role: Role, event: Event) -> None:
    """Every state × role × event: it moves as written down here, or is refused with a reason."""
    as_role = Role.OPERATIONS if role is Role.ADMIN else role
    expected = event in EXPECTED[state].get(as_role, set())
    decision = decide(ticket(state), event, Actor(role, 7), EVERYTHING_SAID)
    assert isinstance(decision, Move) == expected
    if isinstance(decision, Move):
        assert decision.source is state
        assert role in decision.by
    else:
        assert (decision.why is Why.ROLE) or may_ever(event, role)


@pytest.mark.parametrize("state", State)
@pytest.mark.parametrize("role", Role)
def test_what_is_allowed_is_what_would_be_done(state: State, role: Role) -> None:
    """The events a ticket offers are those that move it, no more and no fewer."""
    as_role = Role.OPERATIONS if role is Role.ADMIN else role
    offered = set(allowed(ticket(state), Actor(role, 7)))
    assert offered == EXPECTED[state].get(as_role, set())


@pytest.mark.parametrize("event", Event)
def test_nobody_moves_another_technicians_ticket(event: Event) -> None:
    """Whatever a technician tries with a ticket of somebody else, it is refused."""
    for state in State:
        decision = decide(ticket(state), event, OTHER, EVERYTHING_SAID)
        assert isinstance(decision, Refusal)
        assert decision.why in (Why.ROLE, Why.NOT_YOURS)


def test_a_ticket_without_technician_is_nobodys() -> None:
    """A technician cannot take a NEW ticket: it has to be given to them."""
    decision = decide(ticket(State.NEW, technician_id=None), Event.ACCEPT, ASSIGNEE)
    assert decision == Refusal(Why.NOT_YOURS)


def test_what_is_missing_is_named() -> None:
    """Declining needs a reason; merging needs a reason and a parent."""
    decline = decide(ticket(State.ASSIGNED), Event.DECLINE, ASSIGNEE)
    assert decline == Refusal(Why.MISSING, frozenset({Need.REASON}))
    merge = decide(ticket(State.NEW), Event.MERGE, Actor(Role.OPERATIONS), frozenset())
    assert merge == Refusal(Why.MISSING, frozenset({Need.REASON, Need.PARENT}))


@pytest.mark.parametrize("held_in", [State.ACCEPTED, State.EN_ROUTE, State.ON_SITE])
def test_a_held_ticket_goes_on_where_it_was(held_in: State) -> None:
    """Held on the way, it is on the way again; telemetry in between changes nothing of that."""
    before = ticket(held_in, recovered_at=None)
    held = step(before, Event.HOLD, Said(reason="parts"))
    assert (held.state, held.held_in) == (State.ON_HOLD, held_in)
    noted = step(held, Event.RECOVER, Said(recovered_at=NOW), ENGINE)
    resumed = step(noted, Event.RESUME)
    assert (resumed.state, resumed.held_in) == (held_in, None)


def test_a_recovery_told_twice_happened_when_it_was_told_first() -> None:
    """Nothing undid it between the two: the clock of restoring stopped at the first."""
    gone = step(
        ticket(State.ASSIGNED, recovered_at=None), Event.RECOVER, Said(recovered_at=NOW), ENGINE
    )
    later = Said(recovered_at=NOW + timedelta(minutes=1))
    assert step(gone, Event.RECOVER, later, ENGINE).recovered_at == NOW


def test_a_ticket_closes_only_once_telemetry_agrees() -> None:
    """Resolved by hand while the fault is still open: not even operations closes it."""
    open_still = ticket(State.RESOLVED, recovered_at=None)
    decision = decide(open_still, Event.CLOSE, Actor(Role.OPERATIONS))
    assert decision == Refusal(Why.GUARD, unmet=frozenset({Guard.RECOVERED}))
    assert Event.CLOSE not in allowed(open_still, Actor(Role.OPERATIONS))


def test_what_is_around_a_ticket_is_a_guard_too() -> None:
    """Nobody closes before the verify window ends, or sends who does not fit, or moves a pin."""
    early = decide(
        ticket(State.RESOLVED), Event.CLOSE, ENGINE, EVERYTHING_SAID, ALL_TRUE - {Fact.VERIFIED}
    )
    assert early == Refusal(Why.GUARD, unmet=frozenset({Fact.VERIFIED}))
    unfit = ALL_TRUE - {Fact.FITTING}
    sent = decide(ticket(State.NEW), Event.ASSIGN, Actor(Role.OPERATIONS), EVERYTHING_SAID, unfit)
    assert sent == Refusal(Why.GUARD, unmet=frozenset({Fact.FITTING}))
    pinned = ticket(State.ASSIGNED, pinned=True)
    moved = decide(pinned, Event.ASSIGN, ENGINE, EVERYTHING_SAID)
    assert moved == Refusal(Why.GUARD, unmet=frozenset({Guard.UNPINNED}))
    by_hand = decide(pinned, Event.ASSIGN, Actor(Role.OPERATIONS), EVERYTHING_SAID)
    assert isinstance(by_hand, Move)


def test_work_is_resolved_with_what_was_found_and_done() -> None:
    """Without cause and action codes it is not."""
    decision = decide(ticket(State.ON_SITE), Event.RESOLVE, ASSIGNEE)
    assert decision == Refusal(Why.MISSING, frozenset({Need.CAUSE, Need.ACTION}))


@pytest.mark.parametrize("state", [State.NEW, State.ASSIGNED, State.ON_SITE, State.ON_HOLD])
def test_handed_over_it_is_the_other_lines(state: State) -> None:
    """Branch staff cannot clear it: it is new, nobody's, the second line's; and back again."""
    first = ticket(state, line=1, pinned=True, recovered_at=None)
    actor = Actor(Role.OPERATIONS)
    over = step(first, Event.HAND_OVER, Said(reason="takes an engineer"), actor)
    assert (over.state, over.line, over.technician_id, over.pinned, over.held_in) == (
        *(State.NEW, 2, None, False, None),
    )
    assert step(over, Event.HAND_OVER, Said(reason="only paper"), actor).line == 1


@pytest.mark.parametrize("state", TAKEN)
def test_what_somebody_accepted_goes_to_another_of_the_same_line(state: State) -> None:
    """They fell ill: operations name another and say why, who has it to accept; not the same."""
    theirs, actor = ticket(state, line=1, recovered_at=None), Actor(Role.OPERATIONS)
    unexplained = decide(theirs, Event.ASSIGN, actor, frozenset({Need.TECHNICIAN}))
    assert unexplained == Refusal(Why.MISSING, frozenset({Need.REASON}))
    same = decide(theirs, Event.ASSIGN, actor, EVERYTHING_SAID, ALL_TRUE - {Fact.ANOTHER})
    assert same == Refusal(Why.GUARD, unmet=frozenset({Fact.ANOTHER}))
    given = step(theirs, Event.ASSIGN, Said(reason="fell ill", technician_id=8), actor)
    assert (given.state, given.line, given.technician_id, given.held_in) == (
        *(State.ASSIGNED, 1, 8, None),
    )


@pytest.mark.parametrize("state", TAKEN)
def test_who_cannot_go_on_gives_back_what_they_accepted(state: State) -> None:
    """Their shift ends: it is nobody's and of the same line; without a reason it is not."""
    theirs = ticket(state, line=1, recovered_at=None)
    assert decide(theirs, Event.DECLINE, ASSIGNEE) == Refusal(Why.MISSING, frozenset({Need.REASON}))
    back = step(theirs, Event.DECLINE, Said(reason="shift ends"), ASSIGNEE)
    assert (back.state, back.line, back.technician_id, back.held_in) == (State.NEW, 1, None, None)


def test_the_main_path_keeps_its_times() -> None:
    """From ASSIGNED to RESOLVED by the assignee, each move a version."""
    done = ticket(State.ASSIGNED, recovered_at=None)
    for event in (Event.ACCEPT, Event.DEPART, Event.ARRIVE):
        done = step(done, event)
    done = step(done, Event.RESOLVE, DONE)
    assert done.state is State.RESOLVED
    assert done.resolved_at == NOW
    assert done.version == 5


def test_declined_it_has_no_technician() -> None:
    """A declined ticket is new again, and nobody's."""
    declined = step(ticket(State.ASSIGNED), Event.DECLINE, Said(reason="other work"))
    assert (declined.state, declined.technician_id) == (State.NEW, None)


def step(before: Ticket, event: Event, said: Said | None = None, actor: Actor = ASSIGNEE) -> Ticket:
    """What the event makes of the ticket, which must be able to make the move."""
    said = said or Said()
    move = decide(before, event, actor, said.needs_met())
    assert isinstance(move, Move), move
    return after(before, move, said, NOW)


# Each case opens with its story: the ticket, what telemetry says, what the engine does.
FOLLOWING: dict[str, tuple[Ticket, Cause, Step | None]] = {
    "the fault is there and so is the ticket: nothing to do": (
        ticket(State.ASSIGNED, recovered_at=None),
        Cause(open_fault=FAULT),
        None,
    ),
    "gone before anyone accepted: resolved by recovery": (
        ticket(State.ASSIGNED, recovered_at=None),
        Cause(cleared_at=NOW),
        Step(Event.RECOVER, Said(recovered_at=NOW)),
    ),
    "gone while somebody travels: only noted": (
        ticket(State.EN_ROUTE, recovered_at=None),
        Cause(cleared_at=NOW),
        Step(Event.RECOVER, Said(recovered_at=NOW)),
    ),
    "gone and noted already: nothing more": (ticket(State.EN_ROUTE), Cause(cleared_at=NOW), None),
    "back again while somebody travels": (
        ticket(State.EN_ROUTE),
        Cause(open_fault=LATER_FAULT),
        Step(Event.RELAPSE, Said(fault_id=LATER_FAULT)),
    ),
    "gone and back between two looks: the ticket goes over to the later fault": (
        ticket(State.ASSIGNED, recovered_at=None),
        Cause(open_fault=LATER_FAULT, cleared_at=NOW),
        Step(Event.RELAPSE, Said(fault_id=LATER_FAULT)),
    ),
    "fired again after it was resolved": (
        ticket(State.RESOLVED),
        Cause(open_fault=LATER_FAULT),
        Step(Event.REOPEN, Said(reason="fired again", fault_id=LATER_FAULT)),
    ),
    "resolved by hand, its fault has not cleared yet: it gets its time": (
        ticket(State.RESOLVED, recovered_at=None, resolved_at=NOW - HOUR / 2),
        Cause(open_fault=FAULT),
        None,
    ),
    "resolved by hand, and the fault never cleared": (
        ticket(State.RESOLVED, recovered_at=None, resolved_at=NOW - HOUR),
        Cause(open_fault=FAULT),
        Step(Event.REOPEN, Said(reason="did not recover", fault_id=FAULT)),
    ),
    "the verify window is not over": (
        ticket(State.RESOLVED, resolved_at=NOW - HOUR / 2),
        Cause(cleared_at=NOW),
        None,
    ),
    "the verify window is over, the fault gone": (
        ticket(State.RESOLVED, resolved_at=NOW - HOUR),
        Cause(cleared_at=NOW),
        Step(Event.CLOSE),
    ),
    "a cell fault with a ticket speaks for it now": (
        ticket(State.ASSIGNED, recovered_at=None),
        Cause(open_fault=FAULT, suppressed=True, spoken_for_by=99),
        Step(Event.MERGE, Said(reason="part of a wider fault", parent_id=99)),
    ),
    "a cell fault speaks for it, but has no ticket: it stays": (
        ticket(State.ASSIGNED, recovered_at=None),
        Cause(open_fault=FAULT, suppressed=True),
        None,
    ),
    "a cell fault speaks for it, but somebody accepted: they keep it": (
        ticket(State.ACCEPTED, recovered_at=None),
        Cause(open_fault=FAULT, suppressed=True, spoken_for_by=99),
        None,
    ),
    "raised by hand, no telemetry tells of it: it waits for people": (
        ticket(State.ASSIGNED, fault_id=None, recovered_at=None),
        Cause(),
        None,
    ),
    "raised by hand and resolved: closed when the verify window is over": (
        ticket(State.RESOLVED, fault_id=None, recovered_at=None, resolved_at=NOW - HOUR),
        Cause(),
        Step(Event.CLOSE),
    ),
    "operations reopened it although telemetry is well: recovery leaves it to them": (
        ticket(State.ASSIGNED),
        Cause(cleared_at=NOW, wanted=True),
        None,
    ),
    "gone while somebody travelled, who gave it back: nobody else is sent": (
        ticket(State.NEW),
        Cause(cleared_at=NOW),
        Step(Event.RECOVER, Said(recovered_at=NOW)),
    ),
}


@pytest.mark.parametrize("story", FOLLOWING)
def test_the_engine_follows_telemetry(story: str) -> None:
    """What telemetry says of a ticket's cause decides the engine's next step."""
    before, cause, expected = FOLLOWING[story]
    assert follow(before, cause, NOW, HOUR) == expected


def test_reopened_by_a_fault_it_starts_over() -> None:
    """It goes over to the fault that fired, counts the return, and stays with its technician."""
    said = Said(reason="fired again", fault_id=LATER_FAULT)
    again = step(ticket(State.RESOLVED), Event.REOPEN, said, ENGINE)
    assert again.state is State.ASSIGNED
    assert (again.fault_id, again.reopened, again.technician_id) == (LATER_FAULT, 1, 7)
    assert (again.resolved_at, again.recovered_at) == (None, None)


def test_reopened_without_technician_it_is_new() -> None:
    """Recovery resolved it before anyone was sent; now somebody has to be found."""
    said = Said(reason="fired again", fault_id=LATER_FAULT)
    nobodys = ticket(State.RESOLVED, technician_id=None)
    assert step(nobodys, Event.REOPEN, said, ENGINE).state is State.NEW


def test_no_move_leaves_an_ended_ticket() -> None:
    """Ended is ended, for everybody."""
    assert not [move for move in MOVES if move.source in ENDED]


def test_the_page_in_the_docs_is_drawn_from_the_table() -> None:
    """Change the table, and run `python -m fleet.tickets.diagram` into the page."""
    docs = Path(__file__).parents[2] / "docs"
    written = (docs / "reference" / "ticket-lifecycle.md").read_text(encoding="utf-8")
    assert written == page()
