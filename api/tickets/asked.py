"""What is asked of tickets, on the wire: to raise one, to move one."""

from collections.abc import Callable, Sequence
from typing import Annotated, Literal, Self
from uuid import UUID

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    StringConstraints,
    model_validator,
)

from api.instants import GivenInstant
from fleet.rules.rule import COMPONENTS, SKILLS
from fleet.rules.severity import Severity
from fleet.tickets.lifecycle import Event
from fleet.tickets.resolution import ActionCode, CauseCode

Word = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=200)]


def _one_of(values: Sequence[str]) -> Callable[[str], str]:
    def check(value: str) -> str:
        if value not in values:
            raise ValueError(f"should be one of {', '.join(values)}")
        return value

    return check


Component = Annotated[
    str, AfterValidator(_one_of(COMPONENTS)), Field(json_schema_extra={"enum": [*COMPONENTS]})
]
Skill = Annotated[
    str, AfterValidator(_one_of(SKILLS)), Field(json_schema_extra={"enum": [*SKILLS]})
]


class RaiseRequest(BaseModel):
    """A ticket raised by hand: of a `fault` alone, or of a `terminal` or a `cell` with the rest."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={
            "examples": [
                {
                    "fault": "0d9fca52-57d6-4a4f-8b8a-3f4f4bb1a0c1",
                    "note": "Asked for by the branch",
                },
                {
                    "terminal": "ATM-0001",
                    "component": "terminal",
                    "title": "Screen is scratched",
                    "severity": "minor",
                    "skill": "electronics",
                    "line": 2,
                },
            ]
        },
    )

    fault: UUID | None = Field(default=None, description="An open fault; it says all the rest")
    terminal: str | None = None
    cell: str | None = None
    component: Component | None = Field(
        default=None, description="What it is about; a subject has one live ticket of each by hand"
    )
    title: Word | None = None
    severity: Severity | None = None
    skill: Skill | None = Field(default=None, description="What it takes")
    line: Literal[1, 2] = Field(default=2, description="1: branch staff; 2: a field engineer")
    remedy: Annotated[str, StringConstraints(max_length=4000)] = ""
    parts: Annotated[list[Word], Field(max_length=50)] = []
    note: Annotated[str | None, StringConstraints(max_length=4000)] = None

    @property
    def about(self) -> str:
        """Which of the three it is of."""
        return next(name for name in _ABOUT if getattr(self, name) is not None)

    @model_validator(mode="after")
    def _whole(self) -> Self:
        given = [name for name in _ABOUT if getattr(self, name) is not None]
        if len(given) != 1:
            raise ValueError("name one of fault, terminal, cell")
        said = [name for name in _SAID_BY_A_FAULT if getattr(self, name) is not None]
        if self.fault is not None and said:
            raise ValueError(f"the fault says what {said[0]} is")
        if self.fault is None and len(said) < len(_SAID_BY_A_FAULT):
            missing = next(name for name in _SAID_BY_A_FAULT if name not in said)
            raise ValueError(f"without a fault, {missing} is needed")
        return self


_ABOUT = ("fault", "terminal", "cell")
_SAID_BY_A_FAULT = ("component", "title", "severity", "skill")


class Position(BaseModel):
    """A place on earth, WGS 84."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={"example": {"latitude": 30.2741, "longitude": 120.1551}},
    )

    latitude: float = Field(ge=-90, le=90)
    longitude: float = Field(ge=-180, le=180)


class MoveRequest(BaseModel):
    """A move somebody asks for; which moves need what, the lifecycle says."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={
            "examples": [
                {"event": "accept", "device_at": "2026-11-23T16:05:00+08:00"},
                {"event": "hold", "reason": "parts", "note": "Feeder module is on its way"},
                {"event": "assign", "technician": "T02"},
                {
                    "event": "resolve",
                    "cause": "wear",
                    "action": "replaced",
                    "parts_used": ["transport-rollers"],
                    "photos": [3],
                    "note": "Rollers were smooth",
                },
            ]
        },
    )

    event: Event
    reason: Word | None = None
    note: Annotated[str | None, StringConstraints(max_length=4000)] = None
    technician: str | None = Field(default=None, description="For `assign`: their code")
    pin: bool = Field(
        default=True, description="For `assign`: dispatch shall not move it to somebody else"
    )
    parent: int | None = Field(default=None, description="For `merge`: the ticket it goes into")
    cause: CauseCode | None = Field(default=None, description="For `resolve`: what it was")
    action: ActionCode | None = Field(default=None, description="For `resolve`: what was done")
    parts_used: Annotated[list[Word] | None, Field(max_length=50)] = Field(
        default=None, description="For `resolve`"
    )
    photos: Annotated[
        list[Annotated[int, Field(ge=1, le=2**63 - 1)]] | None, Field(min_length=1, max_length=20)
    ] = Field(default=None, description="For `resolve`: attachments of the ticket that show it")
    position: Position | None = Field(default=None, description="Where your device is")
    device_at: GivenInstant | None = Field(
        default=None, description="When it happened, by the clock of your device"
    )
