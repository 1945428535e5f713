"""The broker stops: no terminal has a ticket, the platform has one; then all is as before."""

import asyncio
import os
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from psycopg import AsyncConnection

from api.tickets.engine import Patience, follow_faults
from collector import incident
from collector.claim import Claim, Seen
from collector.incident import AFTER
from collector.sight import Blindness, Cause
from collector.store import Connection
from tests.integration.collector.conftest import CollectorProcess, wait_for
from tests.integration.collector.test_desk import at, connection, rows

__all__ = ["connection"]

RULES = """
version: "quick"
include: [default]
overrides:
  - {rules: [silent], regions: [region-01], set: {silent_for: 2s, for: 1s}}
  - {rules: [offline], regions: [region-01], set: {for: 2s}}
"""
LIVELY = """
{name: lively, about: a heartbeat twice a second,
 behaviour: {heartbeat_s: 0.5, faults_per_day: 0, stock_at_start: 0.9}}
"""
AWAY_S = 8.0  # twice what it takes a terminal to be called silent
# That the fixture changed the collector's rules was an outage of its own.
OPEN = "SELECT scope, subject, cleared_at FROM fault WHERE subject <> 'collector'"
TICKETS = "SELECT scope, subject, state FROM ticket"


@pytest.fixture
def fleet(collector: CollectorProcess, tmp_path: Path) -> Iterator[CollectorProcess]:
    """A collector with rules in a hurry, and ten simulated terminals."""
    collector.stop()
    rules, scenario = tmp_path / "rules", tmp_path / "lively.yaml"
    rules.mkdir()
    (rules / "rules.yaml").write_text(RULES)
    scenario.write_text(LIVELY)
    collector.start(TELLERGRID_CATALOGUE=str(rules), TELLERGRID_PLATFORM_AFTER_S="3")
    arguments = ["--terminals", "10", "--cells", "1", "--seed", "1", "--scenario", str(scenario)]
    simulator = subprocess.Popen(
        [sys.executable, "-m", "simulator", *arguments, "--state", str(tmp_path / "state.json")],
        env={**os.environ, "TELLERGRID_BROKER_URL": collector.broker.url("tester")},
    )
    yield collector
    simulator.terminate()
    simulator.wait(30)


def heard(collector: CollectorProcess, since: datetime) -> bool:
    query = "SELECT count(*) FROM terminal_state WHERE heard_at > %s AND connected"
    return collector.query(query, since) == [(10,)]


def follow(collector: CollectorProcess) -> None:
    """What the api does every so often."""

    async def once() -> None:
        async with await AsyncConnection.connect(collector.database_url) as opened:
            hour = timedelta(hours=1)
            await follow_faults(opened, Patience(hour, hour))

    asyncio.run(once())


def test_a_broker_that_stops_is_one_platform_incident_and_no_terminals_ticket(
    fleet: CollectorProcess,
) -> None:
    """Everybody is cut off at once, for longer than it takes to be called silent; then they are
    back, and time enough passes for every rule."""
    wait_for("the fleet talks", lambda: heard(fleet, datetime.now(UTC) - timedelta(seconds=2)))
    stopped = datetime.now(UTC)
    fleet.broker.stop()
    wait_for("the incident", lambda: fleet.query(OPEN) == [("platform", "broker", None)])
    follow(fleet)
    assert fleet.query(TICKETS) == [("platform", "broker", "NEW")]
    wait_for("it lasts", lambda: datetime.now(UTC) - stopped > timedelta(seconds=AWAY_S))
    fleet.broker.start()
    returned = datetime.now(UTC)
    wait_for("all are heard again", lambda: heard(fleet, returned))
    wait_for("it is over", lambda: fleet.query(OPEN)[0][2] is not None)
    settled = returned + timedelta(seconds=AWAY_S)
    wait_for("every rule had its time", lambda: heard(fleet, settled))
    follow(fleet)
    [(scope, subject, cleared)] = fleet.query(OPEN)
    assert (scope, subject) == ("platform", "broker")
    assert returned - timedelta(seconds=1) < cleared < returned + timedelta(seconds=20)
    assert fleet.query(TICKETS) == [("platform", "broker", "RESOLVED")]
    states = "SELECT DISTINCT service_state FROM terminal_state"
    assert fleet.query(states) == [("in_service",)]


async def test_one_incident_is_written_however_many_regions_are_blind(
    connection: Connection,
) -> None:
    """Afterwards, for the database was away: two regions write down the same outage, and one that
    is too short to be an incident."""
    claim = await Claim.take(connection, "region-01", "test")
    assert claim is not None
    long = Blindness(at(0), at(0) + 2 * AFTER, Cause.DATABASE)
    for other in (long, Blindness(at(1), at(1) + 2 * AFTER, Cause.COLLECTOR)):
        async with connection.transaction(), connection.cursor() as cursor:
            await claim.prove(cursor, Seen(other.until, other))
    found = "SELECT subject, started_at, fired_at, cleared_at FROM fault"
    assert await rows(connection, found) == [("database", at(0), at(0) + AFTER, at(0) + 2 * AFTER)]
    short = Blindness(at(600), at(630), Cause.BROKER)
    async with connection.transaction(), connection.cursor() as cursor:
        await incident.begin(cursor, short, AFTER)
    assert len(await rows(connection, found)) == 1
    feed = "SELECT change FROM fault_change ORDER BY id"
    assert await rows(connection, feed) == [("fired",), ("cleared",)]
