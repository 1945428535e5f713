"""Terminals and their timeline on the wire."""

from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

from api.faults.schemas import FAULT_EXAMPLE, Fault
from api.instants import Instant
from api.tickets.schemas import TICKET_EXAMPLE, Ticket
from fleet.rules.severity import Severity
from fleet.service_state import ServiceState
from fleet.tickets.ticket import State

Kind = Literal["atm", "recycler", "kiosk"]

_TERMINAL: dict[str, Any] = {
    "id": "ATM-0001",
    "kind": "atm",
    "vendor": "vendor-a",
    "model": "A-100",
    "region": "region-01",
    "site": "Site 001-1",
    "latitude": 30.2741,
    "longitude": 120.1551,
    "cell": "C001",
    "cell_method": "polygon",
    "map_version": 7,
    "skills": ["cash"],
    "commissioned_at": "2026-01-01T00:00:00Z",
    "decommissioned_at": None,
    "service_state": "out_of_service",
    "service_since": "2026-11-23T08:00:00.123Z",
    "connected": True,
    "heard_at": "2026-11-23T08:00:30.201Z",
    "clock_skew_s": -1.5,
    "clock_measured_at": "2026-11-23T08:00:30.201Z",
}
_SNAPSHOT: dict[str, Any] = {
    "ts": "2026-11-23T08:00:30.123Z",
    "arrived_at": "2026-11-23T08:00:30.201Z",
    "boot": 17,
    "seq": 4211,
    "status": {"cardReader": {"device": "online", "media": "jammed"}},
    "storage": [{"id": "CST1", "status": "ok", "replenishmentStatus": "low", "count": 312}],
    "metrics": {"temperature_c": 31.2, "rtt_ms": 42, "disk_free_pct": 40},
}


class Terminal(BaseModel):
    """A terminal and how it is now."""

    model_config = ConfigDict(json_schema_extra={"example": _TERMINAL})

    id: str = Field(description="The id on the wire")
    kind: Kind
    vendor: str
    model: str
    region: str
    site: str
    latitude: float
    longitude: float
    cell: str = Field(description="UNASSIGNED when it is in none")
    cell_method: Literal["override", "polygon", "border", "unassigned"] = Field(
        description="Why it is that cell; on a border, of several the lowest code"
    )
    map_version: int | None = Field(
        description="The version of the map that was in force when it came there"
    )
    skills: list[str] = Field(description="What working on it takes, besides what the fault does")
    commissioned_at: Instant
    decommissioned_at: Instant | None
    service_state: ServiceState
    service_since: Instant | None
    connected: bool | None = Field(description="Null when it never was")
    heard_at: Instant | None = Field(description="When anything was last heard of it")
    clock_skew_s: float | None = Field(
        description="By how much its clock is ahead of ours; negative: behind, or that far away"
    )
    clock_measured_at: Instant | None = Field(
        description="Since when that is so; a change of a second is noted"
    )


class Snapshot(BaseModel):
    """The latest telemetry of a terminal, in the words of XFS4IoT."""

    model_config = ConfigDict(json_schema_extra={"example": _SNAPSHOT})

    ts: Instant = Field(description="By the terminal's clock")
    arrived_at: Instant | None
    boot: int | None
    seq: int | None
    status: dict[str, Any] | None
    storage: list[Any] | None
    metrics: dict[str, Any] | None


class TerminalDetail(Terminal):
    """A terminal with its latest telemetry and what is open on it."""

    model_config = ConfigDict(
        json_schema_extra={
            "example": _TERMINAL
            | {
                "snapshot": _SNAPSHOT,
                "open_faults": [FAULT_EXAMPLE],
                "open_tickets": [TICKET_EXAMPLE],
            }
        }
    )

    snapshot: Snapshot | None = Field(description="Null when it never sent any")
    open_faults: list[Fault]
    open_tickets: list[Ticket]


class Stretch(BaseModel):
    """From when to when; the end is null while it goes on."""

    model_config = ConfigDict(populate_by_name=True)

    begin: Instant = Field(alias="from")
    end: Instant | None = Field(alias="to")


class StateStretch(Stretch):
    """A time in one service state, and the rules that made it so when it began."""

    kind: Literal["state"]
    state: ServiceState
    causes: list[str]


class FaultStretch(Stretch):
    """A fault, from when its condition became true."""

    kind: Literal["fault"]
    id: UUID
    rule: str
    severity: Severity
    title: str


class TicketStretch(Stretch):
    """A ticket, until it ended; in the state it is in now."""

    kind: Literal["ticket"]
    id: int
    state: State
    rule: str
    severity: Severity
    title: str
    technician: str | None


Entry = Annotated[StateStretch | FaultStretch | TicketStretch, Field(discriminator="kind")]


class Timeline(BaseModel):
    """What happened to a terminal in a window, in the order in which it began."""

    model_config = ConfigDict(
        populate_by_name=True,
        json_schema_extra={
            "example": {
                "terminal": "ATM-0001",
                "from": "2026-11-22T00:00:00Z",
                "to": "2026-11-23T00:00:00Z",
                "items": [
                    {
                        "kind": "state",
                        "from": "2026-11-22T06:00:00Z",
                        "to": "2026-11-22T06:40:00Z",
                        "state": "out_of_service",
                        "causes": ["card_reader_jammed"],
                    },
                    {
                        "kind": "fault",
                        "from": "2026-11-22T06:00:00Z",
                        "to": "2026-11-22T06:40:00Z",
                        "id": FAULT_EXAMPLE["id"],
                        "rule": "card_reader_jammed",
                        "severity": "major",
                        "title": "Card reader jammed",
                    },
                ],
            }
        },
    )

    terminal: str
    begin: Instant = Field(alias="from")
    end: Instant = Field(alias="to")
    items: list[Entry]
