"""Takes what is to do at a terminal along into the cell that the terminal is in."""

from psycopg import AsyncConnection
from psycopg.rows import TupleRow

from api.tickets.writing import announce
from fleet.db.sql import load

_SQL = load("api.tickets", "carrying")


async def carry(connection: AsyncConnection[TupleRow]) -> None:
    """Let live tickets go along with their terminals.

    A change of the map does so. What it could not see comes when dispatch looks next: a ticket that
    was raised or moved at the same moment, one that was accepted then and is no more.
    """
    if (await connection.execute(_SQL["carry"])).rowcount:
        await announce(connection)
