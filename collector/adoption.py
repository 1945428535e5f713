"""From one catalogue to the next: which rules say something new, and the note that they are asked.

Nothing need happen to a terminal for a new rule to be right about it. So a region whose state was
judged by another catalogue asks the rules that differ once more, and notes the new one in the
transaction that writes what came of it: after a crash between the two it is done again.
"""

from datetime import datetime

from psycopg.types.json import Jsonb

from collector.store import Connection
from fleet.db.sql import load
from fleet.rules.catalogue import Catalogue, differing

_SQL = load("collector", "adoption")


async def changed(
    connection: Connection, region: str, catalogue: Catalogue
) -> frozenset[str] | None:
    """The rules that the stored state was not judged by; all of them where none is noted. None
    where it was this catalogue, which is noted already."""
    cursor = await connection.execute(_SQL["adopted"], {"region": region})
    identity, content = await cursor.fetchone() or (None, {})
    if identity == catalogue.identity:
        return None
    return differing(content, catalogue.content())


async def note(connection: Connection, region: str, catalogue: Catalogue, now: datetime) -> None:
    """From this transaction on the region's state is judged by a catalogue."""
    await connection.execute(
        _SQL["keep_catalogue"],
        {
            "identity": catalogue.identity,
            "version": catalogue.version,
            "digest": catalogue.digest,
            "content": Jsonb(catalogue.content()),
        },
    )
    await connection.execute(
        _SQL["adopt_catalogue"], {"region": region, "identity": catalogue.identity}
    )
    await connection.execute(
        _SQL["keep_term"], {"region": region, "since": now, "identity": catalogue.identity}
    )
