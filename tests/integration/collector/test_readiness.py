"""What `/readyz` says of a collector whose database is not as it should be, and how it goes on."""

import asyncio
import json
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import httpx
import psycopg
import pytest

from api.seed import seed
from collector.sight import SHORTEST
from fleet import mqtt
from fleet.db.migrate import available, migrate
from fleet.db.pool import connect
from fleet.demo import DemoGrid, grid
from fleet.mqtt import Broker, Connection, Session, Will
from fleet.rules.hearing import CATCH_UP
from tests.engines import BrokerServer, DatabaseServer
from tests.integration.collector.conftest import CollectorProcess, now, wait_for
from tests.machine import PATIENCE_S

MARK = """
INSERT INTO interval_recut (terminal_id, said, messages, marked_at)
VALUES (%(terminal)s, tstzrange(now() - interval '1 hour', now()), 1, now() - interval '1 hour')
"""
REFUSED = "cannot execute SELECT FOR UPDATE in a read-only transaction"
CUT = "SELECT count(*) FROM interval_recut WHERE done_at IS NULL"


@pytest.fixture
def demo_grid() -> DemoGrid:
    """Ten terminals in one cell of one region."""
    return grid(seed=1, terminals=10, cells=1)


async def migrated(url: str, upto: int | None = None) -> None:
    """Bring a database to a version."""
    async with await connect(url, name="test", autocommit=True) as connection:
        await migrate(connection, upto=upto)


async def sown(url: str, demo: DemoGrid) -> None:
    """Put the grid in it."""
    async with await connect(url, name="test") as connection:
        await seed(connection, demo, [])


def readiness(running: CollectorProcess) -> tuple[int, dict[str, Any]]:
    """What `/readyz` answers; 0 before it listens."""
    assert running.process is not None
    assert running.process.poll() is None, "the collector ended"
    try:
        said = httpx.get(f"http://127.0.0.1:{running.port}/readyz", timeout=PATIENCE_S)
    except httpx.TransportError:
        return 0, {}
    return said.status_code, said.json()


def says(running: CollectorProcess, words: str) -> bool:
    """Whether it is unready, and for this reason, of all or of a region."""
    status, body = readiness(running)
    of_regions = [each["problem"] for each in body.get("regions", {}).values()]
    return status == 503 and any(words in (each or "") for each in (body["problem"], *of_regions))


@pytest.fixture
def early(
    empty_database_url: str, broker: BrokerServer, demo_grid: DemoGrid
) -> Iterator[CollectorProcess]:
    """A collector that is started before its database is migrated."""
    running = CollectorProcess(empty_database_url, broker, demo_grid)
    running.launch("collector")
    yield running
    running.kill()


def test_a_database_of_an_older_version_is_said_and_waited_for(early: CollectorProcess) -> None:
    """Nothing there, then all but the last migration, then that: it lives and says what to do, and
    serves by itself once it is done."""
    version = len(available())
    wait_for(
        "it asks to migrate", lambda: says(early, f"at version 0, this program needs {version}")
    )
    asyncio.run(migrated(early.database_url, version - 1))
    wait_for(
        "it asks to go on",
        lambda: says(early, f"at version {version - 1}, this program needs {version}"),
    )
    asyncio.run(migrated(early.database_url))
    asyncio.run(sown(early.database_url, early.grid))
    wait_for("it serves", lambda: readiness(early)[0] == 200)


def test_a_database_of_a_newer_version_is_not_written(collector: CollectorProcess) -> None:
    """Upgraded beneath a collector: it goes on while it holds its regions, and takes none again."""
    assert collector.stop() == 0
    collector.execute(
        "INSERT INTO schema_migration (version, title, digest) VALUES (9999, 'newer', '')"
    )
    collector.say(0, 1)
    collector.launch("collector")
    wait_for("it says so", lambda: says(collector, "this program knows"))
    assert collector.query("SELECT count(*) FROM telemetry") == [(0,)]
    collector.execute("DELETE FROM schema_migration WHERE version = 9999")
    wait_for("it serves", lambda: readiness(collector)[0] == 200)
    wait_for("it stores", lambda: collector.query("SELECT 1 FROM telemetry"))


def test_a_database_that_takes_nothing_ends_no_collector(
    shared_database_server: DatabaseServer, collector: CollectorProcess
) -> None:
    """A standby that was not promoted, with intervals to be cut anew: it is unready until it is."""
    collector.say(0, 1)
    wait_for("it stores", lambda: collector.query("SELECT 1 FROM telemetry"))
    [(terminal,)] = collector.query("SELECT min(id) FROM terminal")
    with refusing(collector) as connection:
        connection.execute(MARK, {"terminal": terminal})

        def refused() -> bool:
            assert readiness(collector)[0] == 503
            return REFUSED in shared_database_server.log.read_text()

        wait_for("cutting is refused", refused)
    wait_for("it serves", lambda: readiness(collector)[0] == 200)
    wait_for("the intervals are cut", lambda: collector.query(CUT) == [(0,)])


