"""What came late is cut in by itself: intervals that were marked are cut anew, once.

Rules:

- A batch that stores messages too late to be judged marks when they were said, in its transaction
  (`interval_recut`). So nothing that is stored goes unmarked, whoever dies when.
- A terminal that was marked and says nothing more late for `QUIET`, or was marked `LONGEST` ago,
  has its intervals cut anew: from the first instant that was said late, to the last one and as far
  behind it as a rule remembers. One transaction cuts them and notes the marks as done: killed
  before its end, all of it is done again, and comes out the same.
- Any number of processes may do so at a time: who finds a terminal taken leaves it.
- By the rules in force now. Sums of uptime follow: the database notes whose are stale.
"""

import asyncio
import random
from collections.abc import Callable, Collection
from datetime import timedelta

import psycopg
import structlog
from psycopg import AsyncConnection
from psycopg.rows import TupleRow

from collector import metrics
from collector.recut import recut
from fleet.db.migrate import MigrationError, check
from fleet.db.pool import connect
from fleet.db.sql import load
from fleet.mqtt import Backoff
from fleet.rules.catalogue import Catalogue
from fleet.rules.replay import lead

QUIET = timedelta(seconds=5)
LONGEST = timedelta(minutes=1)
_AT_ONCE = 100
_ROUND_EVERY_S = 1.0
_PAUSES = Backoff(random.Random(), base_s=0.5, cap_s=30.0)  # noqa: S311 - spreads reconnecting
_NOT_OF_ONE = (
    psycopg.OperationalError,
    psycopg.InterfaceError,
    psycopg.errors.ReadOnlySqlTransaction,
)
_SQL = load("collector", "recutting")

Connection = AsyncConnection[TupleRow]
log = structlog.get_logger()


async def due(
    connection: Connection,
    regions: Collection[str],
    quiet: timedelta = QUIET,
    longest: timedelta = LONGEST,
) -> list[str]:
    """The terminals of some regions whose time has come, the longest marked first."""
    asked = {"regions": list(regions), "quiet": quiet, "longest": longest, "rows": _AT_ONCE}
    cursor = await connection.execute(_SQL["due"], asked)
    return [code for (code,) in await cursor.fetchall()]


async def cut_in(connection: Connection, catalogue: Catalogue, terminal: str) -> bool:
    """Cut anew what is marked of a terminal, in one transaction; False where nothing could be."""
    async with connection.transaction():
        cursor = await connection.execute(_SQL["take"], {"terminal": terminal})
        marks = await cursor.fetchall()
        if not marks:
            return False
        since = min(first for _, _, first in marks)
        until = max(last for _, last, _ in marks) + lead(catalogue.variants())
        made = await recut(connection, catalogue, terminal, since, until)
        done = {
            "ids": [key for key, _, _ in marks],
            "cut": bool(made),
            "begin": made[0].begin if made else None,
            "end": made[-1].end if made else None,
        }
        await connection.execute(_SQL["done"], done)
    return bool(made)


async def keep_cutting(
    url: str, name: str, regions: Callable[[], Collection[str]], catalogue: Callable[[], Catalogue]
) -> None:
    """Cut in what comes late to the regions that are ours, until cancelled."""
    pauses = _PAUSES.delays()
    while True:
        try:
            async with await connect(url, name=f"recut {name}", autocommit=True) as connection:
                await check(connection)
                while True:
                    await _round(connection, regions(), catalogue())
                    pauses = _PAUSES.delays()
                    await asyncio.sleep(_ROUND_EVERY_S)
        except (psycopg.Error, MigrationError, OSError) as error:
            log.warning("late data waits", error=f"{type(error).__name__}: {error}")
            await asyncio.sleep(next(pauses))


async def _round(connection: Connection, regions: Collection[str], catalogue: Catalogue) -> None:
    for terminal in await due(connection, regions):
        try:
            outcome = "cut" if await cut_in(connection, catalogue, terminal) else "nothing"
        except _NOT_OF_ONE:
            raise
        except Exception:  # one terminal must not hold up the others
            log.exception("intervals not cut anew", terminal=terminal)
            await connection.execute(_SQL["give_up"], {"terminal": terminal})
            outcome = "failed"
        metrics.recuts.labels(outcome).inc()
        log.info("late data", terminal=terminal, outcome=outcome)
