"""Technicians on the wire."""

from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from api.instants import GivenInstant, Instant

_TECHNICIAN: dict[str, Any] = {
    "code": "T01",
    "name": "Technician 01",
    "skills": ["cash", "card"],
    "lines": [1, 2],
    "cells": ["C001", "C002"],
    "to_do": 3,
    "most_visits": 8,
    "on_shift": True,
    "zone": "Asia/Shanghai",
    "home_latitude": 30.25,
    "home_longitude": 120.16,
    "latitude": 30.2741,
    "longitude": 120.1551,
    "position_at": "2026-11-23T08:00:30Z",
}


class Technician(BaseModel):
    """A person who is sent. Home and position are null to whom they are no business of."""

    model_config = ConfigDict(json_schema_extra={"example": _TECHNICIAN})

    key: int = Field(exclude=True)
    code: str
    name: str
    skills: list[str]
    lines: list[int] = Field(description="1: branch staff; 2: a field engineer")
    cells: list[str] = Field(description="The cells they answer for, of those you see")
    to_do: int = Field(description="Tickets they have to do, of those you see")
    most_visits: int = Field(description="To how many sites they may have to go at a time")
    on_shift: bool = Field(description="Whether they are at work now")
    zone: str = Field(description="IANA time zone of their shifts")
    home_latitude: float | None
    home_longitude: float | None
    latitude: float | None = Field(description="Where their device was last")
    longitude: float | None
    position_at: Instant | None


class Shift(BaseModel):
    """Hours of a weekday, in minutes of the day."""

    weekday: int = Field(description="1 is Monday")
    begins_minute: int
    ends_minute: int


class Absence(BaseModel):
    """When somebody is away."""

    id: int
    begins_at: Instant
    ends_at: Instant
    reason: str | None = Field(description="Null to whom it is no business of")


class TechnicianDetail(Technician):
    """A technician, with when they work and when they are away."""

    model_config = ConfigDict(
        json_schema_extra={
            "example": _TECHNICIAN
            | {
                "shifts": [{"weekday": 1, "begins_minute": 480, "ends_minute": 1020}],
                "absences": [
                    {
                        "id": 7,
                        "begins_at": "2026-12-01T00:00:00Z",
                        "ends_at": "2026-12-03T00:00:00Z",
                        "reason": "leave",
                    }
                ],
            }
        }
    )

    shifts: list[Shift] = Field(description="None: always")
    absences: list[Absence] = Field(description="Those that are not over")


class AbsenceAsked(BaseModel):
    """An absence to put down."""

    model_config = ConfigDict(
        extra="forbid",
        populate_by_name=True,
        json_schema_extra={
            "example": {
                "from": "2026-12-01T00:00:00+08:00",
                "to": "2026-12-03T00:00:00+08:00",
                "reason": "leave",
            }
        },
    )

    begin: GivenInstant = Field(alias="from")
    end: GivenInstant = Field(alias="to")
    reason: Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=200)]


class Here(BaseModel):
    """Where your device is, WGS 84."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={
            "example": {
                "latitude": 30.2741,
                "longitude": 120.1551,
                "at": "2026-11-23T16:00:30+08:00",
            }
        },
    )

    latitude: float = Field(ge=-90, le=90)
    longitude: float = Field(ge=-180, le=180)
    at: GivenInstant | None = Field(default=None, description="By your device's clock; else now")
