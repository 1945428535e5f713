"""A technician's day on the wire."""

from pydantic import BaseModel, ConfigDict, Field

from api.instants import Instant


class PlannedStop(BaseModel):
    """A site to go to, in its place of the day."""

    order: int = Field(description="From 1")
    site: str | None
    cell: str
    tickets: list[int] = Field(description="What is to do there")
    latitude: float | None
    longitude: float | None
    travel_min: float = Field(description="The way there, estimated")
    arrives_at: Instant
    leaves_at: Instant
    due_at: Instant | None = Field(description="When the service level wants somebody there")
    late: bool = Field(description="Whether it is reached later than that")


class DayPlan(BaseModel):
    """What is left of a shift, or the next one: the order in which to go, and when."""

    model_config = ConfigDict(
        json_schema_extra={
            "example": {
                "technician": "T01",
                "begins_at": "2026-11-23T00:00:00Z",
                "ends_at": "2026-11-23T09:00:00Z",
                "travel_min": 12.4,
                "stops": [
                    {
                        "order": 1,
                        "site": "Site 001-1",
                        "cell": "C001",
                        "tickets": [17, 21],
                        "latitude": 30.2741,
                        "longitude": 120.1551,
                        "travel_min": 12.4,
                        "arrives_at": "2026-11-23T00:12:24Z",
                        "leaves_at": "2026-11-23T01:12:24Z",
                        "due_at": "2026-11-23T02:00:00Z",
                        "late": False,
                    }
                ],
                "left_over": [23],
                "on_hold": [],
            }
        }
    )

    technician: str
    begins_at: Instant | None = Field(default=None, description="Null where no shift is to come")
    ends_at: Instant | None = None
    travel_min: float = Field(default=0, description="On the way, altogether")
    stops: list[PlannedStop] = []
    left_over: list[int] = Field(description="Tickets that do not fit into the shift any more")
    on_hold: list[int] = Field(description="Tickets that wait, and are not planned")
