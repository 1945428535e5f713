"""The outbox on the wire."""

from enum import StrEnum
from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from api.instants import Instant
from fleet.notifications.routing import Kind


class Progress(StrEnum):
    """How far a notification has come."""

    WAITING = "waiting"
    SENDING = "sending"
    SENT = "sent"
    GIVEN_UP = "given_up"
    UNCERTAIN = "uncertain"


class Notification(BaseModel):
    """Something that is told to somebody over a channel, once."""

    model_config = ConfigDict(
        json_schema_extra={
            "example": {
                "id": 41,
                "kind": "breached",
                "recipient": "admin",
                "channel": "desk",
                "state": "waiting",
                "cause": "ticket_transition/815",
                "facts": {"ticket": 17, "cell": "C001", "reason": "response breached"},
                "created_at": "2026-11-23T08:30:31Z",
                "due_at": "2026-11-23T08:30:46Z",
                "attempts": 2,
                "ended_at": None,
                "error": "answered with 503",
            }
        }
    )

    id: int
    kind: Kind
    recipient: str = Field(description="A technician's code, or a role")
    channel: str = Field(description="By its name in the file of channels")
    state: Progress = Field(
        description="uncertain: the process died while it handed over to a channel that cannot tell"
        " doubles, so it was not sent again"
    )
    cause: str = Field(description="What happened; told once to a recipient over a channel")
    facts: dict[str, Any]
    created_at: Instant
    due_at: Instant = Field(description="When it goes out, or goes out again")
    attempts: int
    ended_at: Instant | None
    error: str | None = Field(description="Why the last attempt was in vain")
