"""Takes what is to do at a terminal along into the cell that the terminal is in."""

from collections.abc import Sequence

from psycopg import AsyncConnection
from psycopg.rows import TupleRow

from api.tickets.writing import announce
from fleet.db.sql import load

_SQL = load("api.tickets", "carrying")


async def carry(
    connection: AsyncConnection[TupleRow], terminals: Sequence[str] | None = None
) -> None:
    """Let live tickets go along with some terminals, or all.

    A change of the map does so for whom it moves. What it could not see comes later, with all: a
    ticket that was raised or moved at the same moment, one that was accepted then and is no more.
    """
    codes = None if terminals is None else list(terminals)
    if (await connection.execute(_SQL["carry"], {"codes": codes})).rowcount:
        await announce(connection)
