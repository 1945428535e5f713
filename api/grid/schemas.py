"""Changes of the grid and of the registry on the wire."""

from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from api.instants import GivenInstant, Instant
from api.terminals.schemas import Kind
from fleet.grid.datum import Datum

Code = Annotated[str, StringConstraints(pattern=r"^[^/+#\s]{1,64}$")]
OnTheWire = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9_.-]{0,63}$")]
"""A name as the wire contract has them: `fleet.topics`."""
Words = Annotated[str, StringConstraints(min_length=1, max_length=200, strip_whitespace=True)]

_RING = [[[120.15, 30.27], [120.16, 30.27], [120.16, 30.28], [120.15, 30.27]]]
_BOUNDARY: dict[str, Any] = {"type": "Polygon", "coordinates": _RING}
_ASKED: dict[str, Any] = {
    "name": "Harbour",
    "parent": "D01",
    "level": 1,
    "boundary": _BOUNDARY,
    "people": ["T01"],
    "properties": {},
}
_COLLECTION: dict[str, Any] = {
    "type": "FeatureCollection",
    "features": [
        {
            "type": "Feature",
            "properties": {"code": "C001", "name": "Harbour", "level": 1, "parent": "D01"},
            "geometry": _BOUNDARY,
        }
    ],
}
_MOVE: dict[str, Any] = {
    "terminal": "ATM-0001",
    "before": "C001",
    "after": "C002",
    "method": "polygon",
}


class CellAsked(BaseModel):
    """A cell as it is to be, from now on."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"example": _ASKED})

    name: Words
    parent: Code | None = Field(description="Null for a top")
    level: int | None = Field(
        default=None, ge=0, le=99, description="Default: one more than the parent's; 0 for a top"
    )
    boundary: dict[str, Any] = Field(
        description="GeoJSON Polygon or MultiPolygon in WGS 84, or in the datum that is named"
    )
    people: list[Code] | None = Field(
        default=None, description="Codes of the technicians who answer for it; null: as they are"
    )
    properties: dict[str, Any] = Field(default_factory=dict, description="Kept, and exported")


class NewCell(CellAsked):
    """A cell that is not there yet."""

    model_config = ConfigDict(
        extra="forbid", json_schema_extra={"example": {"code": "C001"} | _ASKED}
    )

    code: Code


class MergeAsked(BaseModel):
    """Which cells become one."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={"example": {"cells": ["C001", "C002"], "name": "Harbour and market"}},
    )

    cells: list[Code] = Field(min_length=2)
    name: Words | None = None


class FeatureCollection(BaseModel):
    """A map: GeoJSON (RFC 7946), as a file has it."""

    model_config = ConfigDict(extra="allow", json_schema_extra={"example": _COLLECTION})

    type: str
    features: list[Any]


class Move(BaseModel):
    """A terminal that is in another cell now, or in the same by another method."""

    terminal: str
    before: str | None = Field(description="Null when it was in none")
    after: str
    method: str = Field(description="override, polygon, border or unassigned")


class GridChanges(BaseModel):
    """What a change of the grid did, or would do."""

    model_config = ConfigDict(
        json_schema_extra={
            "example": {
                "added": ["C002"],
                "changed": ["C001"],
                "ended": [],
                "unchanged": 4,
                "version": 7,
                "dry_run": False,
                "moves": [_MOVE],
            }
        }
    )

    added: list[str]
    changed: list[str]
    ended: list[str]
    unchanged: int = Field(description="Cells that were given as they are")
    version: int | None = Field(description="Of the map; null where nothing was changed")
    dry_run: bool
    moves: list[Move]


class CellVersion(BaseModel):
    """What a cell was, from when to when."""

    model_config = ConfigDict(populate_by_name=True)

    name: str
    level: int
    parent: str | None
    boundary: dict[str, Any]
    properties: dict[str, Any]
    begin: Instant = Field(alias="from")
    end: Instant | None = Field(alias="to", description="Null while it stands so")


class CellPerson(BaseModel):
    """Who answered for a cell directly, from when to when."""

    model_config = ConfigDict(populate_by_name=True)

    technician: str
    begin: Instant = Field(alias="from")
    end: Instant | None = Field(alias="to", description="Null while they do")


class CellHistory(BaseModel):
    """Every version of a cell, the first to the last, and its people."""

    model_config = ConfigDict(
        json_schema_extra={
            "example": {
                "items": [
                    {
                        "name": "Harbour",
                        "level": 1,
                        "parent": "D01",
                        "boundary": _BOUNDARY,
                        "properties": {},
                        "from": "2026-01-01T00:00:00Z",
                        "to": None,
                    }
                ],
                "people": [{"technician": "T01", "from": "2026-01-01T00:00:00Z", "to": None}],
            }
        }
    )

    items: list[CellVersion]
    people: list[CellPerson]


_TERMINAL: dict[str, Any] = {
    "kind": "atm",
    "vendor": "vendor-a",
    "model": "A-100",
    "region": "region-01",
    "site": "Site 001-1",
    "latitude": 30.2741,
    "longitude": 120.1551,
    "datum": "wgs84",
    "cell": None,
    "commissioned_at": "2026-01-01T00:00:00Z",
    "skills": ["cash"],
    "schedule": "branch",
}


class TerminalAsked(BaseModel):
    """A terminal as the registry is to have it, from now on."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"example": _TERMINAL})

    kind: Kind
    vendor: Words
    model: Words
    region: OnTheWire
    site: Words
    latitude: float = Field(ge=-90, le=90)
    longitude: float = Field(ge=-180, le=180)
    datum: Datum = Datum.WGS84
    cell: Code | None = Field(
        default=None, description="A cell it is in whatever the map says; null: as the map says"
    )
    commissioned_at: GivenInstant | None = Field(
        default=None, description="Null: now for a new one, else as it is"
    )
    skills: list[Code] | None = Field(
        default=None, description="What working on it takes besides; null: as it is"
    )
    schedule: str | None = Field(
        default=None, description="The service schedule it serves by; empty: none; null: as it is"
    )


class NewTerminal(TerminalAsked):
    """A terminal that is not there yet."""

    model_config = ConfigDict(
        extra="forbid", json_schema_extra={"example": {"id": "ATM-0001"} | _TERMINAL}
    )

    id: OnTheWire = Field(description="The id on the wire")


class RegistryChanges(BaseModel):
    """What a change of the registry did, or would do."""

    model_config = ConfigDict(
        json_schema_extra={
            "example": {
                "added": ["ATM-0001"],
                "changed": [],
                "unchanged": 4,
                "regions": ["region-01"],
                "out_of_fleet": [],
                "dry_run": False,
                "moves": [_MOVE | {"before": None}],
            }
        }
    )

    added: list[str]
    changed: list[str]
    unchanged: int
    regions: list[str] = Field(description="Those that are named for the first time")
    out_of_fleet: list[str] = Field(
        description="Those that were taken out of the fleet: they stay out, and as they are"
    )
    dry_run: bool
    moves: list[Move]
