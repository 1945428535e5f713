"""What of a region's terminals is missing, or may be, as it stood at the last commit."""

from collections.abc import Iterable

from collector.manners import Key
from collector.repair import Stored
from collector.store import Connection
from collector.tails import Known
from fleet.db.sql import load
from fleet.ledger import Span, messages

_SQL = load("collector", "gaps")


async def stored(connection: Connection, region: str, terminals: Iterable[int]) -> Stored:
    """What is missing, what was given up, where each terminal's count begins; and of those of the
    region's terminals that can be asked, behind which boots something may be."""
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
    return Stored(first_boots, missing, lost, await tails(connection, terminals))


async def tails(connection: Connection, terminals: Iterable[int]) -> dict[Key, Known]:
    """The boots of some terminals that are over and behind which was not asked yet."""
    cursor = await connection.execute(_SQL["tails"], {"ids": list(terminals)})
    return {
        (terminal_id, boot): Known(last, following)
        async for terminal_id, boot, last, following in cursor
    }


async def note_asked(connection: Connection, over: Iterable[Key]) -> None:
    """Write down, in a transaction of its own, behind which boots was asked often enough."""
    async with connection.transaction():
        ids, boots = zip(*sorted(over), strict=True)
        await connection.execute(_SQL["asked"], {"ids": list(ids), "boots": list(boots)})
