"""Reads tickets as dispatch knows them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from psycopg import AsyncConnection
from psycopg.rows import TupleRow, dict_row

from api.scope import EVERYTHING
from api.tickets.clocks import Watched, watched
from api.tickets.store import of_row
from fleet.db.sql import load
from fleet.dispatch.place import Place
from fleet.dispatch.visit import Job
from fleet.sla.policy import Clock
from fleet.tickets.ticket import State, Ticket

_SQL = load("api.dispatch", "jobs")


@dataclass(frozen=True, slots=True)
class Open:
    """A ticket, and as dispatch sees it."""

    ticket: Ticket
    job: Job
    at: datetime


async def open_jobs(
    connection: AsyncConnection[TupleRow], ids: Sequence[int] | None = None
) -> list[Open]:
    """What dispatch may give out, or the tickets of some keys."""
    async with connection.cursor(row_factory=dict_row) as cursor:
        await cursor.execute(_SQL["jobs"], {"ids": None if ids is None else list(ids)})
        rows = await cursor.fetchall()
    clocks = await watched(connection, [row["id"] for row in rows], EVERYTHING)
    return [
        Open(of_row(row), _job(row, clocks[row["id"]]), row["at"])
        for row in rows
        if row["id"] in clocks
    ]


def _job(row: Mapping[str, Any], clocks: Watched) -> Job:
    due = [
        one.due_at
        for one in clocks.readings
        if one.clock is Clock.ARRIVAL and one.stopped_at is None
    ]
    return Job(
        ticket_id=row["id"],
        skill=row["skill"],
        line=row["line"],
        severity=row["severity"],
        cells=tuple(row["cells"]) or (row["cell"],),
        site=row["site_key"],
        place=None if row["latitude"] is None else Place(row["latitude"], row["longitude"]),
        due_at=due[0] if due else None,
        holder=row["technician_id"] if row["state"] == State.ASSIGNED else None,
        refused=frozenset(row["refused"]),
        also=frozenset(row["also"]),
    )
