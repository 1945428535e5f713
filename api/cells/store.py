"""Reads cells."""

from collections.abc import Sequence

from psycopg import AsyncConnection
from psycopg.rows import TupleRow, class_row, dict_row

from api.cells.schemas import Answerable, Cell, CellDetail
from api.errors import NotFound
from api.scope import Scope
from fleet.db.sql import load

_SQL = load("api.cells", "store")


async def cells(
    connection: AsyncConnection[TupleRow], scope: Scope, after: str | None, rows: int
) -> Sequence[Cell]:
    """The next cells after a code, by code."""
    parameters = {"code": None, "after": after, "rows": rows, "scope": scope.parameter}
    async with connection.cursor(row_factory=class_row(Cell)) as cursor:
        await cursor.execute(_SQL["cells"], parameters)
        return await cursor.fetchall()


async def cell(connection: AsyncConnection[TupleRow], scope: Scope, code: str) -> CellDetail:
    """One cell with its people; raises `NotFound`."""
    parameters = {"code": code, "after": None, "rows": 1, "scope": scope.parameter}
    async with connection.cursor(row_factory=dict_row) as cursor:
        await cursor.execute(_SQL["cells"], parameters)
        row = await cursor.fetchone()
    if row is None:
        raise NotFound("cell", code)
    async with connection.cursor(row_factory=class_row(Answerable)) as people:
        await people.execute(_SQL["people"], parameters)
        return CellDetail(**row, people=await people.fetchall())
