"""The database's clock: all times that are stored are by it, and so is what "now" means to them."""

from datetime import UTC, datetime, timedelta

from psycopg import AsyncConnection
from psycopg.rows import TupleRow

from fleet.db.sql import load

_SQL = load("fleet.db", "clock")
_FIRST = datetime(1970, 1, 1, tzinfo=UTC)


async def now(connection: AsyncConnection[TupleRow]) -> datetime:
    """When it is there; in a transaction, when that began."""
    [(at,)] = await (await connection.execute(_SQL["now"])).fetchall()
    assert isinstance(at, datetime)  # noqa: S101 -- timestamptz
    return at


def earlier(at: datetime, length: timedelta) -> datetime:
    """So long before; no earlier than 1970, of which nothing is stored."""
    return at - min(length, max(at - _FIRST, timedelta()))
