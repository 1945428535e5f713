"""Corrections on the wire."""

from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from api.instants import GivenInstant, Instant
from api.windows.schemas import Line
from fleet.service_state import ServiceState

_ASKED: dict[str, Any] = {
    "state": "in_service",
    "from": "2026-11-22T06:00:00Z",
    "to": "2026-11-22T06:40:00Z",
    "reason": "The switch's journal shows withdrawals all the while",
}


class CorrectionAsked(BaseModel):
    """What a terminal's state was instead."""

    model_config = ConfigDict(
        extra="forbid", populate_by_name=True, json_schema_extra={"example": _ASKED}
    )

    state: ServiceState
    begin: GivenInstant = Field(alias="from")
    end: GivenInstant = Field(alias="to")
    reason: Line


class Correction(BaseModel):
    """A correction; what was recorded stays beneath it."""

    model_config = ConfigDict(
        populate_by_name=True,
        json_schema_extra={
            "example": _ASKED
            | {"id": 4, "terminal": "ATM-0001", "author": "ops"}
            | {"created_at": "2026-11-23T08:00:00Z"}
        },
    )

    id: int
    terminal: str
    state: ServiceState
    begin: Instant = Field(alias="from")
    end: Instant = Field(alias="to")
    author: str
    reason: str
    created_at: Instant
    withdrawn_at: Instant | None = Field(description="Since when it counts no more")
    withdrawn_by: str | None
