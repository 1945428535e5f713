"""What a region misses is read back from broken ledgers alone, however many boots there were."""

import random

from collector import gaps
from collector.store import Connection
from collector.tails import Known
from fleet.ledger import Span, without
from tests.integration.collector.test_desk import connection, rows

__all__ = ["connection"]

INSERT = """
INSERT INTO boot_ledger (terminal_id, boot, received, lost)
VALUES (%s, %s, %s::text::int8multirange, %s::text::int8multirange)
"""


def spans(source: random.Random) -> list[Span]:
    """Up to three ranges that do not touch, one of them mostly from 1."""
    numbers = sorted(source.sample(range(2, 30), 6))
    found = [(first, last) for first, last in zip(numbers[::2], numbers[1::2], strict=True)]
    found[0] = (1, found[0][1]) if source.random() < 0.7 else found[0]
    return found[: source.randint(0, 3)]


def multirange(found: list[Span]) -> str:
    return "{" + ",".join(f"[{first},{last}]" for first, last in found) + "}"


async def test_what_is_missing_is_what_ledgers_leave_out(connection: Connection) -> None:
    source = random.Random(1)
    ids = [key for (key,) in await rows(connection, "SELECT id FROM terminal ORDER BY id")]
    first_boots, missing, lost = {}, {}, {}
    for terminal in ids:
        boots = sorted(source.sample(range(1, 40), 12))
        first_boots[terminal] = boots[0]
        for boot in boots:
            received = spans(source)
            begin = received[0][0] if received and boot == boots[0] else 1
            gaps_ = without([(begin, received[-1][1])], received) if received else []
            given_up = [span for span in gaps_ if source.random() < 0.3]
            asked = [terminal, boot, multirange(received), multirange(given_up)]
            await connection.execute(INSERT, asked)
            if given_up:
                lost[terminal, boot] = given_up
            if left := without(gaps_, given_up):
                missing[terminal, boot] = left
    found = await gaps.stored(connection, "region-01", ids)
    assert (found.first_boots, found.missing, found.lost) == (first_boots, missing, lost)
    assert len(missing) > 20
    assert len(lost) > 20


async def test_boots_that_miss_nothing_are_not_looked_at(connection: Connection) -> None:
    """By the index of the broken ones, where the planner is not kept from it by an empty table."""
    await connection.execute("SET LOCAL enable_seqscan = off")
    statement = "EXPLAIN " + gaps._SQL["gaps"]
    cursor = await connection.execute(statement.encode(), {"region": "region-01"})
    assert "boot_ledger_broken" in str(await cursor.fetchall())


async def test_boots_behind_which_was_asked_are_not_looked_at(connection: Connection) -> None:
    """A terminal had a hundred boots: of those before its own the one not asked behind is found."""
    ids = [key for (key,) in await rows(connection, "SELECT id FROM terminal ORDER BY id")]
    await connection.execute(
        """
        INSERT INTO boot_ledger (terminal_id, boot, received, asked_behind)
        SELECT id, boot, int8multirange(int8range(1, 9)), boot <> 40
        FROM terminal, generate_series(0, 198, 2) AS boot
        """
    )
    await connection.execute(
        "INSERT INTO terminal_state (terminal_id, boot, seq) SELECT id, 198, 8 FROM terminal"
    )
    assert await gaps.tails(connection, ids) == {(key, 40): Known(8, 42) for key in ids}
    await gaps.note_asked(connection, [(ids[0], 40), (ids[0], 41)])
    assert await gaps.tails(connection, ids) == {(key, 40): Known(8, 42) for key in ids[1:]}
    await connection.execute("ANALYZE boot_ledger")
    statement = "EXPLAIN " + gaps._SQL["tails"]
    cursor = await connection.execute(statement.encode(), {"ids": ids})
    plan = str(await cursor.fetchall())
    assert "boot_ledger_unasked" in plan
    assert "Seq Scan on boot_ledger" not in plan