def test_a_region_that_cannot_be_stored_is_never_ready(collector: CollectorProcess) -> None:
    """A message brings about what the database refuses: its region begins again and again."""
    collector.execute("ALTER TABLE telemetry ADD CONSTRAINT refused CHECK (seq <> 7)")
    collector.say(0, 7)
    wait_for("it says so", lambda: says(collector, "CheckViolation: new row for relation"))
    collector.execute("ALTER TABLE telemetry DROP CONSTRAINT refused")
    wait_for("it serves", lambda: readiness(collector)[0] == 200)
    wait_for("it stores", lambda: collector.query("SELECT 1 FROM telemetry WHERE seq = 7"))


def test_a_commit_that_hangs_is_noticed(collector: CollectorProcess) -> None:
    """A table is locked for long: nothing fails, and nothing is stored."""
    with psycopg.connect(collector.database_url) as maintenance:
        maintenance.execute("LOCK TABLE region_service")
        wait_for("it says so", lambda: says(collector, "nothing could be committed since"))
        assert collector.status("healthz") == 200
    wait_for("it serves", lambda: readiness(collector)[0] == 200)


async def test_a_broker_that_is_started_again_while_the_database_is_away_calls_nobody_offline(
    collector: CollectorProcess,
) -> None:
    """A machine with both is started again: the database goes first, and nobody is there any more
    to see that the broker goes too, with everybody's last will. A terminal has its minute to come
    back; when it is back it was never offline."""
    code = collector.grid.terminals[0].code
    collector.broker.add_terminals(code)
    terminal = await connected(collector, 1)
    here = "SELECT 1 FROM terminal_state WHERE connected AND seq = %s"
    wait_for("it is here", lambda: collector.query(here, 1))
    with refusing(collector):
        gone = time.monotonic()
        collector.broker.stop()
        collector.broker.start()
        wait_for("it was long enough", lambda: time.monotonic() > gone + SHORTEST.total_seconds())
    will = "SELECT 1 FROM presence WHERE NOT online AND arrived_at < now() - %s"
    wait_for("others would have had their time", lambda: collector.query(will, 1.5 * CATCH_UP))
    back = await connected(collector, 2)
    wait_for("it is back", lambda: collector.query(here, 2))
    states = "SELECT DISTINCT state FROM service_interval"
    assert collector.query(states) == [("in_service",)]
    for connection in (terminal, back):
        await connection.disconnect()


async def connected(running: CollectorProcess, seq: int) -> Connection:
    """The first terminal, with its last will, its birth and a heartbeat."""
    code, status = running.grid.terminals[0].code, running.topic(0, "status")
    birth, will = (
        json.dumps({"ts": now(), "boot": 1, "online": online}).encode() for online in (True, False)
    )
    session = Session(code, will=Will(status, will))
    connection = await mqtt.connect(Broker.parse(running.broker.url(code)), session, _ignore)
    await connection.publish(status, birth, retain=True)
    body = {"ts": now(), "boot": 1, "seq": seq, "status": {}}
    await connection.publish(running.topic(0, "telemetry"), json.dumps(body).encode())
    return connection


def _ignore(_connection: object, _message: object) -> None:
    pass


@contextmanager
def refusing(running: CollectorProcess) -> Iterator[psycopg.Connection[Any]]:
    """A database that takes nothing from the collector, which has noticed; and a connection that
    may write."""
    [(database,)] = running.query("SELECT current_database()")
    refused = f"ALTER DATABASE {database} SET default_transaction_read_only = on"
    taken = f"ALTER DATABASE {database} RESET default_transaction_read_only"
    writable = psycopg.conninfo.make_conninfo(
        running.database_url, options="-c default_transaction_read_only=off"
    )
    running.execute(refused)
    cut_off(running)
    wait_for("it says so", lambda: says(running, "read-only transaction"))
    with psycopg.connect(writable, autocommit=True) as connection:
        yield connection
        connection.execute(taken.encode())
    cut_off(running)


def cut_off(running: CollectorProcess) -> None:
    """End the collector's connections."""
    with psycopg.connect(running.database_url, autocommit=True) as connection:
        connection.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
            " WHERE datname = current_database() AND pid <> pg_backend_pid()"
        )
