"""Puts down when technicians are away, and takes it back."""

from datetime import datetime

from psycopg import AsyncConnection
from psycopg.rows import TupleRow

from fleet.db.sql import load

_SQL = load("api.technicians", "absences")


async def put_down(
    connection: AsyncConnection[TupleRow],
    code: str,
    begin: datetime,
    end: datetime,
    reason: str,
    author: str,
) -> int | None:
    """An absence of a technician; returns its number, or nothing where there is no such one."""
    absence = {"code": code, "begin": begin, "end": end, "reason": reason, "author": author}
    row = await (await connection.execute(_SQL["put_down"], absence)).fetchone()
    await connection.execute(_SQL["announce"])
    return None if row is None else int(row[0])


async def take_back(connection: AsyncConnection[TupleRow], code: str, key: int) -> bool:
    """Whether there was such an absence; it is there no more."""
    cursor = await connection.execute(_SQL["take_back"], {"code": code, "id": key})
    await connection.execute(_SQL["announce"])
    return await cursor.fetchone() is not None
