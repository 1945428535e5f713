"""Keeps why dispatch chose whom, and tells it."""

from collections.abc import Iterable, Mapping, Sequence

from psycopg import AsyncConnection
from psycopg.rows import TupleRow, dict_row
from psycopg.types.json import Jsonb

from api.accounts.caller import Caller
from api.dispatch.schemas import DispatchChoice
from api.errors import NotFound
from api.technicians.store import KNOW_OF_ALL
from fleet.db.sql import load
from fleet.dispatch.assignment import Choice, Considered

_SQL = load("api.dispatch", "choices")


async def keep(
    connection: AsyncConnection[TupleRow], actor: str, choices: Iterable[Choice]
) -> None:
    """Store choices, with everybody who was considered."""
    rows = [
        {
            "ticket_id": choice.job.ticket_id,
            "actor": actor,
            "technician_id": choice.technician and choice.technician.id,
            "reason": choice.reason,
            "considered": Jsonb(
                {
                    "candidates": [_told(one, choice) for one in choice.considered],
                    "others": choice.others,
                }
            ),
        }
        for choice in choices
    ]
    async with connection.cursor() as cursor:
        await cursor.executemany(_SQL["keep"], rows)


async def last_reasons(
    connection: AsyncConnection[TupleRow], ids: Sequence[int]
) -> Mapping[int, tuple[int | None, str]]:
    """What was last chosen for tickets: technician and reason."""
    rows = await (await connection.execute(_SQL["left_open"], {"ids": list(ids)})).fetchall()
    return {ticket: (technician, reason) for ticket, technician, reason in rows}


async def choices(
    connection: AsyncConnection[TupleRow], caller: Caller, key: int
) -> Sequence[DispatchChoice]:
    """What was chosen for a ticket, the latest first; raises `NotFound`.

    What somebody would cost tells how far they have, and so where they live or are: that is shown
    to whoever may know it.
    """
    parameters = {"id": key, "scope": caller.scope.parameter}
    if await (await connection.execute(_SQL["seen"], parameters)).fetchone() is None:
        raise NotFound("ticket", key)
    async with connection.cursor(row_factory=dict_row) as cursor:
        await cursor.execute(_SQL["choices"], parameters)
        rows = await cursor.fetchall()
    found = [DispatchChoice.model_validate(row | row["considered"]) for row in rows]
    if caller.actor.role not in KNOW_OF_ALL:
        for candidate in (one for choice in found for one in choice.candidates):
            if candidate.technician != caller.account.technician:
                candidate.cost = None
    return found


def _told(one: Considered, choice: Choice) -> dict[str, object]:
    fitness, cost = one.fitness, one.cost
    costs = cost and {
        "travel_min": round(cost.travel, 1),
        "load_min": round(cost.load, 1),
        "late_min": round(cost.late, 1),
        "kept_min": round(cost.kept, 1),
        "level_min": round(cost.level, 1),
        "total_min": round(cost.total, 1),
    }
    return {
        "technician": fitness.technician.code,
        "sent": choice.technician is fitness.technician,
        "distance": fitness.distance,
        "against": list(fitness.shortfalls),
        "cost": costs,
    }
