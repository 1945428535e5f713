"""Tickets raised by hand: of a fault that has none, or of what no telemetry tells."""

from typing import Any

from psycopg import AsyncConnection
from psycopg.rows import TupleRow

from api.accounts.caller import Caller
from api.errors import Forbidden, Invalid, MoveRefused
from api.tickets.asked import RaiseRequest
from api.tickets.writing import announce
from fleet.db.sql import load
from fleet.tickets.lifecycle import Event, Fact, may_ever

_SQL = load("api.tickets", "raising")


async def raise_by_hand(
    connection: AsyncConnection[TupleRow], caller: Caller, asked: RaiseRequest
) -> int:
    """Raise a ticket; returns its id, or raises `Forbidden`, `Invalid` or `MoveRefused`."""
    if not may_ever(Event.RAISE, caller.actor.role):
        raise Forbidden("Only operations raise tickets by hand.")
    parameters = asked.model_dump() | {"scope": caller.scope.parameter}
    about = asked.about
    row = await (await connection.execute(_SQL[_STATEMENTS[about]], parameters)).fetchone()
    if row is None:
        await _refuse(connection, about, parameters)
    [key] = row or (0,)
    by = caller.account
    note = {"id": key, "account_id": by.account_id, "actor": by.username, "role": by.role}
    await connection.execute(_SQL["note"], note | {"note": asked.note})
    await announce(connection)
    return int(key)


_STATEMENTS = {"fault": "from_fault", "terminal": "of_terminal", "cell": "of_cell"}


async def _refuse(
    connection: AsyncConnection[TupleRow], about: str, parameters: dict[str, Any]
) -> None:
    live = await (await connection.execute(_SQL["live"], parameters)).fetchone()
    if live is not None:
        raise MoveRefused(f"raise only if {Fact.UNTOLD}: ticket {live[0]} does.", ())
    what = "open fault that nothing wider speaks for" if about == "fault" else about
    raise Invalid(f"body.{about}", f"there is no {what} {parameters[about]}")
