"""Our own outages as incidents: one fault of scope `platform`, and no alarm for any terminal.

While the broker is away the database can be told at once; when it was the database or the collector
itself, it is written down afterwards, begun and ended. The incident ends when every region is seen
again. It is a fault like others for who reads faults, and has a ticket while it is open.
"""

from datetime import datetime, timedelta

from psycopg import AsyncCursor
from psycopg.rows import TupleRow

from collector.sight import Blindness, Cause
from fleet.db.sql import load
from fleet.rules.changes import HoldKey, fault_id

AFTER = timedelta(minutes=1)
"""How long we must be blind: a restart, or another collector that takes over, is no incident."""

Cursor = AsyncCursor[TupleRow]

_SQL = load("collector", "incident")
RULE = "platform-blind"
_TITLES = {
    Cause.BROKER: "Broker away",
    Cause.DATABASE: "Database away",
    Cause.COLLECTOR: "No collector at work",
    Cause.BACKLOG: "Collectors behind",
}
_REMEDIES = {
    Cause.BROKER: "Look at the broker's process, disk and log, and at the network between it and "
    "the collectors. Terminals keep what they say and send it when the broker is back.",
    Cause.DATABASE: "Look at the database's process, disk and log. The broker keeps what terminals "
    "say until it can be stored.",
    Cause.COLLECTOR: "Look at the collectors' processes and logs. The broker keeps what terminals "
    "say until one is back.",
    Cause.BACKLOG: "More is said than is stored: look at the load, at slow commits, at the number "
    "of collectors.",
}


async def begin(cursor: Cursor, blindness: Blindness, after: timedelta) -> None:
    """Raise the incident of a blindness that lasts, or lasted, long enough, unless there is one."""
    if blindness.until - blindness.since < after:
        return
    await cursor.execute(_SQL["alone"])
    key = HoldKey("platform", blindness.cause.value, RULE)
    fired_at = blindness.since + after
    await cursor.execute(
        _SQL["begin"],
        {
            "id": fault_id(key, blindness.since),
            "subject": key.subject,
            "rule": RULE,
            "title": _TITLES[blindness.cause],
            "remedy": _REMEDIES[blindness.cause],
            "started_at": blindness.since,
            "fired_at": fired_at,
            "until": blindness.until,
        },
    )
    if (row := await cursor.fetchone()) is not None:
        await cursor.execute(_SQL["feed"], (row[0], "fired", fired_at))
        await cursor.execute(_SQL["notify"])


async def end(cursor: Cursor, region: str, at: datetime) -> None:
    """A region is seen again: the incidents end, if it was the last."""
    await cursor.execute(_SQL["alone"])
    await cursor.execute(_SQL["end"], {"region": region, "at": at})
    ended = await cursor.fetchall()
    for (key,) in ended:
        await cursor.execute(_SQL["feed"], (key, "cleared", at))
    if ended:
        await cursor.execute(_SQL["notify"])
