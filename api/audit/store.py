"""Reads the audit."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass

from psycopg import AsyncConnection
from psycopg.rows import TupleRow, class_row

from api.audit.schemas import AuditEntry
from fleet.db.sql import load

_SQL = load("api.audit", "store")


@dataclass(frozen=True, slots=True)
class Filter:
    """Which entries; nothing means any."""

    subject: str | None = None
    key: str | None = None
    actor: str | None = None


async def entries(
    connection: AsyncConnection[TupleRow], wanted: Filter, after: int | None, rows: int
) -> Sequence[AuditEntry]:
    """The next entries before an id, the latest first."""
    async with connection.cursor(row_factory=class_row(AuditEntry)) as cursor:
        await cursor.execute(_SQL["entries"], asdict(wanted) | {"after": after, "rows": rows})
        return await cursor.fetchall()
