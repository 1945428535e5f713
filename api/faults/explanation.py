"""Why a fault fired, on the wire."""

from datetime import timedelta
from typing import Any
from uuid import UUID

from psycopg import AsyncConnection
from psycopg.rows import TupleRow
from pydantic import BaseModel, ConfigDict, Field

from api.instants import Instant
from fleet.db.explaining import explain_fault
from fleet.rules.catalogue import Catalogue
from fleet.rules.explanation import Answer, Known, Member, Standing, Window

_EXAMPLE: dict[str, Any] = {
    "subject": "ATM-0001",
    "rule": "card-reader-jammed",
    "at": "2026-11-23T08:00:10.123Z",
    "catalogue": "2026.11+3f2a9c1b7d10",
    "standing": "decided",
    "conclusion": "a fault: true since 2026-11-23 08:00:00+0000, fired 2026-11-23 08:00:10+0000",
    "answers": [
        {
            "item": "",
            "inputs": {"cardReader.media": "jammed"},
            "when": {
                "text": "cardReader.media == 'jammed'",
                "truth": "true",
                "operator": "",
                "parts": [],
            },
            "clear_when": None,
            "timer": {
                "phase": "firing",
                "since": "2026-11-23T08:00:10.123Z",
                "started_at": "2026-11-23T08:00:00.123Z",
                "due": None,
                "flapping": False,
            },
            "conclusion": "a fault: true since 2026-11-23 08:00:00+0000",
        }
    ],
    "faults": [],
    "windows": [],
    "members": [],
}


class FaultExplanation(BaseModel):
    """A fault as it stood when it fired: what was read, what each part of the condition was, the
    timer, and what suppressed it."""

    model_config = ConfigDict(from_attributes=True, json_schema_extra={"example": _EXAMPLE})

    subject: str = Field(description="The terminal or the cell it is about")
    rule: str
    at: Instant = Field(description="When it fired")
    catalogue: str = Field(description="What it is explained by: the one that decided")
    standing: Standing = Field(description="`present` where that was not kept")
    conclusion: str = Field(description="All of it in a sentence")
    answers: list[Answer] = Field(description="Of the terminal, or of each item of it")
    faults: list[Known]
    windows: list[Window] = Field(description="What holds its ticket")
    members: list[Member] = Field(description="Of a cell's fault: the terminals that were bad")


async def explanation(
    connection: AsyncConnection[TupleRow], key: UUID, catalogue: Catalogue, lateness: timedelta
) -> FaultExplanation:
    """The explanation of a fault that the caller may see."""
    found = await explain_fault(connection, key, catalogue, lateness)
    return FaultExplanation.model_validate(found)
