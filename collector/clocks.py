"""The table of the terminals' clocks."""

from collections.abc import Mapping
from datetime import datetime

from psycopg import AsyncConnection
from psycopg.rows import TupleRow

from fleet.db.sql import load

_SQL = load("collector", "clocks")


async def stored(connection: AsyncConnection[TupleRow], region: str) -> dict[int, int]:
    """The skews of a region's terminals as they were written last, microseconds."""
    cursor = await connection.execute(_SQL["clocks"], {"region": region})
    return dict(await cursor.fetchall())


async def note(
    connection: AsyncConnection[TupleRow], skews: Mapping[int, int], at: datetime
) -> None:
    """Write skews down, in a transaction of its own."""
    async with connection.transaction():
        values = {"ids": list(skews), "skews": list(skews.values()), "at": at}
        await connection.execute(_SQL["note_clocks"], values)
