"""A dump that was restored into another server, whose count of transactions is lower."""

from datetime import timedelta
from functools import partial
from pathlib import Path

import pytest
from psycopg import AsyncConnection
from psycopg.rows import TupleRow

from api.audit.sealing import seal
from api.events.position import Position
from api.events.stream import start
from api.metrics import Metrics
from api.scheduled import Job
from api.scope import as_api
from api.tickets.engine import Patience, follow_faults
from api.uptime.summing import sum_up
from fleet.db.migrate import migrate
from fleet.db.pool import Pool, connect, open_pool
from tests.engines import DatabaseServer
from tests.integration.api.test_notifications import (
    Receiver,
    files,
    outbox_is,
    receiver,
    telling,
)
from tests.integration.api.test_scheduled import until
from tests.integration.api.test_summing import UNTIL
from tests.integration.api.test_uptime_by import a_bad_hour
from tests.integration.api.world import SomeFault, fire
from tests.integration.restoring import dump, new_server, restore

__all__ = ["files", "receiver"]

Database = AsyncConnection[TupleRow]
_MUCH_WORK = """
    DO $$ BEGIN
        FOR number IN 1..8000 LOOP PERFORM pg_current_xact_id(); COMMIT; END LOOP;
    END $$
"""


async def do(pool: Pool, *work: object) -> None:
    """Scheduled work, once each, as the api does it."""
    metrics = Metrics()
    for each in work:
        await Job("work", each, pool, metrics).run()  # type: ignore[arg-type]
    assert b'outcome="failed"' not in metrics.exposition()


async def sums(connection: Database) -> None:
    await sum_up(connection, "UTC", UNTIL)


follow = partial(follow_faults, patience=Patience(timedelta(hours=1), timedelta(hours=1)))


async def number(connection: Database, query: str) -> int:
    [(found,)] = await (await connection.execute(query.encode())).fetchall()
    return int(found)


@pytest.mark.parametrize("migrated", [True, False], ids=["after init", "the api alone"])
async def test_everything_goes_on_in_a_server_that_has_counted_less(
    connection: Database,
    database_url: str,
    shared_database_server: DatabaseServer,
    files: dict[str, Path],
    receiver: Receiver,
    tmp_path: Path,
    migrated: bool,
) -> None:
    """One assignment is told, one is not yet, part of the audit is sealed, sums are under way.

    In the new server the second one is told, and what comes then, each once; the audit's chain is
    whole; sums are made; and who followed the old one's feed follows this one's.
    """
    await connection.execute(_MUCH_WORK.encode())
    async with telling(database_url, files["hook"]):
        await fire(connection, SomeFault())
        await until(partial(outbox_is, connection, "sent"))
    await a_bad_hour(connection)
    async with open_pool(as_api(database_url), name="test") as pool:
        await do(pool, seal, sums, sums, sums)
        await fire(connection, SomeFault(terminal="ATM-2"))
        await do(pool, follow)
    place = str(await number(connection, "SELECT max(tx)::text FROM ticket_transition")) + "-1-1"

    dump(shared_database_server, database_url, tmp_path / "dump")
    with new_server(shared_database_server) as server:
        url = await restore(server, tmp_path / "dump")
        await _goes_on(url, files["hook"], receiver, place, migrated)


async def _goes_on(
    url: str, channels: Path, receiver: Receiver, place: str, migrated: bool
) -> None:
    async with await connect(url, name="test", autocommit=True) as restored:
        if migrated:
            await migrate(restored)
        assert await number(restored, "SELECT pg_current_xact_id()::text") < 8000
        async with telling(url, channels) as app:
            await until(partial(outbox_is, restored, "sent", "sent"))
            await fire(restored, SomeFault(terminal="ATM-3"))
            await until(partial(outbox_is, restored, "sent", "sent", "sent"))
            begun = await start(app.state.services, Position.parse(place))
        assert int(begun.tx) < 8000
        # A phone has moves in its outbox for tickets of after the backup: they are to find none.
        assert await number(restored, "SELECT max(id) FROM ticket") > 100_000
        # Nor is whoever planned a window after the backup to take back another's.
        assert await number(restored, _NEXT) > 100_000
        told = [one["items"][0]["facts"]["place"] for one in receiver.verified()]
        assert [place.split()[0] for place in told] == ["ATM-1", "ATM-2", "ATM-3"]
        async with open_pool(as_api(url), name="test") as pool:
            await do(pool, seal, *[sums] * 8)
        assert await number(restored, _UNSEALED) == 0
        assert await number(restored, _UNSUMMED) == 0
        assert await number(restored, _EDITED) == 0


_NEXT = """
    SELECT min(nextval(pg_get_serial_sequence(name, 'id'))) FROM unnest(ARRAY['ticket_attachment',
        'planned_window', 'service_schedule_use', 'service_correction', 'technician_absence']
    ) AS numbered (name)
"""
_UNSEALED = "SELECT count(*) FROM audit WHERE id NOT IN (SELECT audit_id FROM audit_seal)"
_UNSUMMED = "SELECT count(*) FROM uptime_summed WHERE summed_to < watched_to"
_EDITED = """
    SELECT count(*) FROM audit WHERE subject = 'ticket_transition' AND change = 'update'
"""
