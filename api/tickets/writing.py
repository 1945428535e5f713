"""Writes moves of tickets: the ticket, who moved it and why, and word of it, in one transaction."""

from collections.abc import Sequence
from dataclasses import dataclass

from psycopg import AsyncConnection
from psycopg.rows import TupleRow

from fleet.db.sql import load
from fleet.tickets.lifecycle import REFUSALS, TAKEN, Event, Role
from fleet.tickets.outcome import Said
from fleet.tickets.ticket import Ticket

_SQL = load("api.tickets", "writing")


@dataclass(frozen=True, slots=True)
class Author:
    """Who is written down as having done it."""

    name: str
    role: Role
    account_id: int | None = None


ENGINE = Author("engine", Role.ENGINE)


@dataclass(frozen=True, slots=True)
class Change:
    """A ticket before and after a move."""

    event: Event
    before: Ticket
    after: Ticket
    said: Said
    author: Author


async def write(
    connection: AsyncConnection[TupleRow], changes: Sequence[Change]
) -> Sequence[Change]:
    """Write changes, several of a ticket one upon the other; returns those that were written.

    Of a ticket that changed in between none is: what comes second was decided on what the first
    would have made of it, and by its version alone it would pass for the next.
    """
    seen: dict[int, int] = {}
    for change in changes:
        seen.setdefault(change.before.id, change.before.version)
    if not seen:
        return ()
    parameters = {"ids": list(seen), "versions": list(seen.values())}
    rows = await (await connection.execute(_SQL["as_seen"], parameters)).fetchall()
    standing = {key for (key,) in rows}
    written = [change for change in changes if change.before.id in standing]
    async with connection.cursor() as cursor:
        await cursor.executemany(_SQL["move"], [_parameters(change) for change in written])
    await announce(connection)
    return written


async def announce(connection: AsyncConnection[TupleRow]) -> None:
    """Tell whoever listens that tickets changed, once this transaction is committed."""
    await connection.execute(_SQL["announce"])


def _parameters(change: Change) -> dict[str, object]:
    before, after, said, author = change.before, change.after, change.said, change.author
    return {
        "id": before.id,
        "version_before": before.version,
        "version": after.version,
        "from_state": before.state,
        "state": after.state,
        "fault_id": after.fault_id,
        "technician_id": after.technician_id,
        "parent_id": after.parent_id,
        "reopened": after.reopened,
        "resolved_at": after.resolved_at,
        "recovered_at": after.recovered_at,
        "line": after.line,
        "pinned": after.pinned,
        "event": change.event,
        "account_id": author.account_id,
        "actor": author.name,
        "role": author.role,
        "reason": said.reason,
        "note": said.note,
        "device_at": said.device_at,
        "latitude": said.place and said.place[0],
        "longitude": said.place and said.place[1],
        "cause": said.cause,
        "action": said.action,
        "severity": after.severity,
        "severity_before": before.severity if change.event is Event.RATE else None,
        "told_recovered_at": said.recovered_at,
        "refused_by": before.technician_id if _goes_no_more(change) else None,
        "photos": None if said.photos is None else list(said.photos),
        "parts_used": None if said.parts_used is None else list(said.parts_used),
    }


def _goes_no_more(change: Change) -> bool:
    """Whether dispatch does not send whoever had the ticket to it again."""
    relieved = change.event is Event.ASSIGN and change.before.state in TAKEN
    return relieved or change.event in REFUSALS
