"""Whatever happens to a ticket, in whatever order, it stays within its lifecycle."""

from datetime import UTC, datetime, timedelta
from itertools import pairwise
from uuid import UUID

from hypothesis import given, note
from hypothesis import strategies as st

from fleet.tickets.following import Cause, follow
from fleet.tickets.lifecycle import MOVES, Actor, Event, Move, Refusal, Role, Why, allowed, decide
from fleet.tickets.outcome import Said, after
from fleet.tickets.resolution import ActionCode, CauseCode
from fleet.tickets.ticket import ENDED, State, Ticket

BEGIN = datetime(2026, 11, 23, 8, tzinfo=UTC)
VERIFY = timedelta(hours=1)
FAULTS = [UUID(int=n) for n in (1, 2, 3)]
TECHNICIANS = (7, 8)
WITH_TECHNICIAN = {State.ASSIGNED, State.ACCEPTED, State.EN_ROUTE, State.ON_SITE, State.ON_HOLD}

actors = st.one_of(
    st.builds(Actor, st.just(Role.TECHNICIAN), st.sampled_from(TECHNICIANS)),
    st.builds(Actor, st.sampled_from([Role.ENGINE, Role.OPERATIONS, Role.ADMIN, Role.TESTER])),
)
words = st.builds(
    Said,
    reason=st.none() | st.just("because"),
    technician_id=st.none() | st.sampled_from(TECHNICIANS),
    parent_id=st.none() | st.just(99),
    fault_id=st.none() | st.sampled_from(FAULTS),
    recovered_at=st.just(BEGIN),
    pinned=st.booleans(),
    cause=st.none() | st.sampled_from(CauseCode),
    action=st.none() | st.sampled_from(ActionCode),
)
causes = st.one_of(
    st.builds(Cause, cleared_at=st.just(BEGIN), wanted=st.booleans()),
    st.builds(Cause, open_fault=st.sampled_from(FAULTS)),
    st.builds(
        Cause,
        open_fault=st.sampled_from(FAULTS),
        suppressed=st.just(True),
        spoken_for_by=st.none() | st.just(99),
    ),
)
attempts = st.lists(st.tuples(st.sampled_from(Event), actors, words), max_size=40)


def new_ticket() -> Ticket:
    return Ticket(1, 1, State.NEW, FAULTS[0])


def lived(story: list[tuple[Event, Actor, Said]]) -> list[Ticket]:
    """The ticket after each attempt that moved it, the first as raised."""
    lives = [new_ticket()]
    for number, (event, actor, said) in enumerate(story):
        decision = decide(lives[-1], event, actor, said.needs_met())
        if isinstance(decision, Move):
            at = BEGIN + timedelta(minutes=number)
            lives.append(after(lives[-1], decision, said, at))
    return lives


@given(story=attempts)
def test_a_ticket_never_leaves_its_lifecycle(story: list[tuple[Event, Actor, Said]]) -> None:
    """Anybody tries anything: the ticket takes only ways of the table, one version at a time.

    Who works on it is known while somebody does; what it holds is known while it is held; and no
    end is ever left.
    """
    ways = {(move.source, move.target) for move in MOVES}
    lives = lived(story)
    for before, now in pairwise(lives):
        assert (before.state, now.state) in ways
        assert before.state not in ENDED
        assert now.version == before.version + 1
    for ticket in lives:
        assert (ticket.technician_id is not None) or ticket.state not in WITH_TECHNICIAN
        assert (ticket.held_in is not None) == (ticket.state is State.ON_HOLD)
        assert (ticket.resolved_at is not None) or ticket.state not in {
            State.RESOLVED,
            State.CLOSED,
        }


@given(story=attempts, actor=actors, event=st.sampled_from(Event))
def test_a_refusal_is_never_about_what_is_offered(
    story: list[tuple[Event, Actor, Said]], actor: Actor, event: Event
) -> None:
    """What a ticket offers, it does, given what is needed; what it does not offer, it refuses."""
    ticket = lived(story)[-1]
    decision = decide(ticket, event, actor)
    offered = event in allowed(ticket, actor)
    note(f"{ticket} {decision}")
    if isinstance(decision, Refusal):
        assert offered == (decision.why is Why.MISSING)
    else:
        assert offered


@given(story=attempts, late=st.booleans())
def test_there_is_nothing_to_do_while_the_fault_is_as_it_was(
    story: list[tuple[Event, Actor, Said]], late: bool
) -> None:
    """The tickets that the engine's statement leaves out are those it would not touch."""
    ticket = lived(story)[-1]
    if ticket.state in ENDED | {State.RESOLVED} or ticket.recovered_at is not None:
        return
    at = BEGIN + (2 * VERIFY if late else timedelta())
    assert follow(ticket, Cause(open_fault=ticket.fault_id), at, VERIFY) is None


@given(story=attempts, cause=causes, late=st.booleans())
def test_the_engine_only_wants_what_it_may_and_comes_to_rest(
    story: list[tuple[Event, Actor, Said]], cause: Cause, late: bool
) -> None:
    """Whatever state people left a ticket in, telemetry's steps are moves of the table.

    After a few of them there is nothing more to do: the engine never goes round in circles.
    """
    ticket = lived(story)[-1]
    if ticket.state in ENDED:
        return
    at = BEGIN + (2 * VERIFY if late else timedelta())
    for _ in range(3):
        step = follow(ticket, cause, at, VERIFY)
        if step is None:
            return
        decision = decide(ticket, step.event, Actor(Role.ENGINE), step.said.needs_met())
        assert isinstance(decision, Move), decision
        ticket = after(ticket, decision, step.said, at)
        if ticket.state in ENDED:
            return
    assert follow(ticket, cause, at, VERIFY) is None
