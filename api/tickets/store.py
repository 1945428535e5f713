"""Reads tickets."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any, NamedTuple

from psycopg import AsyncConnection
from psycopg.rows import TupleRow, class_row, dict_row

from api.errors import NotFound
from api.scope import Scope
from api.tickets.schemas import Ticket, TicketDetail, Transition
from fleet.db.sql import load
from fleet.rules.rule import Severity
from fleet.tickets import ticket as lifecycle
from fleet.tickets.lifecycle import Actor, allowed

_SQL = load("api.tickets", "store")


@dataclass(frozen=True, slots=True)
class Filter:
    """Which tickets; nothing means any."""

    id: int | None = None
    states: Sequence[str] | None = None
    open: bool | None = None
    cell: str | None = None
    terminal: str | None = None
    technician: str | None = None


class Urgency(NamedTuple):
    """Where a ticket stands among those to do."""

    urgency: int
    created_at: datetime
    id: int


async def tickets(
    connection: AsyncConnection[TupleRow],
    scope: Scope,
    actor: Actor,
    wanted: Filter,
    after: int | None = None,
    rows: int = 1,
) -> Sequence[Ticket]:
    """The next tickets after an id, the newest first, with what the actor may do with each."""
    parameters = asdict(wanted) | {"after": after, "rows": rows, "scope": scope.parameter}
    async with connection.cursor(row_factory=dict_row) as cursor:
        await cursor.execute(_SQL["tickets"], parameters)
        return [_card(row, actor) for row in await cursor.fetchall()]


async def to_do(
    connection: AsyncConnection[TupleRow],
    scope: Scope,
    actor: Actor,
    after: Urgency | None,
    rows: int,
) -> Sequence[Ticket]:
    """What a technician has to do next, the most urgent first; nothing for who is none."""
    parameters = {
        "technician_id": actor.technician_id,
        "after_urgency": after and after.urgency,
        "after_created_at": after and after.created_at,
        "after_id": after and after.id,
        "rows": rows,
        "scope": scope.parameter,
    }
    async with connection.cursor(row_factory=dict_row) as cursor:
        await cursor.execute(_SQL["to_do"], parameters)
        return [_card(row, actor) for row in await cursor.fetchall()]


def urgency(ticket: Ticket) -> Urgency:
    """Where a ticket stands among those to do."""
    return Urgency(list(Severity).index(ticket.severity) + 1, ticket.created_at, ticket.id)


async def ticket(
    connection: AsyncConnection[TupleRow], scope: Scope, actor: Actor, key: int
) -> TicketDetail:
    """One ticket with all that happened to it; raises `NotFound`."""
    found = await tickets(connection, scope, actor, Filter(id=key))
    if not found:
        raise NotFound("ticket", key)
    async with connection.cursor(row_factory=class_row(Transition)) as cursor:
        await cursor.execute(_SQL["transitions"], {"id": key, "scope": scope.parameter})
        return TicketDetail(**found[0].model_dump(), transitions=await cursor.fetchall())


async def counts(connection: AsyncConnection[TupleRow]) -> dict[str, int]:
    """How many live tickets there are in each state."""
    return dict(await (await connection.execute(_SQL["counts"])).fetchall())


def of_row(row: Mapping[str, Any]) -> lifecycle.Ticket:
    """The ticket of a row that has the columns of the lifecycle's, as the lifecycle sees it."""
    held_in = row["held_in"]
    return lifecycle.Ticket(
        id=row["id"],
        version=row["version"],
        state=lifecycle.State(row["state"]),
        fault_id=row["fault_id"],
        technician_id=row["technician_id"],
        parent_id=row["parent_id"],
        held_in=None if held_in is None else lifecycle.State(held_in),
        reopened=row["reopened"],
        resolved_at=row["resolved_at"],
        recovered_at=row["recovered_at"],
    )


def _card(row: Mapping[str, Any], actor: Actor) -> Ticket:
    return Ticket.model_validate({**row, "allowed": allowed(of_row(row), actor)})
