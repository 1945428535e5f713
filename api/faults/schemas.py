"""Faults on the wire."""

from typing import Any, Literal
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

from api.instants import Instant
from fleet.rules.severity import Severity

FAULT_EXAMPLE: dict[str, Any] = {
    "id": "0d9fca52-57d6-4a4f-8b8a-3f4f4bb1a0c1",
    "scope": "terminal",
    "subject": "ATM-0001",
    "terminal": "ATM-0001",
    "cell": "C001",
    "rule": "card_reader_jammed",
    "item": "",
    "severity": "major",
    "component": "cardReader",
    "impact": "out_of_service",
    "title": "Card reader jammed",
    "remedy": "Open the fascia, remove the card, test the transport.",
    "skill": "card",
    "line": 2,
    "parts": [],
    "started_at": "2026-11-23T08:00:00.123Z",
    "fired_at": "2026-11-23T08:00:30.123Z",
    "cleared_at": None,
    "flapping_at": None,
    "steady_at": None,
    "suppressed_by": None,
    "catalogue": "2026.11+3f2a9c1b7d10",
    "ticket": 17,
}


FaultMove = Literal[
    "fired", "escalated", "eased", "cleared", "suppressed", "released", "flapping", "steady"
]


class Fault(BaseModel):
    """Something wrong, from when its condition became true until telemetry says it is gone."""

    model_config = ConfigDict(json_schema_extra={"example": FAULT_EXAMPLE})

    id: UUID
    scope: Literal["terminal", "cell", "platform"]
    subject: str = Field(description="The terminal or the cell it is about")
    terminal: str | None
    cell: str
    rule: str
    item: str = Field(description="Which of several alike: a cassette's id, for example")
    severity: Severity = Field(description="As it is now, or was in the end")
    component: str
    impact: str = Field(description="The service state it causes")
    title: str
    remedy: str
    skill: str
    line: int = Field(description="1: branch staff can clear it; 2: a field engineer")
    parts: list[str]
    started_at: Instant = Field(description="When the condition became true")
    fired_at: Instant = Field(description="When its hold time was over")
    cleared_at: Instant | None = Field(description="Null while it is open")
    flapping_at: Instant | None = Field(description="When it began to go to and fro")
    steady_at: Instant | None = Field(description="When that ended; null while it flaps")
    suppressed_by: UUID | None = Field(description="The cell fault that speaks for it")
    catalogue: str = Field(description="The rule catalogue that decided")
    ticket: int | None = Field(description="Its latest ticket")


class FaultChange(BaseModel):
    """A change of a fault: at `at` in event time, stored at `recorded_at`."""

    change: FaultMove
    severity: Severity | None = Field(
        description="With `escalated` and `eased`: what it is from then on"
    )
    at: Instant
    recorded_at: Instant


class FaultDetail(Fault):
    """A fault with its changes, in order."""

    model_config = ConfigDict(
        json_schema_extra={
            "example": FAULT_EXAMPLE
            | {
                "changes": [
                    {
                        "change": "fired",
                        "severity": None,
                        "at": "2026-11-23T08:00:30.123Z",
                        "recorded_at": "2026-11-23T08:00:30.201Z",
                    }
                ]
            }
        }
    )

    changes: list[FaultChange]
