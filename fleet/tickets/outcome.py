"""What a move makes of a ticket."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from types import MappingProxyType
from uuid import UUID

from fleet.tickets.lifecycle import Event, Move, Need
from fleet.tickets.ticket import State, Ticket


@dataclass(frozen=True, slots=True)
class Said:
    """What comes with an event: by a person in the request, by the engine from telemetry."""

    reason: str | None = None
    note: str | None = None
    technician_id: int | None = None
    parent_id: int | None = None
    fault_id: UUID | None = None
    recovered_at: datetime | None = None
    device_at: datetime | None = None

    def needs_met(self) -> frozenset[Need]:
        """Which of the needs of moves this meets."""
        given = {
            Need.REASON: self.reason,
            Need.TECHNICIAN: self.technician_id,
            Need.PARENT: self.parent_id,
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
    return replace(ticket, technician_id=said.technician_id)


def _decline(ticket: Ticket, _: Said) -> Ticket:
    return replace(ticket, technician_id=None)


def _recover(ticket: Ticket, said: Said) -> Ticket:
    return replace(ticket, recovered_at=said.recovered_at)


def _relapse(ticket: Ticket, said: Said) -> Ticket:
    return replace(ticket, recovered_at=None, fault_id=said.fault_id or ticket.fault_id)


def _reopen(ticket: Ticket, said: Said) -> Ticket:
    # Reopened by a person while telemetry says the fault is gone: only a person resolves it now.
    again = ticket if said.fault_id is None else _relapse(ticket, said)
    return replace(again, resolved_at=None, reopened=ticket.reopened + 1)


def _merge(ticket: Ticket, said: Said) -> Ticket:
    return replace(ticket, parent_id=said.parent_id)


_EFFECTS: Mapping[Event, Callable[[Ticket, Said], Ticket]] = MappingProxyType(
    {
        Event.ASSIGN: _assign,
        Event.DECLINE: _decline,
        Event.RECOVER: _recover,
        Event.RELAPSE: _relapse,
        Event.REOPEN: _reopen,
        Event.MERGE: _merge,
    }
)
