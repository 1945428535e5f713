"""Tickets on the wire."""

from collections.abc import Callable, Sequence
from typing import Annotated, Any, Literal, Self
from uuid import UUID

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    StringConstraints,
    model_validator,
)

from api.instants import GivenInstant, Instant
from fleet.rules.rule import COMPONENTS, SKILLS
from fleet.rules.severity import Severity
from fleet.sla.policy import Clock, Level
from fleet.tickets.lifecycle import Event, Role
from fleet.tickets.resolution import ActionCode, CauseCode
from fleet.tickets.ticket import State

Word = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=200)]

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
    latitude: float | None = Field(description="Where the actor's device was")
    longitude: float | None
    cause: CauseCode | None = Field(description="With `resolve`: what was the matter")
    action: ActionCode | None = Field(description="With `resolve`: what was done")
    parts_used: list[str] | None


class TicketDetail(Ticket):
    """A ticket with all that happened to it, in order."""

    model_config = ConfigDict(
        json_schema_extra={"example": TICKET_EXAMPLE | {"transitions": [_TRANSITION]}}
    )

    transitions: list[Transition]


def _one_of(values: Sequence[str]) -> Callable[[str], str]:
    def check(value: str) -> str:
        if value not in values:
            raise ValueError(f"should be one of {', '.join(values)}")
        return value

    return check


Component = Annotated[
    str, AfterValidator(_one_of(COMPONENTS)), Field(json_schema_extra={"enum": [*COMPONENTS]})
]
Skill = Annotated[
    str, AfterValidator(_one_of(SKILLS)), Field(json_schema_extra={"enum": [*SKILLS]})
]


class RaiseRequest(BaseModel):
    """A ticket raised by hand: of a `fault` alone, or of a `terminal` or a `cell` with the rest."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={
            "examples": [
                {
                    "fault": "0d9fca52-57d6-4a4f-8b8a-3f4f4bb1a0c1",
                    "note": "Asked for by the branch",
                },
                {
                    "terminal": "ATM-0001",
                    "component": "terminal",
                    "title": "Screen is scratched",
                    "severity": "minor",
                    "skill": "electronics",
                    "line": 2,
                },
            ]
        },
    )

    fault: UUID | None = Field(default=None, description="An open fault; it says all the rest")
    terminal: str | None = None
    cell: str | None = None
    component: Component | None = Field(
        default=None, description="What it is about; a subject has one live ticket of each by hand"
    )
    title: Word | None = None
    severity: Severity | None = None
    skill: Skill | None = Field(default=None, description="What it takes")
    line: Literal[1, 2] = Field(default=2, description="1: branch staff; 2: a field engineer")
    remedy: Annotated[str, StringConstraints(max_length=4000)] = ""
    parts: Annotated[list[Word], Field(max_length=50)] = []
    note: Annotated[str | None, StringConstraints(max_length=4000)] = None

    @property
    def about(self) -> str:
        """Which of the three it is of."""
        return next(name for name in _ABOUT if getattr(self, name) is not None)

    @model_validator(mode="after")
    def _whole(self) -> Self:
        given = [name for name in _ABOUT if getattr(self, name) is not None]
        if len(given) != 1:
            raise ValueError("name one of fault, terminal, cell")
        said = [name for name in _SAID_BY_A_FAULT if getattr(self, name) is not None]
        if self.fault is not None and said:
            raise ValueError(f"the fault says what {said[0]} is")
        if self.fault is None and len(said) < len(_SAID_BY_A_FAULT):
            missing = next(name for name in _SAID_BY_A_FAULT if name not in said)
            raise ValueError(f"without a fault, {missing} is needed")
        return self


_ABOUT = ("fault", "terminal", "cell")
_SAID_BY_A_FAULT = ("component", "title", "severity", "skill")


class Position(BaseModel):
    """A place on earth, WGS 84."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={"example": {"latitude": 30.2741, "longitude": 120.1551}},
    )

    latitude: float = Field(ge=-90, le=90)
    longitude: float = Field(ge=-180, le=180)


class MoveRequest(BaseModel):
    """A move somebody asks for; which moves need what, the lifecycle says."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={
            "examples": [
                {"event": "accept", "device_at": "2026-11-23T16:05:00+08:00"},
                {"event": "hold", "reason": "parts", "note": "Feeder module is on its way"},
                {"event": "assign", "technician": "T02"},
                {
                    "event": "resolve",
                    "cause": "wear",
                    "action": "replaced",
                    "parts_used": ["transport-rollers"],
                    "note": "Rollers were smooth",
                },
            ]
        },
    )

    event: Event
    reason: Word | None = None
    note: Annotated[str | None, StringConstraints(max_length=4000)] = None
    technician: str | None = Field(default=None, description="For `assign`: their code")
    pin: bool = Field(
        default=True, description="For `assign`: dispatch shall not move it to somebody else"
    )
    parent: int | None = Field(default=None, description="For `merge`: the ticket it goes into")
    cause: CauseCode | None = Field(default=None, description="For `resolve`: what it was")
    action: ActionCode | None = Field(default=None, description="For `resolve`: what was done")
    parts_used: Annotated[list[Word] | None, Field(max_length=50)] = Field(
        default=None, description="For `resolve`"
    )
    position: Position | None = Field(default=None, description="Where your device is")
    device_at: GivenInstant | None = Field(
        default=None, description="When it happened, by the clock of your device"
    )
