"""Reads tickets."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Annotated, Any, NamedTuple

from msgspec import Meta
from psycopg import AsyncConnection
from psycopg.rows import TupleRow, class_row, dict_row

from api.errors import NotFound
from api.technicians.store import KNOW_OF_ALL
from api.tickets.clocks import Watched, watched, with_clocks
from api.tickets.schemas import Ticket, TicketClock, TicketDetail, Transition
from api.tickets.viewer import Viewer
from fleet.db.sql import load
from fleet.rules.severity import Severity
from fleet.sla.policy import Level
from fleet.tickets import ticket as lifecycle
from fleet.tickets.following import facts
from fleet.tickets.lifecycle import allowed

_SQL = load("api.tickets", "store")
_PART = re.compile(r'"([^"]*)"|([^"\s]+)')


@dataclass(frozen=True, slots=True)
class Filter:
    """Which tickets; nothing means any."""

    id: int | None = None
    states: Sequence[str] | None = None
    open: bool | None = None
    cell: str | None = None
    terminal: str | None = None
    technician: str | None = None
    ids: Sequence[int] | None = None
    text: str | None = None

    @property
    def parameters(self) -> dict[str, object]:
        """What the statements take. Text that is not of words between spaces, as Chinese is not, is
        looked for as it stands too, each part between spaces or quotes by itself: `patterns` are
        for ILIKE.
        """
        patterns = None
        if self.text is not None and not self.text.isascii():
            escaped = self.text.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
            parts = ["".join(found) for found in _PART.findall(escaped)]
            patterns = [f"%{part}%" for part in parts if part]
        return asdict(self) | {"patterns": patterns or None}


class Due(NamedTuple):
    """Where a ticket stands among those that are due."""

    at: Annotated[datetime, Meta(tz=True)]
    id: int


class Urgency(NamedTuple):
    """Where a ticket stands among those to do."""

    urgency: int
    created_at: Annotated[datetime, Meta(tz=True)]
    id: int


async def tickets(
    connection: AsyncConnection[TupleRow],
    viewer: Viewer,
    wanted: Filter,
    after: int | None = None,
    rows: int = 1,
) -> Sequence[Ticket]:
    """The next tickets after an id, the newest first, with what the actor may do with each."""
    parameters = wanted.parameters | {"after": after, "rows": rows, "scope": viewer.scope.parameter}
    return await _cards(connection, viewer, "tickets", parameters)


async def of_terminal(
    connection: AsyncConnection[TupleRow], viewer: Viewer, code: str, rows: int
) -> Sequence[Ticket]:
    """The live tickets of a terminal, the newest first."""
    parameters = {"terminal": code, "rows": rows, "scope": viewer.scope.parameter}
    return await _cards(connection, viewer, "of_terminal", parameters)


async def by_clock(
    connection: AsyncConnection[TupleRow],
    viewer: Viewer,
    wanted: Filter,
    level: Level | None,
    after: Due | None,
    rows: int,
) -> Sequence[Due]:
    """The places of the next live tickets after one, by what is due first, with a running clock at
    a level.

    What is due is computed: all live tickets that the filter leaves are read for it.
    """
    parameters = wanted.parameters | {"scope": viewer.scope.parameter}
    found = await (await connection.execute(_SQL["live_ids"], parameters)).fetchall()
    clocks = await watched(connection, [key for (key,) in found], viewer.scope)
    places = sorted(
        Due(one.next_due(level), key) for key, one in clocks.items() if one.comes_to(level)
    )
    return [place for place in places if after is None or place > after][:rows]


async def at(
    connection: AsyncConnection[TupleRow], viewer: Viewer, places: Sequence[Due]
) -> Sequence[Ticket]:
    """The tickets at some places, in that order, but those that went out of sight meanwhile."""
    order = {place.id: number for number, place in enumerate(places)}
    shown = await tickets(connection, viewer, Filter(ids=list(order)), rows=len(places))
    return sorted(shown, key=lambda ticket: order[ticket.id])


async def to_do(
    connection: AsyncConnection[TupleRow],
    viewer: Viewer,
    after: Urgency | None,
    rows: int,
) -> Sequence[Ticket]:
    """What a technician has to do next, the most urgent first; nothing for who is none."""
    parameters = {
        "technician_id": viewer.actor.technician_id,
        "after_urgency": after and after.urgency,
        "after_created_at": after and after.created_at,
        "after_id": after and after.id,
        "rows": rows,
        "scope": viewer.scope.parameter,
    }
    return await _cards(connection, viewer, "to_do", parameters)


def urgency(ticket: Ticket) -> Urgency:
    """Where a ticket stands among those to do."""
    return Urgency(list(Severity).index(ticket.severity) + 1, ticket.created_at, ticket.id)


async def ticket(connection: AsyncConnection[TupleRow], viewer: Viewer, key: int) -> TicketDetail:
    """One ticket with all that happened to it; raises `NotFound`."""
    found = await tickets(connection, viewer, Filter(id=key))
    if not found:
        raise NotFound("ticket", key)
    parameters = {
        "id": key,
        "scope": viewer.scope.parameter,
        "everybody": viewer.actor.role in KNOW_OF_ALL,
        "technician_id": viewer.actor.technician_id,
    }
    async with connection.cursor(row_factory=class_row(Transition)) as cursor:
        await cursor.execute(_SQL["transitions"], parameters)
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
        line=row["line"],
        pinned=row["pinned"],
        severity=severity_of(row["severity"]),
    )


def severity_of(said: str | None) -> Severity | None:
    """A severity as the database has it."""
    return None if said is None else Severity(said)


async def _cards(
    connection: AsyncConnection[TupleRow],
    viewer: Viewer,
    statement: str,
    parameters: Mapping[str, object],
) -> list[Ticket]:
    async with connection.cursor(row_factory=dict_row, binary=True) as cursor:
        await cursor.execute(_SQL[statement], parameters)
        rows = await cursor.fetchall()
    clocks = await with_clocks(connection, rows)
    return [_card(row, clocks[row["id"]], viewer) for row in rows]


def _card(row: Mapping[str, Any], clocks: Watched, viewer: Viewer) -> Ticket:
    shown = [
        TicketClock(
            clock=one.clock,
            target_minutes=int(one.target.total_seconds() // 60),
            used_s=one.used.total_seconds(),
            due_at=one.due_at,
            stopped_at=one.stopped_at,
            paused=one.paused,
            level=one.level,
        )
        for one in clocks.readings
    ]
    ticket = of_row(row)
    offered = allowed(ticket, viewer.actor, facts(ticket, clocks.row["at"], viewer.verify))
    return Ticket.model_validate({**row, "allowed": offered, "clocks": shown})
