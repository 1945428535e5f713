"""Reads technicians."""

from collections.abc import Sequence

from psycopg import AsyncConnection
from psycopg.rows import TupleRow, class_row

from api.scope import Scope
from api.technicians.schemas import Technician
from fleet.db.sql import load

_SQL = load("api.technicians", "store")


async def technicians(
    connection: AsyncConnection[TupleRow], scope: Scope, after: str | None, rows: int
) -> Sequence[Technician]:
    """The next technicians after a code, by code."""
    parameters = {"after": after, "rows": rows, "scope": scope.parameter}
    async with connection.cursor(row_factory=class_row(Technician)) as cursor:
        await cursor.execute(_SQL["technicians"], parameters)
        return await cursor.fetchall()
