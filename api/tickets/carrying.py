"""Takes what is to do at a terminal along into the cell that the terminal is in."""

from psycopg import AsyncConnection
from psycopg.rows import TupleRow

from api.tickets.writing import announce
from fleet.db.sql import load

_SQL = load("api.tickets", "carrying")


async def carry(connection: AsyncConnection[TupleRow]) -> bool:
    """Let live tickets go along with their terminals; whether all that are to go went.

    A change of the map does so. What it could not see comes when dispatch looks next: a ticket that
    was raised or moved at the same moment, one that was accepted then and is no more.
    """
    [(went, left)] = await (await connection.execute(_SQL["carry"])).fetchall()
    if went:
        await announce(connection)
    return not left
