"""Tickets on the wire."""

from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from api.instants import GivenInstant, Instant
from fleet.rules.rule import Severity
from fleet.sla.policy import Clock, Level
from fleet.tickets.lifecycle import Event, Role
from fleet.tickets.ticket import State

TICKET_EXAMPLE: dict[str, Any] = {
    "id": 17,
    "version": 2,
    "state": "ASSIGNED",
    "allowed": ["decline", "accept"],
    "severity": "major",
    "title": "Card reader jammed",
    "remedy": "Open the fascia, remove the card, test the transport.",
    "component": "cardReader",
    "skill": "card",
    "line": 2,
    "parts": [],
    "scope": "terminal",
    "subject": "ATM-0001",
    "rule": "card_reader_jammed",
    "item": "",
    "fault_id": "0d9fca52-57d6-4a4f-8b8a-3f4f4bb1a0c1",
    "cell": "C001",
    "terminal": "ATM-0001",
    "site": "Site 001-1",
    "latitude": 30.2741,
    "longitude": 120.1551,
    "technician": "T01",
    "technician_name": "Technician 01",
    "parent_id": None,
    "previous_id": None,
    "reopened": 0,
    "created_at": "2026-11-23T08:00:30.4Z",
    "changed_at": "2026-11-23T08:00:30.4Z",
    "resolved_at": None,
    "recovered_at": None,
    "clocks": [
        {
            "clock": "response",
            "target_minutes": 30,
            "used_s": 1234.5,
            "due_at": "2026-11-23T08:30:30.4Z",
            "stopped_at": None,
            "paused": False,
            "level": "ok",
        }
    ],
}
_TRANSITION: dict[str, Any] = {
    "event": "assign",
    "from_state": "NEW",
    "to_state": "ASSIGNED",
    "actor": "engine",
    "role": "engine",
    "reason": None,
    "note": None,
    "technician": "T01",
    "device_at": None,
    "at": "2026-11-23T08:00:30.4Z",
}


class TicketClock(BaseModel):
    """A clock of the service level: computed whenever it is read, stored nowhere."""

    clock: Clock
    target_minutes: int
    used_s: float = Field(description="Time on the calendar, minus holds")
    due_at: Instant | None = Field(
        description="When the target is reached; null while a hold without end keeps it open"
    )
    stopped_at: Instant | None = Field(description="Since when it runs no more")
    paused: bool = Field(description="Whether a hold for a listed reason stops it now")
    level: Level


class Ticket(BaseModel):
    """Work to do: what is broken, where, what helps, who has it."""

    model_config = ConfigDict(json_schema_extra={"example": TICKET_EXAMPLE})

    id: int
    version: int = Field(description="Grows by one with every move")
    state: State
    allowed: list[Event] = Field(description="What you may do with it next")
    severity: Severity
    title: str
    remedy: str
    component: str
    skill: str
    line: int = Field(description="1: branch staff can clear it; 2: a field engineer")
    parts: list[str]
    scope: Literal["terminal", "cell"]
    subject: str = Field(description="The terminal or the cell it is about")
    rule: str
    item: str
    fault_id: UUID
    cell: str
    terminal: str | None
    site: str | None
    latitude: float | None
    longitude: float | None
    technician: str | None
    technician_name: str | None
    parent_id: int | None = Field(description="The ticket it was merged into")
    previous_id: int | None = Field(description="The ended ticket of the same cause before it")
    reopened: int
    created_at: Instant
    changed_at: Instant
    resolved_at: Instant | None
    recovered_at: Instant | None = Field(
        description="Since when telemetry says that the fault is gone"
    )
    clocks: list[TicketClock] = Field(
        description="Response, arrival and restore; empty where no service level is agreed"
    )


class Transition(BaseModel):
    """One thing that happened to a ticket: what, by whom, when, why."""

    model_config = ConfigDict(json_schema_extra={"example": _TRANSITION})

    event: Event
    from_state: State | None
    to_state: State
    actor: str
    role: Role
    reason: str | None
    note: str | None
    technician: str | None = Field(description="Who has the ticket after it")
    device_at: Instant | None = Field(description="What the actor's device said")
    at: Instant = Field(description="What the server said")


class TicketDetail(Ticket):
    """A ticket with all that happened to it, in order."""

    model_config = ConfigDict(
        json_schema_extra={"example": TICKET_EXAMPLE | {"transitions": [_TRANSITION]}}
    )

    transitions: list[Transition]


class MoveRequest(BaseModel):
    """A move somebody asks for; which moves need what, the lifecycle says."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={
            "examples": [
                {"event": "accept", "device_at": "2026-11-23T16:05:00+08:00"},
                {"event": "hold", "reason": "parts", "note": "Feeder module is on its way"},
                {"event": "assign", "technician": "T02"},
            ]
        },
    )

    event: Event
    reason: Annotated[
        str | None, StringConstraints(strip_whitespace=True, min_length=1, max_length=200)
    ] = None
    note: Annotated[str | None, StringConstraints(max_length=4000)] = None
    technician: str | None = Field(default=None, description="For `assign`: their code")
    parent: int | None = Field(default=None, description="For `merge`: the ticket it goes into")
    device_at: GivenInstant | None = Field(
        default=None, description="When it happened, by the clock of your device"
    )
