"""Coverage on the wire."""

from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from api.instants import Instant
from api.terminals.schemas import Kind
from fleet.grid.coverage import Capability

_EXAMPLE: dict[str, Any] = {
    "cell": "D01",
    "at": "2026-11-23T08:00:00Z",
    "terminals": 11,
    "working": 9,
    "by_cell": [
        {"cell": "C001", "name": "Cell 001", "terminals": 10, "working": 9},
        {"cell": "C002", "name": "Cell 002", "terminals": 1, "working": 0},
    ],
    "none_in_service": ["C002"],
    "middle": [120.1551, 30.2741],
    "by_distance": [
        {"within_m": 500, "terminals": 4, "working": 3},
        {"within_m": 1000, "terminals": 9, "working": 8},
    ],
    "from_middle": [
        {
            "capability": "withdraw",
            "next": {"terminal": "ATM-0002", "cell": "C001", "distance_m": 212},
        }
    ],
    "median_m": 180,
    "farthest_m": 1460,
    "without_next": 0,
    "next": [
        {
            "terminal": "ATM-0011",
            "kind": "atm",
            "working": False,
            "next": {"terminal": "ATM-0002", "cell": "C001", "distance_m": 1460},
        }
    ],
}


class CellService(BaseModel):
    """What stands in a cell itself, and what of it works."""

    cell: str
    name: str
    terminals: int
    working: int


class Ring(BaseModel):
    """What stands within a distance of the cell's middle, in whichever cell."""

    within_m: int
    terminals: int
    working: int


class NextTerminal(BaseModel):
    """The nearest working terminal."""

    terminal: str
    cell: str
    distance_m: int = Field(description="As the crow flies")


class NextFromMiddle(BaseModel):
    """From the cell's middle, where something can be done."""

    capability: Capability
    next: NextTerminal | None = Field(description="Null when it is to be had nowhere")


class NextFromTerminal(BaseModel):
    """From a terminal, where a customer goes whom it does not serve."""

    terminal: str
    kind: Kind
    working: bool
    next: NextTerminal | None = Field(
        description="Another that can do all that this one can; null when there is none"
    )


class Coverage(BaseModel):
    """How well a cell is covered now. Working is `in_service` or `degraded`."""

    model_config = ConfigDict(json_schema_extra={"example": _EXAMPLE})

    cell: str
    at: Instant
    terminals: int = Field(description="In the cell and all below it")
    working: int
    by_cell: list[CellService] = Field(
        description="It and those below it which have terminals of their own or no cells below"
    )
    none_in_service: list[str] = Field(description="Those of them in which none works")
    middle: tuple[float, float] = Field(
        description="Longitude, latitude: the centroid; where that lies outside, a point within"
    )
    by_distance: list[Ring]
    from_middle: list[NextFromMiddle]
    median_m: int | None = Field(description="Over all its terminals that have a next one")
    farthest_m: int | None
    without_next: int = Field(description="How many have none, however far")
    next: list[NextFromTerminal] = Field(description="The farthest first; without any before all")
