"""The lifecycle of a ticket, as a table: state × event × role × guard → state.

The rules of this file:

- `MOVES` is the only place that knows a move. Code, tests, the diagram in the docs and what the api
  says is `allowed` are made from it.
- A move is found by its event and the state the ticket is in; where an event leads to several
  states, guards that exclude one another choose.
- What guards ask that is not of the ticket is a `Fact`: whoever asks for a move has found it out.
- `technician` as a role means the assignee: nobody moves another technician's ticket.
- CLOSED, CANCELLED and MERGED are ends: no move leaves them. A later fault gets its own ticket.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType

from fleet.tickets.ticket import State, Ticket


class Role(StrEnum):
    """Who acts: the engine is the system itself, the others are roles of accounts."""

    ENGINE = "engine"
    TECHNICIAN = "technician"
    OPERATIONS = "operations"
    ADMIN = "admin"
    TESTER = "tester"


class Event(StrEnum):
    """What happens to a ticket."""

    RAISE = "raise"
    ASSIGN = "assign"
    DECLINE = "decline"
    TIME_OUT = "time_out"
    ACCEPT = "accept"
    DEPART = "depart"
    ARRIVE = "arrive"
    HOLD = "hold"
    RESUME = "resume"
    HAND_OVER = "hand_over"
    RESOLVE = "resolve"
    RECOVER = "recover"
    RELAPSE = "relapse"
    RATE = "rate"
    ESCALATE = "escalate"
    REOPEN = "reopen"
    CLOSE = "close"
    CANCEL = "cancel"
    MERGE = "merge"


REFUSALS = frozenset({Event.DECLINE, Event.TIME_OUT})
"""Whoever had the ticket does not go, and is not sent to it again."""


class Need(StrEnum):
    """What must be said with a move."""

    REASON = "reason"
    TECHNICIAN = "technician"
    PARENT = "parent"
    CAUSE = "cause"
    ACTION = "action"


class Fact(StrEnum):
    """What is true around a ticket, as whoever asks for a move has found out."""

    UNTOLD = "no live ticket tells of its cause"
    FITTING = "the technician has the skill, answers for the cell and is on shift"
    ANOTHER = "the technician is another than whoever has it"
    VERIFIED = "the verify window is over"


ALL_TRUE = frozenset(Fact)


class Guard(StrEnum):
    """What must be true of the ticket for a move, besides its state."""

    RECOVERED = "telemetry says the fault is gone, or never knew of it"
    UNPINNED = "it is not pinned"
    WITH_TECHNICIAN = "it has a technician"
    WITHOUT_TECHNICIAN = "it has no technician"
    HELD_ACCEPTED = "held in ACCEPTED"
    HELD_EN_ROUTE = "held in EN_ROUTE"
    HELD_ON_SITE = "held in ON_SITE"


_HOLDS: Mapping[Guard, Callable[[Ticket], bool]] = MappingProxyType(
    {
        Guard.RECOVERED: lambda ticket: ticket.recovered_at is not None or ticket.by_hand,
        Guard.UNPINNED: lambda ticket: not ticket.pinned,
        Guard.WITH_TECHNICIAN: lambda ticket: ticket.technician_id is not None,
        Guard.WITHOUT_TECHNICIAN: lambda ticket: ticket.technician_id is None,
        Guard.HELD_ACCEPTED: lambda ticket: ticket.held_in is State.ACCEPTED,
        Guard.HELD_EN_ROUTE: lambda ticket: ticket.held_in is State.EN_ROUTE,
        Guard.HELD_ON_SITE: lambda ticket: ticket.held_in is State.ON_SITE,
    }
)


@dataclass(frozen=True, slots=True)
class Move:
    """One row of the table; `source` is nothing for the event that makes the ticket."""

    event: Event
    source: State | None
    target: State
    by: frozenset[Role]
    only_if: frozenset[Guard | Fact] = frozenset()
    needs: frozenset[Need] = frozenset()

    def unmet(self, ticket: Ticket, facts: frozenset[Fact]) -> frozenset[Guard | Fact]:
        """What of its conditions is not true."""
        return frozenset(
            one
            for one in self.only_if
            if not (one in facts if isinstance(one, Fact) else _HOLDS[one](ticket))
        )


_ENGINE = frozenset({Role.ENGINE})
_ASSIGNEE = frozenset({Role.TECHNICIAN})
_STAFF = frozenset({Role.OPERATIONS, Role.ADMIN})
_REASON = frozenset({Need.REASON})
_NAMED = frozenset({Need.TECHNICIAN})
_NAMED_ANEW = frozenset({Need.REASON, Need.TECHNICIAN})
_INTO = frozenset({Need.REASON, Need.PARENT})
_DONE = frozenset({Need.CAUSE, Need.ACTION})

_FITTING = frozenset({Fact.FITTING})
_BETTER: frozenset[Guard | Fact] = frozenset({Fact.FITTING, Guard.UNPINNED})
_RELIEF: frozenset[Guard | Fact] = frozenset({Fact.FITTING, Fact.ANOTHER})
_VERIFIED: frozenset[Guard | Fact] = frozenset({Guard.RECOVERED, Fact.VERIFIED})

_BEFORE_ACCEPTANCE = (State.NEW, State.ASSIGNED)
_UNDER_WAY = (State.ACCEPTED, State.EN_ROUTE, State.ON_SITE)
TAKEN = (*_UNDER_WAY, State.ON_HOLD)
"""Somebody accepted it, and has not resolved it yet."""
_LIVE = (*_BEFORE_ACCEPTANCE, *TAKEN, State.RESOLVED)

MOVES: tuple[Move, ...] = (
    Move(Event.RAISE, None, State.NEW, _ENGINE | _STAFF, frozenset({Fact.UNTOLD})),
    Move(Event.ASSIGN, State.NEW, State.ASSIGNED, _ENGINE | _STAFF, _FITTING, _NAMED),
    Move(Event.ASSIGN, State.ASSIGNED, State.ASSIGNED, _STAFF, _FITTING, _NAMED),
    # What nobody accepted yet may go to somebody who suits better, unless a person pinned it.
    Move(
        Event.ASSIGN,
        State.ASSIGNED,
        State.ASSIGNED,
        _ENGINE,
        _BETTER,
        _NAMED,
    ),
    # Whoever accepted it cannot go on, or shall not: somebody else has it to accept.
    *(Move(Event.ASSIGN, state, State.ASSIGNED, _STAFF, _RELIEF, _NAMED_ANEW) for state in TAKEN),
    # Before they accept it or after: who cannot go, or cannot go on, gives it back.
    *(
        Move(Event.DECLINE, state, State.NEW, _ASSIGNEE, needs=_REASON)
        for state in (State.ASSIGNED, *TAKEN)
    ),
    Move(Event.TIME_OUT, State.ASSIGNED, State.NEW, _ENGINE, needs=_REASON),
    Move(Event.ACCEPT, State.ASSIGNED, State.ACCEPTED, _ASSIGNEE),
    Move(Event.DEPART, State.ACCEPTED, State.EN_ROUTE, _ASSIGNEE),
    Move(Event.ARRIVE, State.EN_ROUTE, State.ON_SITE, _ASSIGNEE),
    *(
        Move(Event.HOLD, state, State.ON_HOLD, _ASSIGNEE | _STAFF, needs=_REASON)
        for state in _UNDER_WAY
    ),
    *(
        Move(Event.RESUME, State.ON_HOLD, state, _ASSIGNEE | _STAFF, frozenset({guard}))
        for state, guard in zip(
            _UNDER_WAY,
            (Guard.HELD_ACCEPTED, Guard.HELD_EN_ROUTE, Guard.HELD_ON_SITE),
            strict=True,
        )
    ),
    # To the other line: branch staff find that it takes an engineer, or the other way round.
    Move(Event.HAND_OVER, State.NEW, State.NEW, _STAFF, needs=_REASON),
    *(
        Move(Event.HAND_OVER, state, State.NEW, _ASSIGNEE | _STAFF, needs=_REASON)
        for state in (State.ASSIGNED, *TAKEN)
    ),
    Move(Event.RESOLVE, State.ON_SITE, State.RESOLVED, _ASSIGNEE, needs=_DONE),
    # Nobody travels yet: recovery resolves. Later it is only noted, for a person is on the way.
    *(Move(Event.RECOVER, state, State.RESOLVED, _ENGINE) for state in _BEFORE_ACCEPTANCE),
    *(Move(Event.RECOVER, state, state, _ENGINE) for state in (*TAKEN, State.RESOLVED)),
    *(Move(Event.RELAPSE, state, state, _ENGINE) for state in (*_BEFORE_ACCEPTANCE, *TAKEN)),
    # Its fault has become more or less severe: the clocks go by that.
    *(Move(Event.RATE, state, state, _ENGINE, needs=_REASON) for state in _LIVE),
    # A clock of the service level ran into its warning or its target: noted, and told.
    *(Move(Event.ESCALATE, state, state, _ENGINE, needs=_REASON) for state in _LIVE),
    *(
        Move(Event.REOPEN, State.RESOLVED, target, _ENGINE | _STAFF, frozenset({guard}), _REASON)
        for target, guard in (
            (State.ASSIGNED, Guard.WITH_TECHNICIAN),
            (State.NEW, Guard.WITHOUT_TECHNICIAN),
        )
    ),
    Move(Event.CLOSE, State.RESOLVED, State.CLOSED, _ENGINE | _STAFF, _VERIFIED),
    *(Move(Event.CANCEL, state, State.CANCELLED, _STAFF, needs=_REASON) for state in _LIVE),
    *(
        Move(Event.MERGE, state, State.MERGED, _ENGINE | _STAFF, needs=_INTO)
        for state in _BEFORE_ACCEPTANCE
    ),
    *(
        Move(Event.MERGE, state, State.MERGED, _STAFF, needs=_INTO)
        for state in (*TAKEN, State.RESOLVED)
    ),
)


@dataclass(frozen=True, slots=True)
class Actor:
    """Who wants to move a ticket; `technician_id` for that role alone."""

    role: Role
    technician_id: int | None = None


class Why(StrEnum):
    """Why a move is refused."""

    ROLE = "this role may not do that"
    NOT_YOURS = "the ticket is not assigned to you"
    NO_SUCH_MOVE = "the ticket's state has no such move"
    GUARD = "the ticket is not ready for that"
    MISSING = "the move needs more to be said"


@dataclass(frozen=True, slots=True)
class Refusal:
    """A move that will not be made; `missing` for `Why.MISSING` alone, `unmet` for `Why.GUARD`."""

    why: Why
    missing: frozenset[Need] = frozenset()
    unmet: frozenset[Guard | Fact] = frozenset()


def may_ever(event: Event, role: Role) -> bool:
    """Whether a role makes a move at all, in whatever state."""
    return any(role in move.by for move in MOVES if move.event is event)


def decide(
    ticket: Ticket,
    event: Event,
    actor: Actor,
    said: frozenset[Need] = frozenset(),
    facts: frozenset[Fact] = ALL_TRUE,
) -> Move | Refusal:
    """The move that an event makes now, or why it makes none.

    Authority is judged before the state, so that what may not be done says nothing of the ticket.
    `said` names what comes with the event, `facts` what is true around the ticket.
    """
    rows = [move for move in MOVES if move.event is event]
    if not may_ever(event, actor.role):
        return Refusal(Why.ROLE)
    if actor.role is Role.TECHNICIAN and ticket.technician_id != actor.technician_id:
        return Refusal(Why.NOT_YOURS)
    rows = [move for move in rows if move.source is ticket.state]
    if not rows:
        return Refusal(Why.NO_SUCH_MOVE)
    rows = [move for move in rows if actor.role in move.by]
    if not rows:
        return Refusal(Why.ROLE)
    ready = [move for move in rows if not move.unmet(ticket, facts)]
    if not ready:
        return Refusal(Why.GUARD, unmet=rows[0].unmet(ticket, facts))
    move = ready[0]
    if missing := move.needs - said:
        return Refusal(Why.MISSING, missing)
    return move


def allowed(ticket: Ticket, actor: Actor, facts: frozenset[Fact] = ALL_TRUE) -> tuple[Event, ...]:
    """What this actor may do next with the ticket, given that they say what is needed."""
    if actor.role is Role.TECHNICIAN and ticket.technician_id != actor.technician_id:
        return ()
    return tuple(
        event
        for event, moves in _OPEN_TO[ticket.state, actor.role]
        if any(not move.unmet(ticket, facts) for move in moves)
    )


def _moves(source: State, role: Role) -> Iterator[tuple[Event, tuple[Move, ...]]]:
    for event in Event:
        rows = tuple(
            move
            for move in MOVES
            if move.event is event and move.source is source and role in move.by
        )
        if rows:
            yield event, rows


# Lists of tickets say of each what may be done next: so looked up, not searched for.
_OPEN_TO: Mapping[tuple[State, Role], Sequence[tuple[Event, tuple[Move, ...]]]] = MappingProxyType(
    {(state, role): tuple(_moves(state, role)) for state in State for role in Role}
)
