"""Events of the stream: the data of each, as JSON."""

from uuid import UUID

from pydantic import BaseModel

from api.faults.schemas import FaultMove
from api.instants import Instant
from fleet.rules.severity import Severity
from fleet.tickets.lifecycle import Event
from fleet.tickets.ticket import State


class FaultEvent(BaseModel):
    """`event: fault`: a fault fired, cleared, is more or less severe, was suppressed by a cell
    fault, or released."""

    id: UUID
    change: FaultMove
    at: Instant
    cell: str
    terminal: str | None
    rule: str
    component: str
    severity: Severity
    title: str


class TicketEvent(BaseModel):
    """`event: ticket`: a move of a ticket, with who has it after the move."""

    id: int
    change: Event
    from_state: State | None
    to_state: State
    at: Instant
    cell: str
    terminal: str | None
    rule: str
    component: str
    severity: Severity
    title: str
    actor: str
    technician: str | None
