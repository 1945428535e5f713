"""Planned windows on the wire."""

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from api.instants import GivenInstant, Instant
from fleet.windows.window import Purpose, Repeat

Line = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=500)]
Kind = Literal["atm", "recycler", "kiosk"]
Weekday = Annotated[int, Field(ge=1, le=7)]

_ASKED: dict[str, Any] = {
    "purpose": "maintenance",
    "cell": "C001",
    "from": "2026-11-23T01:00:00+08:00",
    "to": "2026-11-23T04:00:00+08:00",
    "time_zone": "Asia/Shanghai",
    "repeat": "weekly",
    "weekdays": [1, 4],
    "reason": "Software is rolled out",
}


class About(BaseModel):
    """What something is about: all that is named. A cell is meant with all below it."""

    terminal: str | None = None
    cell: str | None = None
    kind: Kind | None = None


class WindowAsked(About):
    """A window to plan."""

    model_config = ConfigDict(
        extra="forbid", populate_by_name=True, json_schema_extra={"example": _ASKED}
    )

    purpose: Purpose = Field(description="A silence only holds tickets")
    component: str | None = Field(
        default=None, max_length=100, description="Of faults; for silences alone"
    )
    begin: GivenInstant = Field(alias="from")
    end: GivenInstant = Field(alias="to", description="Of its first time")
    time_zone: str = Field(default="UTC", description="On whose wall clock it comes again")
    repeat: Repeat | None = Field(default=None, description="Monthly: on its day of the month")
    weekdays: list[Weekday] = Field(
        default=[], max_length=7, description="With `weekly`; 1 is Monday. Else its first one's"
    )
    until: GivenInstant | None = Field(default=None, description="When it ends for good")
    reason: Line


class AnnulmentAsked(BaseModel):
    """Why a window should never have been planned."""

    model_config = ConfigDict(
        extra="forbid", json_schema_extra={"example": {"reason": "The works were in November"}}
    )

    reason: Line


class Window(About):
    """A planned window."""

    model_config = ConfigDict(
        populate_by_name=True,
        json_schema_extra={
            "example": _ASKED
            | {
                "id": 7,
                "from": "2026-11-22T17:00:00Z",
                "to": "2026-11-22T20:00:00Z",
                "active": False,
                "next_at": "2026-11-25T17:00:00Z",
                "author": "ops",
                "created_at": "2026-11-20T08:00:00Z",
            }
        },
    )

    id: int
    purpose: Purpose
    component: str | None
    begin: Instant = Field(alias="from")
    end: Instant = Field(alias="to")
    time_zone: str
    repeat: Repeat | None
    weekdays: list[int]
    until: Instant | None
    active: bool = Field(description="It is one of its times now")
    next_at: Instant | None = Field(description="When its next time begins")
    author: str
    reason: str
    created_at: Instant
    ended_at: Instant | None = Field(description="When it was taken back; what was before stays")
    ended_by: str | None
    annulled_at: Instant | None = Field(
        description="Since when it counts as if it had never been planned"
    )
    annulled_by: str | None
    annulled_because: str | None
