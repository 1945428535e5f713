"""Drops what is older than it is kept, and switches the columnstore on where there is one.

Intervals, faults and tickets are kept for ever. A sum that is dropped is no loss: whoever asks for
that time reads the intervals.

What is in use, as all that a backup reads is, stays until another hour: whoever asks for uptime
after us would wait as long as we do.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

import psycopg
import structlog
from psycopg import AsyncConnection, errors
from psycopg.rows import TupleRow

from fleet.db.sql import load

_SQL = load("api", "retention")
_COLUMNAR = ("telemetry", "event")
_MARKS = {"uptime_cell_hour": "hours_from", "uptime_terminal_day": "terminals_from"}
_log = structlog.get_logger("api.retention")


@dataclass(frozen=True, slots=True)
class Retention:
    """How many days each table is kept, None for ever; after how many it becomes columns."""

    days: Mapping[str, int | None] = field(default_factory=dict)
    columns_after_days: int | None = None


async def keep(connection: AsyncConnection[TupleRow], retention: Retention) -> None:
    """The scheduled work, in the caller's transaction."""
    for table, days in retention.days.items():
        if days is not None:
            await _drop_unless_in_use(connection, table, days)
    if retention.columns_after_days is not None:
        await _columns(connection, retention.columns_after_days)


async def _drop_unless_in_use(connection: AsyncConnection[TupleRow], table: str, days: int) -> None:
    try:
        async with connection.transaction():
            await connection.execute(_SQL["be_brief"])
            await _drop(connection, table, days)
    except errors.LockNotAvailable:
        _log.info("chunks in use", table=table, days=days)


async def _drop(connection: AsyncConnection[TupleRow], table: str, days: int) -> None:
    [(before,)] = await (await connection.execute(_SQL["before"], {"days": days})).fetchall()
    if table in _MARKS:
        await connection.execute(_SQL[_MARKS[table]], {"before": before})
    if table == "uptime_cell_hour":
        await connection.execute(_SQL["drop_crossings"])
    dropped = await connection.execute(_SQL["drop"], {"table": table, "before": before})
    [(chunks,)] = await dropped.fetchall()
    if chunks:
        _log.info("chunks dropped", table=table, chunks=chunks, days=days)


async def _columns(connection: AsyncConnection[TupleRow], days: int) -> None:
    """Where the licence has none, nothing is asked of it; what is refused is logged, no more."""
    licensed = await (await connection.execute(_SQL["licensed"])).fetchone()
    if licensed != (True,):
        return
    found = await connection.execute(_SQL["columnar"], {"tables": list(_COLUMNAR)})
    done = {name for (name,) in await found.fetchall()}
    for table in _COLUMNAR:
        if table in done:
            continue
        try:
            async with connection.transaction():
                await connection.execute(_SQL["columns"], {"table": table, "days": days})
        except psycopg.Error as error:
            _log.warning("no columnstore", table=table, why=error.diag.message_primary)
