"""Watches the clocks of live tickets, and writes into their history what they come to."""

from collections.abc import Sequence
from datetime import datetime

from psycopg import AsyncConnection
from psycopg.rows import TupleRow

from api.scope import EVERYTHING
from api.tickets.clocks import Watched, watched
from api.tickets.stepping import change
from api.tickets.store import of_row
from api.tickets.writing import Change, write
from fleet.db.sql import load
from fleet.tickets.following import Step
from fleet.tickets.lifecycle import Event
from fleet.tickets.outcome import Said

_SQL = load("api.tickets", "clocks")
_AT_ONCE = 10  # others are served in between
_VERSION_BITS = 32  # of a mark: a ticket's id, and below it the version that was looked at


class ClockWatch:
    """Knows until when nothing comes of each ticket, so that it reads few of thousands.

    What it knows is only of how each ticket was when it looked, and of the promises then: another
    version, other promises, or a process that does not know, and it looks anew.
    """

    def __init__(self) -> None:
        self._quiet: dict[int, datetime] = {}
        self._promises = ""

    async def look(self, connection: AsyncConnection[TupleRow]) -> None:
        """Write which rungs the clocks have come to since it looked."""
        cursor = await connection.cursor(binary=True).execute(_SQL["live"])
        [(marks, at, promises)] = await cursor.fetchall()
        live = set(marks)
        if promises != self._promises:
            self._quiet, self._promises = {}, promises
        over = [mark for mark, until in self._quiet.items() if until <= at or mark not in live]
        for mark in over:
            del self._quiet[mark]
        stirring = sorted(mark >> _VERSION_BITS for mark in live.difference(self._quiet))
        for first in range(0, len(stirring), _AT_ONCE):
            self._quiet |= await _looked_at(connection, stirring[first : first + _AT_ONCE])


async def _looked_at(
    connection: AsyncConnection[TupleRow], ids: Sequence[int]
) -> dict[int, datetime]:
    """Write of some tickets what they have come to; until when nothing comes of the others.

    What was written may yet be rolled back, or have met another change: it is looked at again.
    """
    clocks = await watched(connection, ids, EVERYTHING)
    await write(connection, [made for one in clocks.values() for made in _changes(one)])
    return {
        key << _VERSION_BITS | one.row["version"]: one.next_at
        for key, one in clocks.items()
        if not one.escalations
    }


def _changes(one: Watched) -> Sequence[Change]:
    """What is written of a ticket."""
    ticket = of_row(one.row)
    changes: list[Change] = []
    for escalation in one.escalations:
        said = Said(reason=escalation.reason, note=escalation.note)
        made = change(ticket, Step(Event.ESCALATE, said), one.row["at"])
        changes += made
        ticket = made[-1].after if made else ticket
    return changes
