"""Cells and their uptime on the wire."""

from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from api.instants import Instant
from fleet.availability import Availability
from fleet.service_state import ServiceState

_CELL: dict[str, Any] = {
    "code": "C001",
    "name": "Cell 001",
    "level": 1,
    "parent": "D01",
    "terminals": 10,
    "by_state": {"in_service": 8, "out_of_service": 2},
    "open_faults": 2,
    "open_tickets": 2,
}
_FIGURES: dict[str, Any] = {
    "scope_us": 86400000000,
    "up_us": 82800000000,
    "down_us": 2700000000,
    "unknown_us": 900000000,
    "by_state_us": {
        "unknown": 900000000,
        "offline": 0,
        "supervisor": 0,
        "out_of_service": 1800000000,
        "cash_out": 900000000,
        "degraded": 0,
        "in_service": 82800000000,
    },
    "operational": 0.9684210526315789,
    "technical": 0.9789473684210527,
    "full_function": 0.9684210526315789,
    "coverage": 0.9895833333333334,
}
_WINDOW = {"from": "2026-11-22T00:00:00Z", "to": "2026-11-23T00:00:00Z"}


class Cell(BaseModel):
    """A cell; the counts are of it with all cells below it."""

    model_config = ConfigDict(json_schema_extra={"example": _CELL})

    code: str
    name: str
    level: int = Field(description="0 is the top")
    parent: str | None
    terminals: int
    by_state: dict[ServiceState, int] = Field(
        description="Terminals by service state; a state that is left out has none"
    )
    open_faults: int
    open_tickets: int


class Answerable(BaseModel):
    """A technician who answers for a cell."""

    code: str
    name: str
    skills: list[str]
    answers_for: str = Field(description="The cell itself, or the one above it that they have")


class CellDetail(Cell):
    """A cell with its place and its people, the nearest first."""

    model_config = ConfigDict(
        json_schema_extra={
            "example": _CELL
            | {
                "boundary": {
                    "type": "Polygon",
                    "coordinates": [
                        [[120.15, 30.27], [120.16, 30.27], [120.16, 30.28], [120.15, 30.27]]
                    ],
                },
                "valid_from": "2026-01-01T00:00:00Z",
                "valid_to": None,
                "people": [
                    {
                        "code": "T01",
                        "name": "Technician 01",
                        "skills": ["cash", "card"],
                        "answers_for": "C001",
                    }
                ],
            }
        }
    )

    boundary: dict[str, Any] = Field(description="GeoJSON geometry, WGS 84")
    valid_from: Instant
    valid_to: Instant | None
    people: list[Answerable]


class Figures(BaseModel):
    """Availability in whole microseconds; up + down + unknown is the scope, exactly.

    The shares are null where there is nothing to share: no known time, or no scope.
    """

    scope_us: int = Field(description="The window less planned maintenance and out of schedule")
    up_us: int = Field(description="in_service and degraded")
    down_us: int
    unknown_us: int = Field(description="Never seen, or we were blind")
    by_state_us: dict[ServiceState, int]
    operational: float | None = Field(description="up ÷ (scope − unknown)")
    technical: float | None = Field(description="The same, cash_out counted as available")
    full_function: float | None = Field(description="in_service ÷ (scope − unknown)")
    coverage: float | None = Field(description="(scope − unknown) ÷ scope")

    @classmethod
    def of(cls, part: Availability) -> "Figures":
        """An availability as it goes on the wire."""
        return Figures(
            scope_us=part.scope_us,
            up_us=part.up_us,
            down_us=part.down_us,
            unknown_us=part.unknown_us,
            by_state_us=dict(part.by_state),
            operational=part.operational,
            technical=part.technical,
            full_function=part.full_function,
            coverage=part.coverage,
        )


class TerminalUptime(Figures):
    """One terminal's share of the figures."""

    model_config = ConfigDict(json_schema_extra={"example": {"terminal": "ATM-0001"} | _FIGURES})

    terminal: str


class Uptime(Figures):
    """The availability of a cell, with all below it, over a window."""

    model_config = ConfigDict(
        populate_by_name=True,
        json_schema_extra={
            "example": {"cell": "C001"}
            | _WINDOW
            | {"until": _WINDOW["to"], "time_zone": "UTC", "terminals": 1}
            | _FIGURES
            | {"detail": None}
        },
    )

    cell: str
    begin: Instant = Field(alias="from")
    end: Instant = Field(alias="to")
    until: Instant = Field(description="`to`, or now when that is earlier")
    time_zone: str = Field(default="UTC", description="Of every instant in this answer")
    terminals: int = Field(description="How many were members at any time in the window")
    detail: list[TerminalUptime] | None = Field(
        default=None, description="Every terminal, by code, when asked for; they add up to the sum"
    )
