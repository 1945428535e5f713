"""The engine: raises tickets for faults, lets them follow telemetry, and sends technicians.

It reads, asks `fleet.tickets` what to do, and writes. It may run at any time, any number of times,
crash anywhere, and race with people: the transaction, the unique index of live tickets and the
version of each see to it that nothing is done twice.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from uuid import UUID

from psycopg import AsyncConnection
from psycopg.rows import TupleRow, dict_row

from api.dispatch.assigning import send_technicians
from api.scope import EVERYTHING
from api.tickets.clocks import watched
from api.tickets.stepping import change
from api.tickets.store import of_row, severity_of
from api.tickets.writing import ENGINE, Change, announce, write
from api.windows.holding import held
from fleet.db.sql import load
from fleet.tickets.following import Cause, Desertion, deserted, facts, follow, not_accepted, told_of
from fleet.tickets.lifecycle import Event
from fleet.tickets.ticket import Ticket

_SQL = load("api.tickets", "engine")
_DESERTIONS = (
    ("deserted", Desertion.DISABLED),
    ("left_alone", Desertion.ABSENT),
    ("out_of_sight", Desertion.OTHER_CELLS),
)


@dataclass(frozen=True, slots=True)
class Patience:
    """How long things may take: to be accepted, and after RESOLVED to stay well."""

    accept: timedelta
    verify: timedelta


async def follow_faults(connection: AsyncConnection[TupleRow], patience: Patience) -> None:
    """Bring all tickets up to what telemetry says now, and to what time it is."""
    await raise_tickets(connection)
    await follow_causes(connection, patience.verify)
    await take_back(connection, patience.accept)
    await tell_of_the_deserted(connection)
    await send_technicians(connection)


async def raise_tickets(connection: AsyncConnection[TupleRow]) -> int:
    """A ticket for each fault that needs one and is not held; returns how many were raised."""
    faults = await _free(connection, [row["id"] for row in await _rows(connection, "wanting")])
    if not faults:
        return 0
    parameters = {"actor": ENGINE.name, "role": ENGINE.role, "faults": list(faults)}
    raised = (await connection.execute(_SQL["raise_tickets"], parameters)).rowcount
    if raised:
        await announce(connection)
    return raised


async def follow_causes(connection: AsyncConnection[TupleRow], verify: timedelta) -> int:
    """What telemetry means for each live ticket; returns how many moved."""
    changes: list[Change] = []
    rows = await _rows(connection, "causes")
    later = [row["open_fault"] for row in rows if row["open_fault"] not in (None, row["fault_id"])]
    free = await _free(connection, later)
    for row in rows:
        ticket = of_row(row)
        step = follow(ticket, _cause(row, free), row["at"], verify)
        if step is not None:
            now = facts(ticket, row["at"], verify)
            changes += change(ticket, step, row["at"], now)
    return len(await write(connection, changes))


def _cause(row: Mapping[str, Any], free: frozenset[UUID]) -> Cause:
    """What telemetry says; while windows hold a later fault than the ticket's own, not of that."""
    if row["open_fault"] not in {row["fault_id"], *free}:
        return Cause(cleared_at=row["cleared_at"], wanted=row["wanted"])
    return Cause(
        row["open_fault"], row["suppressed"], row["spoken_for_by"], row["cleared_at"],
        severity_of(row["fault_severity"]), row["wanted"],
    )  # fmt: skip


async def _free(connection: AsyncConnection[TupleRow], faults: Sequence[UUID]) -> frozenset[UUID]:
    """Those of the faults that no window holds back.

    Asked of faults that were read before: of one that fires in between, windows say nothing yet.
    """
    return frozenset(faults).difference(await held(connection)) if faults else frozenset()


async def take_back(connection: AsyncConnection[TupleRow], accept: timedelta) -> None:
    """Take tickets back from whoever did not accept in time, and escalate."""
    changes: list[Change] = []
    for row in await _rows(connection, "not_accepted", since=accept):
        step = not_accepted(row["asked_at"], row["at"], accept)
        if step is not None:
            changes += change(of_row(row), step, row["at"])
    written = await write(connection, changes)
    await escalate_refusals(connection, {one.after: one.event for one in written})


async def escalate_refusals(
    connection: AsyncConnection[TupleRow], refused: Mapping[Ticket, Event]
) -> None:
    """Tell the first of each ticket's chain that a technician does not go."""
    clocks = await watched(connection, [ticket.id for ticket in refused], EVERYTHING)
    changes: list[Change] = []
    for ticket, event in refused.items():
        one = clocks[ticket.id]
        changes += change(ticket, told_of(event, one.tells_first), one.row["at"])
    await write(connection, changes)


async def tell_of_the_deserted(connection: AsyncConnection[TupleRow]) -> None:
    """Escalate what somebody accepted who is absent, who does not see it any more, or whose account
    is disabled: it stays theirs, for they may be on site, until operations assign it to another.
    """
    for statement, why in _DESERTIONS:
        ids = [row["id"] for row in await _rows(connection, statement)]
        clocks = await watched(connection, ids, EVERYTHING)
        changes: list[Change] = []
        for one in clocks.values():
            changes += change(of_row(one.row), deserted(why, one.tells_first), one.row["at"])
        await write(connection, changes)


async def _rows(
    connection: AsyncConnection[TupleRow], statement: str, **parameters: object
) -> list[dict[str, Any]]:
    async with connection.cursor(row_factory=dict_row) as cursor:
        await cursor.execute(_SQL[statement], parameters)
        return await cursor.fetchall()
