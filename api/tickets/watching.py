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


class ClockWatch:
    """Knows until when nothing comes of each ticket, so that it reads few of thousands.

    What it knows is only of how each ticket was when it looked, and of the promises then: another
    version, other promises, or a process that does not know, and it looks anew.
    """

    def __init__(self) -> None:
        self._quiet: dict[tuple[int, int], datetime] = {}
        self._promises = ""

    async def look(self, connection: AsyncConnection[TupleRow]) -> None:
        """Write which rungs the clocks have come to since it looked."""
        rows = await (await connection.execute(_SQL["live"])).fetchall()
        promises = rows[0][3] if rows else ""
        known = self._quiet if promises == self._promises else {}
        quiet = {
            (key, version): known[key, version]
            for key, version, at, _ in rows
            if (key, version) in known and at < known[key, version]
        }
        stirring = [key for key, version, *_ in rows if (key, version) not in quiet]
        clocks = await watched(connection, stirring, EVERYTHING)
        await write(connection, [made for one in clocks.values() for made in _changes(one)])
        # What was written may yet be rolled back, or have met another change: looked at again.
        seen = {
            (key, one.row["version"]): one.next_at
            for key, one in clocks.items()
            if not one.escalations
        }
        self._quiet, self._promises = quiet | seen, promises


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
