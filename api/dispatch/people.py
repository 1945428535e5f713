"""Reads technicians as dispatch knows them."""

from collections.abc import Mapping, Sequence
from typing import Any

from psycopg import AsyncConnection
from psycopg.rows import TupleRow, dict_row

from fleet.db.sql import load
from fleet.dispatch.place import Place
from fleet.dispatch.technician import Technician
from fleet.sla.calendar import ALWAYS, Calendar, Hours, Span

_SQL = load("api.dispatch", "people")


async def people(
    connection: AsyncConnection[TupleRow], ids: Sequence[int] | None = None
) -> list[Technician]:
    """The technicians of some keys, or all, by code."""
    async with connection.cursor(row_factory=dict_row) as cursor:
        await cursor.execute(_SQL["people"], {"ids": None if ids is None else list(ids)})
        return [_technician(row) for row in await cursor.fetchall()]


async def anything_new(connection: AsyncConnection[TupleRow]) -> bool:
    """Whether anything that a choice depends on is another than when this was last asked."""
    [(seen,)] = await (await connection.execute(_SQL["surroundings"])).fetchall()
    looked = await connection.execute(_SQL["looked"], {"seen": seen})
    return await looked.fetchone() is not None


async def look_again(connection: AsyncConnection[TupleRow]) -> None:
    """Let all be new when it is asked next."""
    await connection.execute(_SQL["look_again"])


def _technician(row: Mapping[str, Any]) -> Technician:
    hours = tuple(Hours(*one) for one in row["shifts"])
    place = None if row["latitude"] is None else Place(row["latitude"], row["longitude"])
    return Technician(
        id=row["id"],
        code=row["code"],
        skills=frozenset(row["skills"]),
        lines=frozenset(row["lines"]),
        cells=frozenset(row["cells"]),
        shifts=Calendar(row["zone"], hours) if hours else ALWAYS,
        absences=tuple(Span(*one) for one in row["absences"]),
        place=place,
        most=row["most_visits"],
        visits=frozenset(row["visits"]),
        disabled=row["disabled"],
    )
