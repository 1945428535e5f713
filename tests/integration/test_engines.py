"""The engines every other test leans on do what those tests assume of them."""

import psycopg
import pytest

from tests.engines import BrokerServer, DatabaseServer


def test_a_test_gets_a_migrated_database_of_its_own(database_url: str) -> None:
    """Cloned from a template: the tables are there, and a hypertable among them."""
    with psycopg.connect(database_url) as connection:
        found = connection.execute(
            "SELECT hypertable_name FROM timescaledb_information.hypertables"
        ).fetchall()
    assert ("telemetry",) in found


def test_a_killed_database_comes_back_with_what_was_committed(
    database_server: DatabaseServer,
) -> None:
    """Committed, crashed, started again on the same port: the row is there."""
    with psycopg.connect(database_server.url) as connection:
        connection.execute("INSERT INTO region (code, name) VALUES ('R1', 'Region 1')")
    database_server.kill()
    with pytest.raises(psycopg.OperationalError):
        psycopg.connect(database_server.url, connect_timeout=5)
    database_server.start()
    with psycopg.connect(database_server.url) as connection:
        assert connection.execute("SELECT code FROM region").fetchall() == [("R1",)]


def test_the_broker_knows_terminals_as_soon_as_they_are_added(broker: BrokerServer) -> None:
    """The test adds them one after another; others stay out."""
    assert broker.accepts("tester")
    assert not broker.accepts("A-1")
    broker.add_terminals("A-1", "A-2")
    assert broker.accepts("A-1")
    assert not broker.accepts("A-3")


def test_a_killed_broker_starts_again_on_its_port(broker: BrokerServer) -> None:
    """Tests of reconnecting clients need the same address afterwards."""
    broker.kill()
    with pytest.raises(ConnectionRefusedError):
        broker.accepts("tester")
    broker.start()
    assert broker.accepts("tester")
    broker.publish("fleet/v1/R1/A-1/telemetry", b"{}")
