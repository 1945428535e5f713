"""The collectors among each other: who is there, who holds what, as the database's locks say."""

from psycopg import AsyncConnection
from psycopg.rows import TupleRow

from collector.share import Holding
from fleet.db.sql import load

Connection = AsyncConnection[TupleRow]

_SQL = load("collector", "share")
_TEND = load("collector", "claim")["tend"]


async def join(connection: Connection) -> None:
    """Take part for as long as this connection lasts; hear of changes to the registry."""
    await connection.execute(_TEND)
    await connection.execute(_SQL["join"])
    await connection.execute("LISTEN registry")


async def look(connection: Connection) -> tuple[list[Holding], frozenset[str]]:
    """All regions with their holders, and the names of those that share them."""
    cursor = await connection.execute(_SQL["holdings"])
    holdings = [Holding(*row) for row in await cursor.fetchall()]
    cursor = await connection.execute(_SQL["members"])
    return holdings, frozenset(row[0] for row in await cursor.fetchall())


async def evict(connection: Connection, backend: int) -> None:
    """End a connection, and with it the lock that it holds."""
    await connection.execute(_SQL["evict"], {"backend": backend})
