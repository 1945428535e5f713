"""Dispatch on the wire."""

from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from api.instants import Instant
from fleet.dispatch.assignment import Reason
from fleet.dispatch.fitness import Shortfall

_EXAMPLE: dict[str, Any] = {
    "at": "2026-11-23T08:00:30.4Z",
    "actor": "engine",
    "technician": "T01",
    "reason": "the lowest cost over all open tickets",
    "candidates": [
        {
            "technician": "T01",
            "sent": True,
            "distance": 0,
            "against": [],
            "cost": {
                "travel_min": 12.4,
                "load_min": 10.0,
                "late_min": 0.0,
                "kept_min": 0.0,
                "level_min": 0.0,
                "total_min": 22.4,
            },
        },
        {
            "technician": "T02",
            "sent": False,
            "distance": 1,
            "against": ["is not on shift"],
            "cost": None,
        },
    ],
    "others": 0,
}


class ChoiceCost(BaseModel):
    """What a choice costs, in minutes."""

    travel_min: float = Field(description="The way there, estimated")
    load_min: float = Field(description="For each visit they have already")
    late_min: float = Field(description="After the service level's time, weighed by severity")
    kept_min: float = Field(description="Taken off, for they have it already")
    level_min: float = Field(description="For each level above the ticket's cell")
    total_min: float


class Candidate(BaseModel):
    """Somebody who answers for the cell or one above it."""

    technician: str
    sent: bool
    distance: int | None = Field(description="0: the cell itself, 1: its parent, and so on")
    against: list[Shortfall] = Field(description="What keeps them from being sent")
    cost: ChoiceCost | None = Field(
        description="Of their place, or, not sent, of the first; null where they may not be sent,"
        " or not to all that is bundled with it, and to whoever may not know how far they have"
    )


class DispatchChoice(BaseModel):
    """Why somebody was sent to a ticket, or nobody."""

    model_config = ConfigDict(json_schema_extra={"example": _EXAMPLE})

    at: Instant
    actor: str = Field(description="`engine`, or who chose by hand")
    technician: str | None = Field(description="Who was sent")
    reason: Reason
    candidates: list[Candidate] = Field(description="The nearest twenty, and whoever was sent")
    others: int = Field(description="How many more were considered")


class DispatchChoices(BaseModel):
    """What was chosen for a ticket, the latest first; the last hundred."""

    model_config = ConfigDict(json_schema_extra={"example": {"items": [_EXAMPLE]}})

    items: list[DispatchChoice]
