"""The gaps of a region as they stood at the last commit, read back."""

from collector.repair import Key, Stored
from collector.store import Connection
from fleet.db.sql import load
from fleet.ledger import Span, messages

_SQL = load("collector", "gaps")


async def stored(connection: Connection, region: str) -> Stored:
    """What is missing, what was given up, and where each terminal's count begins."""
    cursor = await connection.execute(_SQL["first_boots"], {"region": region})
    first_boots: dict[int, int] = dict(await cursor.fetchall())
    missing: dict[Key, list[Span]] = {}
    lost: dict[Key, list[Span]] = {}
    cursor = await connection.execute(_SQL["gaps"], {"region": region})
    async for terminal_id, boot, firsts, lasts, lost_firsts, lost_lasts in cursor:
        if spans := messages(zip(firsts, lasts, strict=True)):
            missing[terminal_id, boot] = spans
        if lost_firsts:
            lost[terminal_id, boot] = list(zip(lost_firsts, lost_lasts, strict=True))
    return Stored(first_boots, missing, lost)
