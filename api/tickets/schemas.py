"""Tickets on the wire, as they are shown."""

from typing import Any, Literal
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

from api.instants import Instant
from fleet.rules.severity import Severity
from fleet.sla.policy import Clock, Level
from fleet.tickets.lifecycle import Event, Role
from fleet.tickets.resolution import ActionCode, CauseCode
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
    "pinned": False,
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
    "latitude": None,
    "longitude": None,
    "cause": None,
    "action": None,
    "parts_used": None,
    "photos": None,
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
    scope: Literal["terminal", "cell", "platform"]
    subject: str = Field(description="The terminal or the cell it is about")
    rule: str
    item: str
    fault_id: UUID | None = Field(description="Null where it was raised by hand")
    cell: str
    terminal: str | None
    site: str | None
    latitude: float | None
    longitude: float | None
    technician: str | None
    technician_name: str | None
    pinned: bool = Field(description="A person chose the technician: dispatch does not move it")
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
    latitude: float | None = Field(
        description="Where the actor's device was; null to other technicians, and to testers"
    )
    longitude: float | None
    cause: CauseCode | None = Field(description="With `resolve`: what was the matter")
    action: ActionCode | None = Field(description="With `resolve`: what was done")
    parts_used: list[str] | None
    photos: list[int] | None = Field(description="With `resolve`: attachments that show it")


class TicketDetail(Ticket):
    """A ticket with all that happened to it, in order."""

    model_config = ConfigDict(
        json_schema_extra={"example": TICKET_EXAMPLE | {"transitions": [_TRANSITION]}}
    )

    transitions: list[Transition]
