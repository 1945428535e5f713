"""Service schedules on the wire."""

import re
from datetime import date
from typing import Annotated, Any

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, StringConstraints

from api.instants import GivenInstant, Instant
from api.windows.schemas import About, Line

_HOURS = re.compile(r"([01]\d|2[0-4]):([0-5]\d)-([01]\d|2[0-4]):([0-5]\d)")
_WHOLE_DAY = 24 * 60


def minutes(hours: str) -> tuple[int, int]:
    """`09:00-17:30` in minutes of the day; raises `ValueError`."""
    found = _HOURS.fullmatch(hours)
    if found is None:
        raise ValueError("must be like 09:00-17:30, up to 24:00")
    opens, closes = (int(found[n]) * 60 + int(found[n + 1]) for n in (1, 3))
    if not opens < closes <= _WHOLE_DAY:
        raise ValueError("must end after it begins, on the same day: 22:00-24:00 and 00:00-02:00")
    return opens, closes


def written(opens: int, closes: int) -> str:
    """The same back."""
    return "-".join(f"{at // 60:02d}:{at % 60:02d}" for at in (opens, closes))


def _hours(value: str) -> str:
    minutes(value)
    return value


Hours = Annotated[str, AfterValidator(_hours)]
Code = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9._-]{1,60}$")]

_WEEK: dict[str, Any] = {"1": ["09:00-12:00", "13:00-17:00"], "6": ["10:00-14:00"]}
_DAY: dict[str, Any] = {"open": [], "reason": "National holiday"}
_USE: dict[str, Any] = {"kind": "kiosk", "from": "2026-11-01T00:00:00+08:00", "reason": "Branch"}
_USED: dict[str, Any] = {
    "id": 3,
    "kind": "kiosk",
    "from": "2026-10-31T16:00:00Z",
    "author": "ops",
    "reason": "Branch",
}


class ScheduleAsked(BaseModel):
    """A schedule to make: hours by weekday, 1 Monday to 7 Sunday; left out is closed."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={
            "example": {"code": "branch", "name": "Branches", "time_zone": "Asia/Shanghai"}
            | {"week": _WEEK}
        },
    )

    code: Code
    name: Line
    time_zone: str
    week: dict[Annotated[int, Field(ge=1, le=7)], list[Hours]]


class DayAsked(BaseModel):
    """A day unlike others of its weekday; a holiday has no hours."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"example": _DAY})

    open: list[Hours]
    reason: Line


class Day(BaseModel):
    """A day unlike others."""

    day: date
    open: list[Hours]
    author: str
    reason: str


class UseAsked(About):
    """Who serves by a schedule: one terminal, or one cell with all below it, or one kind."""

    model_config = ConfigDict(
        extra="forbid", populate_by_name=True, json_schema_extra={"example": _USE}
    )

    begin: GivenInstant = Field(alias="from")
    end: GivenInstant | None = Field(default=None, alias="to")
    reason: Line


class Use(About):
    """Who serves by a schedule, when."""

    model_config = ConfigDict(populate_by_name=True, json_schema_extra={"example": _USED})

    id: int
    begin: Instant = Field(alias="from")
    end: Instant | None = Field(alias="to")
    author: str
    reason: str


class Schedule(BaseModel):
    """A service schedule: its hours, its other days, who serves by it."""

    model_config = ConfigDict(
        json_schema_extra={
            "example": {
                "code": "branch",
                "name": "Branches",
                "time_zone": "Asia/Shanghai",
                "week": _WEEK,
                "days": [_DAY | {"day": "2026-10-01", "author": "ops"}],
                "uses": [_USED],
                "author": "ops",
                "created_at": "2026-10-31T08:00:00Z",
            }
        }
    )

    code: str
    name: str
    time_zone: str
    week: dict[int, list[str]]
    days: list[Day]
    uses: list[Use] = Field(description="Of those that concern cells you see")
    author: str
    created_at: Instant
