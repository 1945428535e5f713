"""Moves of many tickets at once, each by itself: one that is refused holds up no other."""

from datetime import timedelta
from typing import Annotated, Self

from psycopg import AsyncConnection
from psycopg.rows import TupleRow
from pydantic import BaseModel, ConfigDict, Field, StringConstraints, model_validator

from api import etag
from api.accounts.caller import Caller
from api.errors import ApiError
from api.tickets.asked import MoveRequest
from api.tickets.moves import in_order, move

MOST = 200
Tag = Annotated[str, StringConstraints(pattern=r'^"[0-9]{1,9}"$')]


class BulkRequest(BaseModel):
    """One move for many tickets."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={
            "examples": [
                {
                    "ids": [17, 18],
                    "move": {"event": "cancel", "reason": "planned works"},
                    "if_match": {"17": '"3"'},
                }
            ]
        },
    )

    ids: Annotated[
        list[Annotated[int, Field(ge=1, le=2_147_483_647)]], Field(min_length=1, max_length=MOST)
    ]
    move: MoveRequest
    if_match: dict[Annotated[int, Field(ge=1, le=2_147_483_647)], Tag] = Field(
        default={},
        max_length=MOST,
        description="By id, the `ETag` that you have seen of a ticket: one that is at another"
        " version by now is refused",
    )

    @model_validator(mode="after")
    def _of_these(self) -> Self:
        if others := sorted(self.if_match.keys() - set(self.ids)):
            raise ValueError(f"if_match names {others[0]}, which is not among ids")
        return self


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


def _seen(asked: BulkRequest, key: int) -> int | None:
    tag = asked.if_match.get(key)
    return None if tag is None else etag.version(tag)


async def move_all(
    connection: AsyncConnection[TupleRow], caller: Caller, asked: BulkRequest, verify: timedelta
) -> BulkAnswer:
    """Move each of the tickets, or say why not; in the order of their ids, so that no two block.

    What they are merged into has its place in that order too: it is not locked with the first.
    """
    results = {}
    if asked.move.parent is not None:
        await in_order(connection, caller, [*asked.ids, asked.move.parent])
    for key in sorted(set(asked.ids)):
        try:
            async with connection.transaction():
                await move(connection, caller, key, asked.move, verify, _seen(asked, key))
        except ApiError as refusal:
            results[key] = BulkResult(id=key, moved=False, refused=str(refusal))
        else:
            results[key] = BulkResult(id=key, moved=True)
    return BulkAnswer(items=[results[key] for key in dict.fromkeys(asked.ids)])
