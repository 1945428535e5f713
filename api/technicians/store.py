"""Reads technicians, and where they are."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from psycopg import AsyncConnection
from psycopg.rows import TupleRow, class_row, dict_row

from api.dispatch.people import people
from api.errors import NotFound
from api.scope import Scope
from api.technicians.schemas import Absence, Shift, Technician, TechnicianDetail
from fleet.db.sql import load
from fleet.dispatch.fitness import attendance
from fleet.tickets.lifecycle import Actor, Role

_SQL = load("api.technicians", "store")
KNOW_OF_ALL = frozenset({Role.OPERATIONS, Role.ADMIN})
"""Who knows of everybody where they live and are; others know it of themselves."""


@dataclass(frozen=True, slots=True)
class Asking:
    """Who asks: where somebody lives and is, operations know of all, others of themselves."""

    scope: Scope
    actor: Actor

    def knows(self, technician_id: int) -> bool:
        """Whether home, position and reasons of absence are theirs to know."""
        return self.actor.role in KNOW_OF_ALL or self.actor.technician_id == technician_id


async def technicians(
    connection: AsyncConnection[TupleRow],
    asking: Asking,
    after: str | None = None,
    rows: int = 1,
    code: str | None = None,
) -> Sequence[Technician]:
    """The next technicians after a code, by code, or the one of a code."""
    parameters = {
        "after": after,
        "rows": rows,
        "code": code,
        "scope": asking.scope.parameter,
        "everybody": asking.actor.role in KNOW_OF_ALL,
        "technician_id": asking.actor.technician_id,
    }
    async with connection.cursor(row_factory=dict_row) as cursor:
        await cursor.execute(_SQL["technicians"], parameters)
        found = await cursor.fetchall()
    now = datetime.now(UTC)
    at_work = {
        one.id: not attendance(one, now)
        for one in await people(connection, [row["id"] for row in found])
    }
    return [
        Technician.model_validate(row | {"key": row["id"], "on_shift": at_work[row["id"]]})
        for row in found
    ]


async def technician(
    connection: AsyncConnection[TupleRow], asking: Asking, code: str
) -> TechnicianDetail:
    """One technician, with when they work and are away; raises `NotFound`."""
    found = await technicians(connection, asking, code=code)
    if not found:
        raise NotFound("technician", code)
    key = found[0].key
    async with connection.cursor(row_factory=class_row(Shift)) as cursor:
        await cursor.execute(_SQL["shifts"], {"id": key})
        shifts = await cursor.fetchall()
    async with connection.cursor(row_factory=class_row(Absence)) as cursor:
        await cursor.execute(_SQL["absences"], {"id": key, "known": asking.knows(key)})
        absences = await cursor.fetchall()
    return TechnicianDetail(
        **found[0].model_dump(), key=key, shifts=list(shifts), absences=list(absences)
    )


async def here(
    connection: AsyncConnection[TupleRow],
    technician_id: int,
    latitude: float,
    longitude: float,
    at: datetime | None,
) -> None:
    """Note where a technician is; a position older than the one that is known is left out."""
    position = {"technician_id": technician_id, "latitude": latitude, "longitude": longitude}
    await connection.execute(_SQL["here"], position | {"at": at or datetime.now(UTC)})
