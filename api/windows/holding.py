"""Which faults windows hold back from raising a ticket now.

Nothing is remembered: it follows from when a fault fired and from the windows, so a process that
starts anew finds the same.
"""

from uuid import UUID

from psycopg import AsyncConnection
from psycopg.rows import TupleRow

from fleet.db.sql import load
from fleet.sla.calendar import Span
from fleet.windows.holding import due

_SQL = load("api.windows", "holding")


async def held(connection: AsyncConnection[TupleRow]) -> list[UUID]:
    """The faults that get no ticket yet: a window is not over, or their hold time after it."""
    rows = await (await connection.execute(_SQL["covered"])).fetchall()
    return [
        fault
        for fault, fired_at, hold, at, begins, ends in rows
        if at < due(fired_at, hold, map(Span, begins, ends))
    ]
