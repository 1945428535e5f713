"""The broker stops: no terminal has a ticket, the platform has one; then all is as before.

In the short form it is away for seconds and the rules are in a hurry; `make chaos` (`--long`) takes
it away for ten minutes and leaves the rules as they are delivered. The story is the same.
"""

import asyncio
import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
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
from tests.machine import PATIENCE_S, Pulse

__all__ = ["connection"]

RULES = """
version: "quick"
include: [default]
overrides:
  - {rules: [silent], regions: [region-01], set: {silent_for: 5s, for: 2s}}
  - {rules: [offline], regions: [region-01], set: {for: 2s}}
"""
AS_DELIVERED = """
version: "delivered"
include: [default]
"""
LIVELY = """
{name: lively, about: a heartbeat twice a second,
 behaviour: {heartbeat_s: 0.5, faults_per_day: 0, stock_at_start: 0.9}}
"""
# That the fixture changed the collector's rules was an outage of its own.
OPEN = "SELECT scope, subject, cleared_at FROM fault WHERE subject <> 'collector'"
TICKETS = "SELECT scope, subject, state FROM ticket"


@dataclass(frozen=True, slots=True)
class Fleet:
    """A collector and ten simulated terminals; how long the broker is to be away, and how long it
    takes until a terminal that says nothing, or whose last will came, is a fault."""

    collector: CollectorProcess
    simulator: subprocess.Popen[bytes]
    away_s: float
    silent_s: float


@pytest.fixture
def fleet(
    collector: CollectorProcess, tmp_path: Path, request: pytest.FixtureRequest
) -> Iterator[Fleet]:
    """With rules in a hurry, but for the long form."""
    long = bool(request.config.getoption("--long"))
    collector.stop()
    rules, scenario = tmp_path / "rules", tmp_path / "lively.yaml"
    rules.mkdir()
    (rules / "rules.yaml").write_text(AS_DELIVERED if long else RULES)
    scenario.write_text(LIVELY)
    after = "60" if long else "3"
    collector.start(TELLERGRID_CATALOGUE=str(rules), TELLERGRID_PLATFORM_AFTER_S=after)
    arguments = ["--terminals", "10", "--cells", "1", "--seed", "1", "--scenario", str(scenario)]
    simulator = subprocess.Popen(
        [sys.executable, "-m", "simulator", *arguments, "--state", str(tmp_path / "state.json")],
        env={**os.environ, "TELLERGRID_BROKER_URL": collector.broker.url("tester")},
    )
    yield Fleet(collector, simulator, *((600.0, 260.0) if long else (14.0, 10.0)))
    simulator.kill()
    simulator.wait()


def heard(collector: CollectorProcess, since: datetime) -> bool:
    query = "SELECT count(*) FROM terminal_state WHERE heard_at > %s AND connected"
    return collector.query(query, since) == [(10,)]


def ago(seconds: float) -> datetime:
    return datetime.now(UTC) - timedelta(seconds=seconds)


def follow(collector: CollectorProcess) -> None:
    """What the api does every so often."""

    async def once() -> None:
        async with await AsyncConnection.connect(collector.database_url) as opened:
            hour = timedelta(hours=1)
            await follow_faults(opened, Patience(hour, hour))

    asyncio.run(once())


def test_a_broker_that_stops_is_one_platform_incident_and_no_terminals_ticket(
    fleet: Fleet,
) -> None:
    """Everybody is cut off at once, for longer than it takes to be called silent; then they are
    back, and time enough passes for every rule. Right after it what really fails is found."""
    collector, heard_s = fleet.collector, fleet.silent_s
    wait_for("the fleet talks", lambda: heard(collector, ago(4)), PATIENCE_S)
    stopped = datetime.now(UTC)
    collector.broker.stop()
    incident_open = [("platform", "broker", None)]
    wait_for("the incident", lambda: collector.query(OPEN) == incident_open, PATIENCE_S)
    follow(collector)
    assert collector.query(TICKETS) == [("platform", "broker", "NEW")]
    wait_for("it lasts", lambda: ago(fleet.away_s) > stopped, fleet.away_s + PATIENCE_S)
    follow(collector)
    assert collector.query(TICKETS) == [("platform", "broker", "NEW")]
    with Pulse() as pulse:
        returning = datetime.now(UTC)
        collector.broker.start()
        returned = datetime.now(UTC)
        wait_for("all are heard again", lambda: heard(collector, returned), PATIENCE_S)
        wait_for("it is over", lambda: collector.query(OPEN)[0][2] is not None, PATIENCE_S)
    settled = returned + timedelta(seconds=heard_s)
    wait_for("every rule had its time", lambda: heard(collector, settled), heard_s + PATIENCE_S)
    follow(collector)
    [(scope, subject, cleared)] = collector.query(OPEN)
    assert (scope, subject) == ("platform", "broker")
    assert returning < cleared < returned + timedelta(seconds=pulse.allows(20))
    assert collector.query(TICKETS) == [("platform", "broker", "RESOLVED")]
    states = "SELECT DISTINCT service_state FROM terminal_state"
    assert collector.query(states) == [("in_service",)]
    find_a_real_outage(fleet)


def find_a_real_outage(fleet: Fleet) -> None:
    """Now the terminals themselves are gone: one ticket for their cell, none for any of them."""
    fleet.simulator.kill()
    follow_until(fleet, "SELECT count(*) = 10 FROM fault WHERE rule = 'offline'")
    found = "SELECT scope, count(*) FROM ticket WHERE scope <> 'platform' GROUP BY scope"
    assert fleet.collector.query(found) == [("cell", 1)]
    alone = "SELECT count(*) FROM fault WHERE rule = 'offline' AND suppressed_by IS NULL"
    assert fleet.collector.query(alone) == [(0,)]


def follow_until(fleet: Fleet, condition: str) -> None:
    wait_for(condition, lambda: fleet.collector.query(condition) == [(True,)], PATIENCE_S)
    follow(fleet.collector)


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
