"""Promises of service levels, read again when one has changed.

`sla_seen()` says of a statement's rows which promises hold: another wherever anything about them is
another. So what was read under a name is what that name stands for, for ever.
"""

from collections.abc import Sequence
from datetime import timedelta
from typing import Any

from psycopg import AsyncConnection
from psycopg.rows import TupleRow, dict_row

from fleet.db.sql import load
from fleet.sla.calendar import Calendar, Hours
from fleet.sla.policy import Clock, Policy

_SQL = load("api.tickets", "clocks")
_MOST = 1_000


class Promises:
    """Promises under one name: another object as soon as anything is another."""

    def __init__(self, policies: Sequence[Policy]) -> None:
        self.policies = policies


_KNOWN: dict[str, Promises] = {}


async def promises(connection: AsyncConnection[TupleRow], seen: str) -> Promises:
    """The promises whose name is `seen`."""
    known = _KNOWN.get(seen)
    if known is None:
        known = Promises(await _read(connection))
        if len(_KNOWN) >= _MOST:
            _KNOWN.clear()
        _KNOWN[seen] = known
    return known


async def _read(connection: AsyncConnection[TupleRow]) -> Sequence[Policy]:
    calendars = {
        row["code"]: Calendar(
            row["zone"], tuple(Hours(*one) for one in row["hours"]), frozenset(row["holidays"])
        )
        for row in await _rows(connection, "calendars")
    }
    return tuple(
        Policy(
            severity=row["severity"],
            cell=row["cell_code"],
            valid_from=row["valid_from"],
            calendar=calendars[row["calendar_code"]],
            targets={clock: timedelta(minutes=row[f"{clock}_minutes"]) for clock in Clock},
            warn_share=row["warn_share"],
            pausing=frozenset(row["pausing"]),
            chain=tuple(row["chain"]),
        )
        for row in await _rows(connection, "policies")
    )


async def _rows(connection: AsyncConnection[TupleRow], statement: str) -> list[dict[str, Any]]:
    async with connection.cursor(row_factory=dict_row, binary=True) as cursor:
        await cursor.execute(_SQL[statement])
        return await cursor.fetchall()
