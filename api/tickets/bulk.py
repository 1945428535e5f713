"""Moves of many tickets at once, each by itself: one that is refused holds up no other."""

from datetime import timedelta
from typing import Annotated

from psycopg import AsyncConnection
from psycopg.rows import TupleRow
from pydantic import BaseModel, ConfigDict, Field

from api.accounts.caller import Caller
from api.errors import ApiError
from api.tickets.moves import move
from api.tickets.schemas import MoveRequest

MOST = 200


class BulkRequest(BaseModel):
    """One move for many tickets."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={
            "examples": [{"ids": [17, 18], "move": {"event": "cancel", "reason": "planned works"}}]
        },
    )

    ids: Annotated[
        list[Annotated[int, Field(ge=1, le=2_147_483_647)]], Field(min_length=1, max_length=MOST)
    ]
    move: MoveRequest


class BulkResult(BaseModel):
    """What became of one of the tickets."""

    id: int
    moved: bool
    refused: str | None = Field(default=None, description="Why not; then nothing was written of it")


class BulkAnswer(BaseModel):
    """What became of each, in the order asked."""

    model_config = ConfigDict(
        json_schema_extra={
            "example": {
                "items": [
                    {"id": 17, "moved": True, "refused": None},
                    {"id": 18, "moved": False, "refused": "There is no ticket 18."},
                ]
            }
        }
    )

    items: list[BulkResult]


async def move_all(
    connection: AsyncConnection[TupleRow], caller: Caller, asked: BulkRequest, verify: timedelta
) -> BulkAnswer:
    """Move each of the tickets, or say why not; in the order of their ids, so that no two block."""
    results = {}
    for key in sorted(set(asked.ids)):
        try:
            async with connection.transaction():
                await move(connection, caller, key, asked.move, verify)
        except ApiError as refusal:
            results[key] = BulkResult(id=key, moved=False, refused=str(refusal))
        else:
            results[key] = BulkResult(id=key, moved=True)
    return BulkAnswer(items=[results[key] for key in dict.fromkeys(asked.ids)])
