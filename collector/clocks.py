"""The table of the terminals' clocks, and the figures of them."""

from datetime import datetime

from psycopg import AsyncConnection
from psycopg.rows import TupleRow

from collector import metrics
from collector.skew import Skews
from fleet.db.sql import load

_SQL = load("collector", "clocks")
_AT_ONCE = 200  # a fleet that is heard for the first time must not hold up a batch for long


async def stored(connection: AsyncConnection[TupleRow], region: str) -> dict[int, int]:
    """The skews of a region's terminals as they were written last, microseconds."""
    cursor = await connection.execute(_SQL["clocks"], {"region": region})
    return dict(await cursor.fetchall())


async def note(
    connection: AsyncConnection[TupleRow], region: str, skews: Skews, at: datetime
) -> None:
    """Write down what changed, or a piece of it, in a transaction of its own."""
    if changed := skews.take(_AT_ONCE):
        async with connection.transaction():
            values = {"ids": list(changed), "skews": list(changed.values()), "at": at}
            await connection.execute(_SQL["note_clocks"], values)
    for bound_s, count in skews.off.items():
        metrics.clocks_off.labels(region, bound_s).set(count)
