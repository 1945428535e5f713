"""Reads faults."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from psycopg import AsyncConnection
from psycopg.rows import TupleRow, class_row

from api.errors import NotFound
from api.faults.schemas import Fault, FaultChange, FaultDetail
from api.scope import Scope
from fleet.db.sql import load

_SQL = load("api.faults", "store")


class Place(NamedTuple):
    """Where a fault stands in the order."""

    started_at: datetime
    id: UUID


@dataclass(frozen=True, slots=True)
class Filter:
    """Which faults; nothing means any."""

    id: UUID | None = None
    open: bool | None = None
    cell: str | None = None
    terminal: str | None = None
    rule: str | None = None
    severity: str | None = None


async def faults(
    connection: AsyncConnection[TupleRow],
    scope: Scope,
    wanted: Filter,
    after: Place | None = None,
    rows: int = 1,
) -> Sequence[Fault]:
    """The next faults after a place, the latest begun first."""
    place = {
        "after_at": after and after.started_at,
        "after_id": after and after.id,
        "rows": rows,
        "scope": scope.parameter,
    }
    async with connection.cursor(row_factory=class_row(Fault)) as cursor:
        await cursor.execute(_SQL["faults"], asdict(wanted) | place)
        return await cursor.fetchall()


async def open_of_terminal(
    connection: AsyncConnection[TupleRow], scope: Scope, code: str, rows: int
) -> Sequence[Fault]:
    """What is open on a terminal, the latest begun first."""
    parameters = {"terminal": code, "rows": rows, "scope": scope.parameter}
    async with connection.cursor(row_factory=class_row(Fault)) as cursor:
        await cursor.execute(_SQL["open_of_terminal"], parameters)
        return await cursor.fetchall()


async def fault(connection: AsyncConnection[TupleRow], scope: Scope, key: UUID) -> FaultDetail:
    """One fault with its changes; raises `NotFound`."""
    found = await faults(connection, scope, Filter(id=key))
    if not found:
        raise NotFound("fault", key)
    async with connection.cursor(row_factory=class_row(FaultChange)) as cursor:
        await cursor.execute(_SQL["changes"], {"id": key, "scope": scope.parameter})
        return FaultDetail(**found[0].model_dump(), changes=await cursor.fetchall())
