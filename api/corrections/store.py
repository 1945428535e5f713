"""Reads corrections, writes them, withdraws them; none is ever edited."""

from collections.abc import Sequence
from datetime import datetime

from psycopg import AsyncConnection
from psycopg.rows import TupleRow, class_row

from api.corrections.schemas import Correction, CorrectionAsked
from api.errors import Invalid, NotFound
from api.scope import Scope
from fleet.db.sql import load

_SQL = load("api.corrections", "store")


async def corrections(
    connection: AsyncConnection[TupleRow],
    scope: Scope,
    terminal: str,
    after: int | None,
    rows: int,
) -> Sequence[Correction]:
    """The next corrections of a terminal below an id, the newest first."""
    parameters = {"terminal": terminal, "after": after, "rows": rows, "scope": scope.parameter}
    async with connection.cursor(row_factory=class_row(Correction)) as cursor:
        await cursor.execute(_SQL["corrections"], parameters)
        return await cursor.fetchall()


async def correct(
    connection: AsyncConnection[TupleRow],
    scope: Scope,
    terminal: str,
    asked: CorrectionAsked,
    author: str,
    now: datetime,
) -> Correction:
    """Store a correction, of what is over; raises `Invalid` or `NotFound`."""
    if asked.begin >= asked.end:
        raise Invalid("body.to", "must be after `from`")
    if asked.end > now:
        raise Invalid("body.to", "is to come: nobody knows yet what it will be instead of")
    said = {**asked.model_dump(), "terminal": terminal, "author": author}
    cursor = await connection.execute(_SQL["correct"], said | {"scope": scope.parameter})
    made = await cursor.fetchone()
    if made is None:
        raise NotFound("terminal", terminal)
    # By its own key: another one may be the newest by now.
    [stored] = await corrections(connection, scope, terminal, made[0] + 1, 1)
    return stored


async def withdraw(
    connection: AsyncConnection[TupleRow], scope: Scope, terminal: str, key: int, author: str
) -> Correction:
    """Let a correction count no more; raises `NotFound`."""
    said = {"terminal": terminal, "id": key, "author": author, "scope": scope.parameter}
    if not (await connection.execute(_SQL["withdraw"], said)).rowcount:
        raise NotFound("correction in force", key)
    [withdrawn] = await corrections(connection, scope, terminal, key + 1, 1)
    return withdrawn
