"""Uptime by anything, on the wire."""

from enum import StrEnum
from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from api.cells.schemas import Figures
from api.instants import Instant
from fleet.buckets import Bucket
from fleet.service_state import ServiceState

_SLICE: dict[str, Any] = {
    "part": "C001",
    "from": "2026-11-22T16:00:00Z",
    "to": "2026-11-23T16:00:00Z",
    "scope_us": 86400000000,
    "up_us": 82800000000,
    "down_us": 2700000000,
    "unknown_us": 900000000,
    "by_state_us": {"unknown": 900000000, "cash_out": 2700000000, "in_service": 82800000000},
    "operational": 0.9684210526315789,
    "technical": 1.0,
    "full_function": 0.9684210526315789,
    "coverage": 0.9895833333333334,
    "terminals": 1,
    "outages": 1,
    "longest_outage_us": 2700000000,
    "mtbf_us": 82800000000,
    "mttr_us": 2700000000,
    "cash_out_us": 2700000000,
    "down_by_cause_us": {"cash_out": 2700000000},
    "down_by_component_us": {"storage": 2700000000},
    "budget_us": 427500000,
    "budget_left_us": -2272500000,
}


class By(StrEnum):
    """What the figures are of: each of its values is a part."""

    FLEET = "fleet"
    CELL = "cell"
    LEVEL = "level"
    TERMINAL = "terminal"
    REGION = "region"
    KIND = "kind"
    VENDOR = "vendor"
    MODEL = "model"


class Slice(Figures):
    """The figures of one part in one bucket."""

    model_config = ConfigDict(populate_by_name=True, json_schema_extra={"example": _SLICE})

    part: str = Field(description="A cell, a vendor, …; of `fleet`, `fleet`")
    begin: Instant = Field(alias="from")
    end: Instant = Field(alias="to")
    terminals: int = Field(description="How many were members at any time in it")
    outages: int = Field(description="How many began in it: unbroken down time of a terminal")
    longest_outage_us: int = Field(description="As far as it lies within")
    mtbf_us: int | None = Field(description="up ÷ outages")
    mttr_us: int | None = Field(description="down ÷ outages")
    cash_out_us: int
    down_by_cause_us: dict[str, int] = Field(
        description="By the first rule that made it so, `none` where none did; adds up to down"
    )
    down_by_component_us: dict[str, int] = Field(description="The same by the rule's component")
    budget_us: int | None = Field(
        default=None, description="With a target: how much down it allows of the known time"
    )
    budget_left_us: int | None = Field(
        default=None, description="What of that is left; below zero the target is missed"
    )


class Slices(BaseModel):
    """Figures by part, then by bucket."""

    model_config = ConfigDict(
        populate_by_name=True,
        json_schema_extra={
            "example": {
                "by": "cell",
                "bucket": "day",
                "target": 0.995,
                "time_zone": "Asia/Shanghai",
                "from": "2026-11-22T16:00:00Z",
                "to": "2026-11-23T16:00:00Z",
                "until": "2026-11-23T16:00:00Z",
                "items": [_SLICE],
            }
        },
    )

    by: By
    bucket: Bucket | None
    target: float | None = Field(default=None, description="Of operational availability")
    time_zone: str = Field(description="Whose days and hours the buckets are; instants are in UTC")
    begin: Instant = Field(alias="from")
    end: Instant = Field(alias="to")
    until: Instant = Field(description="`to`, or now when that is earlier")
    items: list[Slice]


class Outage(BaseModel):
    """An unbroken time in which a terminal was down."""

    model_config = ConfigDict(
        populate_by_name=True,
        json_schema_extra={
            "example": {
                "terminal": "ATM-0001",
                "cell": "C001",
                "from": "2026-11-23T08:00:00Z",
                "to": None,
                "us": 2700000000,
                "states": ["offline", "out_of_service"],
                "causes": ["card_reader_jammed", "silent"],
            }
        },
    )

    terminal: str
    cell: str = Field(description="Where the terminal was")
    begin: Instant = Field(alias="from")
    end: Instant | None = Field(alias="to", description="Null while it goes on")
    us: int = Field(description="How long it lasted, altogether and until now")
    states: list[ServiceState] = Field(description="In order")
    causes: list[str] = Field(description="Rules")


class Outages(BaseModel):
    """The outages of a cell, the longest first."""

    items: list[Outage]
