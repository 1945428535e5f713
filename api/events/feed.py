"""Reads the feed of changes."""

from collections.abc import Sequence
from dataclasses import dataclass

from psycopg import AsyncConnection
from psycopg.rows import TupleRow, dict_row

from api.events.position import Position
from api.events.schemas import FaultEvent, TicketEvent
from api.scope import Scope
from fleet.db.sql import load

_SQL = load("api.events", "feed")
_ROWS = 200


@dataclass(frozen=True, slots=True)
class Change:
    """One event and its place in the feed."""

    position: Position
    data: FaultEvent | TicketEvent

    @property
    def event(self) -> str:
        """The kind of event on the stream."""
        return "fault" if isinstance(self.data, FaultEvent) else "ticket"


async def horizon(connection: AsyncConnection[TupleRow]) -> Position:
    """The place from which everything is new that is not committed yet."""
    [(tx,)] = await (await connection.execute(_SQL["horizon"])).fetchall()
    return Position.before(tx)


async def changes(
    connection: AsyncConnection[TupleRow], scope: Scope, after: Position, rows: int = _ROWS
) -> Sequence[Change]:
    """The next changes after a place, in order."""
    parameters = {
        "tx": after.tx,
        "source": after.source,
        "key": after.key,
        "rows": rows,
        "scope": scope.parameter,
    }
    async with connection.cursor(row_factory=dict_row) as cursor:
        await cursor.execute(_SQL["changes"], parameters)
        return [
            Change(
                Position(row["tx"], row["source"], row["key"]),
                (TicketEvent if row["source"] else FaultEvent).model_validate(row),
            )
            for row in await cursor.fetchall()
        ]
