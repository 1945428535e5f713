"""Rules change while the collector runs: taken without a restart, or refused, the old in force."""

from datetime import UTC, datetime
from pathlib import Path

import httpx
import psycopg

from collector.desk import Desk
from collector.store import Connection
from fleet.db.shadows import shadows
from fleet.rules.catalogue import Catalogue, load
from tests.integration.collector.conftest import CollectorProcess, wait_for
from tests.integration.collector.test_desk import arrival, at, connection, rows

__all__ = ["connection"]

HOT = """\
version: "%s"
rules:
  - name: hot
    title: Too hot
    when: metrics.temperature_c > %s
    for: %s
    severity: major
    impact: degraded
    component: terminal
    skill: electronics
    line: 2
    remedy: Clean the fan.
"""


def written(folder: Path, *, version: str, above: str = "60.0", hold: str = "10s") -> Path:
    (folder / "rules.yaml").write_text(HOT % (version, above, hold))
    return folder


def catalogue(folder: Path, *, version: str, above: str = "60.0", hold: str = "10s") -> Catalogue:
    return load(written(folder, version=version, above=above, hold=hold))


async def test_what_was_fine_by_the_old_rules_is_asked_by_the_new_ones_at_once(
    connection: Connection, tmp_path: Path
) -> None:
    """65 degrees and nothing new is said: the stricter catalogue raises the fault ten seconds after
    it came into force, under its own name; the milder one after it ends it."""
    mild = catalogue(tmp_path, version="1", above="70.0")
    desk = Desk(connection, "region-01", mild)
    await desk.restore(at(0))
    desk.watch(at(0))
    await desk.commit([arrival(0, 1, 0, metrics={"temperature_c": 65.0})], at(1))
    strict = catalogue(tmp_path, version="2", above="60.0")
    await desk.adopt(strict, at(20))
    await desk.commit([], at(40))
    faults = "SELECT started_at, fired_at, catalogue, cleared_at FROM fault"
    assert await rows(connection, faults) == [(at(20), at(30), strict.identity, None)]
    state = "SELECT state FROM service_interval ORDER BY lower(period)"
    assert await rows(connection, state) == [("in_service",), ("degraded",)]
    await desk.adopt(mild, at(50))
    await desk.commit([], at(60))
    [(*_, cleared)] = await rows(connection, faults)
    assert cleared == at(50)
    kept = "SELECT identity, digest FROM catalogue ORDER BY version"
    assert await rows(connection, kept) == [
        (mild.identity, mild.digest),
        (strict.identity, strict.digest),
    ]


async def test_a_process_that_starts_with_other_rules_asks_them_too(
    connection: Connection, tmp_path: Path
) -> None:
    """The rules changed while it was down: the state says by which it was judged."""
    first = Desk(connection, "region-01", catalogue(tmp_path, version="1", above="70.0"))
    await first.restore(at(0))
    await first.commit([arrival(0, 1, 0, metrics={"temperature_c": 65.0})], at(1))
    second = Desk(connection, "region-01", catalogue(tmp_path, version="2"))
    await second.restore(at(100))
    await second.commit([], at(111))
    assert await rows(connection, "SELECT fired_at FROM fault") == [(at(110),)]
    third = Desk(connection, "region-01", catalogue(tmp_path, version="2"))
    await third.restore(at(120))
    await third.commit([], at(140))
    assert await rows(connection, "SELECT count(*) FROM fault") == [(1,)]


async def test_a_rule_on_trial_counts_and_becomes_real_when_it_is_said_so(
    connection: Connection, tmp_path: Path
) -> None:
    """A shadow fires: nobody is told, the state stays. Then it goes live while its condition holds:
    the real fault begins there and then."""
    trial = HOT.replace("severity", "shadow: true\n    severity")
    (tmp_path / "rules.yaml").write_text(trial % ("1", "60.0", "10s"))
    desk = Desk(connection, "region-01", load(tmp_path))
    await desk.restore(at(0))
    desk.watch(at(0))
    await desk.commit([arrival(0, 1, 0, metrics={"temperature_c": 65.0})], at(30))
    counted = "SELECT rule, fired_at, cleared_at, alone FROM shadow_fault"
    assert await rows(connection, counted) == [("hot", at(10), None, True)]
    assert await rows(connection, "SELECT FROM fault_change") == []
    assert await rows(connection, "SELECT state FROM service_interval") == [("in_service",)]
    [shadow] = await shadows(connection, at(-1))
    assert (shadow.rule, shadow.faults, shadow.open, shadow.tickets) == ("hot", 1, 1, 1)

    live = catalogue(tmp_path, version="2")
    await desk.adopt(live, at(40))
    await desk.commit([], at(60))
    assert await rows(connection, counted) == [("hot", at(10), at(40), True)]
    assert await rows(connection, "SELECT started_at, fired_at FROM fault") == [(at(40), at(50))]
    await desk.restore(at(70))
    await desk.commit([], at(71))
    assert await rows(connection, "SELECT count(*) FROM fault") == [(1,)]


def test_a_running_collector_takes_new_rules_and_refuses_broken_ones(
    collector: CollectorProcess, tmp_path: Path
) -> None:
    """An operator edits the catalogue of a live collector: first badly, then well."""
    collector.stop()
    folder = written(tmp_path, version="1", above="70.0", hold="0s")
    collector.start(TELLERGRID_CATALOGUE=str(folder))
    started = datetime.now(UTC)
    collector.say(0, 1, metrics={"temperature_c": 65.0})
    wait_for("stored", lambda: collector.query("SELECT FROM telemetry"))

    written(folder, version="2", above="hot")
    wait_for("refused", lambda: collector.metric("tellergrid_collector_catalogue_refused") == 1)
    said = httpx.get(f"http://127.0.0.1:{collector.port}/readyz")
    assert said.status_code == 200
    assert said.json()["catalogue"]["identity"].startswith("1+")
    assert "hot is not a property" in said.json()["catalogue"]["refused"][0]

    sound = catalogue(folder, version="3", hold="0s")
    wait_for("a fault by the new rules", lambda: collector.query("SELECT FROM fault"))
    assert collector.metric("tellergrid_collector_catalogue_refused") == 0
    [(identity, fired)] = collector.query("SELECT catalogue, fired_at FROM fault")
    assert identity == sound.identity
    assert started < fired < datetime.now(UTC)
    in_force = collector.query("SELECT identity FROM region_catalogue")
    assert in_force == [(sound.identity,)]


def test_the_note_of_a_catalogue_is_written_with_what_came_of_it(
    collector: CollectorProcess,
) -> None:
    """A fresh region has noted its catalogue before the first message."""
    with psycopg.connect(collector.database_url) as opened:
        [(identity,)] = opened.execute("SELECT identity FROM region_catalogue").fetchall()
    assert identity == load().identity
