"""Reads what the grid and the windows were while terminals said what is stored."""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from psycopg import AsyncConnection
from psycopg.rows import TupleRow

from fleet.db.sql import load
from fleet.rules.past import Past, Stay, Window
from fleet.rules.terminal import Terminal
from fleet.sla.calendar import Span

_SQL = load("fleet.db", "past")


async def past(
    connection: AsyncConnection[TupleRow],
    terminals: Sequence[Terminal],
    since: datetime,
    until: datetime,
) -> Past:
    """What was so of some terminals, and of all cells, from `since` to `until`."""
    asked = {"ids": [each.id for each in terminals], "since": since, "until": until}

    async def rows(name: str) -> list[Any]:
        return await (await connection.execute(_SQL[name], asked)).fetchall()

    def span(begin: datetime, end: datetime) -> Span:
        return Span(begin.astimezone(UTC), end.astimezone(UTC))

    return Past(
        stays=[Stay(of, cell, span(*when)) for of, cell, *when in await rows("stays")],
        tree=[Stay(of, cell, span(*when)) for of, cell, *when in await rows("tree")],
        windows=[
            Window(of_all, terminal, kind, cell, component, span(*when))
            for of_all, terminal, kind, cell, component, *when in await rows("windows")
        ],
        gone=dict(await rows("gone")),
    )
