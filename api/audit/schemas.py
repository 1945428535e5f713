"""The audit on the wire."""

from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from api.instants import Instant


class AuditEntry(BaseModel):
    """One change of one row: who, when, from where, before and after."""

    model_config = ConfigDict(
        json_schema_extra={
            "example": {
                "id": 815,
                "number": 811,
                "at": "2026-11-23T08:05:00.4Z",
                "actor": "tech01",
                "origin": "192.0.2.17",
                "subject": "ticket",
                "key": "17",
                "change": "update",
                "before": {"state": "ASSIGNED", "version": 2},
                "after": {"state": "ACCEPTED", "version": 3},
            }
        }
    )

    id: int
    number: int | None = Field(description="Its place in the chain; null until it is sealed")
    at: Instant
    actor: str
    origin: str = Field(description="The address it came from; `local` for scheduled work")
    subject: str = Field(description="The table")
    key: str = Field(description="The row's key, its parts joined by a slash")
    change: Literal["insert", "update", "delete"]
    before: dict[str, Any] | None = Field(description="Of an update, what is another now")
    after: dict[str, Any] | None
