"""What a move makes of a ticket."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from types import MappingProxyType
from uuid import UUID

from fleet.rules.severity import Severity
from fleet.tickets.lifecycle import Event, Move, Need
from fleet.tickets.resolution import ActionCode, CauseCode
from fleet.tickets.ticket import State, Ticket

OTHER_LINE: Mapping[int, int] = MappingProxyType({1: 2, 2: 1})
"""Whom a ticket is handed over to: branch staff are the first line, field engineers the second."""


@dataclass(frozen=True, slots=True)
class Said:
    """What comes with an event: by a person in the request, by the engine from telemetry.

    `place` is where the actor's device was: latitude and longitude, WGS 84. `photos` are keys of
    attachments.
    """

    reason: str | None = None
    note: str | None = None
    technician_id: int | None = None
    parent_id: int | None = None
    fault_id: UUID | None = None
    recovered_at: datetime | None = None
    device_at: datetime | None = None
    place: tuple[float, float] | None = None
    pinned: bool = False
    cause: CauseCode | None = None
    action: ActionCode | None = None
    parts_used: tuple[str, ...] | None = None
    photos: tuple[int, ...] | None = None
    severity: Severity | None = None

    def needs_met(self) -> frozenset[Need]:
        """Which of the needs of moves this meets."""
        given = {
            Need.REASON: self.reason,
            Need.TECHNICIAN: self.technician_id,
            Need.PARENT: self.parent_id,
            Need.CAUSE: self.cause,
            Need.ACTION: self.action,
        }
        return frozenset(need for need, value in given.items() if value is not None)


def after(ticket: Ticket, move: Move, said: Said, at: datetime) -> Ticket:
    """The ticket as the move leaves it; `at` is the server's time."""
    changed = _EFFECTS.get(move.event, _unchanged)(ticket, said)
    if move.target is State.RESOLVED and ticket.state is not State.RESOLVED:
        changed = replace(changed, resolved_at=at)
    held_in = ticket.state if move.event is Event.HOLD else ticket.held_in
    return replace(
        changed,
        state=move.target,
        version=ticket.version + 1,
        held_in=held_in if move.target is State.ON_HOLD else None,
    )


def _unchanged(ticket: Ticket, _: Said) -> Ticket:
    return ticket


def _assign(ticket: Ticket, said: Said) -> Ticket:
    return replace(ticket, technician_id=said.technician_id, pinned=said.pinned)


def _let_go(ticket: Ticket, _: Said) -> Ticket:
    return replace(ticket, technician_id=None, pinned=False)


def _hand_over(ticket: Ticket, said: Said) -> Ticket:
    return replace(_let_go(ticket, said), line=OTHER_LINE[ticket.line])


def _recover(ticket: Ticket, said: Said) -> Ticket:
    # Told again of a recovery that nothing undid, it still recovered when it first did.
    return replace(ticket, recovered_at=ticket.recovered_at or said.recovered_at)


def _relapse(ticket: Ticket, said: Said) -> Ticket:
    return replace(ticket, recovered_at=None, fault_id=said.fault_id or ticket.fault_id)


def _reopen(ticket: Ticket, said: Said) -> Ticket:
    # Reopened by a person while telemetry says the fault is gone: only a person resolves it now.
    again = ticket if said.fault_id is None else _relapse(ticket, said)
    return replace(again, resolved_at=None, reopened=ticket.reopened + 1)


def _rate(ticket: Ticket, said: Said) -> Ticket:
    return replace(ticket, severity=said.severity)


def _merge(ticket: Ticket, said: Said) -> Ticket:
    return replace(ticket, parent_id=said.parent_id)


_EFFECTS: Mapping[Event, Callable[[Ticket, Said], Ticket]] = MappingProxyType(
    {
        Event.ASSIGN: _assign,
        Event.DECLINE: _let_go,
        Event.TIME_OUT: _let_go,
        Event.HAND_OVER: _hand_over,
        Event.RECOVER: _recover,
        Event.RELAPSE: _relapse,
        Event.RATE: _rate,
        Event.REOPEN: _reopen,
        Event.MERGE: _merge,
    }
)
