"""kill -9 of a live collector, again and again, while a fleet talks: its faults and tickets are
those of a run that nobody disturbed.

Five kills here; `make chaos` makes fifty. What is said is made from a seed, with times of its own,
so that two runs can be compared to the microsecond. Kills that keep us away for a minute are an
incident of the platform, as they should be: it is left out.
"""

import asyncio
import json
import os
import random
import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from threading import Thread
from typing import Any

import paho.mqtt.client as paho
import pytest
from paho.mqtt.enums import CallbackAPIVersion, MQTTProtocolVersion
from psycopg import AsyncConnection

from api.seed import seed as sow
from api.tickets.engine import raise_tickets
from fleet.demo import DemoGrid, grid
from tests.engines import BrokerServer
from tests.integration.collector.conftest import CollectorProcess, wait_for

KILLS = int(os.environ.get("TELLERGRID_CHAOS_KILLS", "5"))
SEED = int(os.environ.get("TELLERGRID_CHAOS_SEED", "4"))
TERMINALS = 20
STEPS = 140 + 30 * KILLS  # of a second each, by the terminals' clocks
SETTLING = 130  # of them, at the end: whatever began is over before the story is
DISTURBED_S, UNDISTURBED_S = 0.05, 0.015  # a step, by our clock: it must make no difference
# Time alone decides nothing here before what was said has come, on however slow a machine.
LATENESS_MS = "60000"
RULES = """
version: "kills"
include: [default]
overrides:
  # A collector that is down for a while must not look like a hold that is over.
  - rules: [card-reader-jammed, paper-jammed]
    regions: [region-01]
    set: {for: 30s, clear_for: 30s}
  - {rules: [silent], regions: [region-01], set: {silent_for: 2h}}
"""

FAULTS = """
    SELECT scope, subject, rule, item, severity, started_at, fired_at, cleared_at, suppressed_by
    FROM fault WHERE scope <> 'platform' ORDER BY started_at, subject, rule, item
"""
TICKETS = """
    SELECT scope, subject, rule, item FROM ticket
    WHERE scope <> 'platform' ORDER BY subject, rule, item
"""
STATES = """
    SELECT terminal_id, state, period FROM service_interval ORDER BY terminal_id, lower(period)
"""


Outcome = dict[str, list[tuple[Any, ...]]]


@dataclass(frozen=True, slots=True)
class Said:
    """One message of the story."""

    step: int
    topic: str
    payload: bytes


def story(grid: DemoGrid, began: datetime) -> Iterator[Said]:
    """Snapshots each second of each terminal; cards and paper jam, some for long enough to be a
    fault, some for a second only; some errors are counted."""
    chance = random.Random(SEED)
    until: dict[tuple[int, str], int] = {}
    seq = dict.fromkeys(range(TERMINALS), 0)
    for step in range(STEPS):
        ts = (began + timedelta(seconds=step)).isoformat()
        for number, terminal in enumerate(grid.terminals):
            topic = f"fleet/v1/{terminal.region}/{terminal.code}"
            for what in ("jam", "paper"):
                over = until.get((number, what), -50) < step - 45
                if over and step < STEPS - SETTLING and chance.random() < 0.02:
                    until[number, what] = step + chance.choice([1, 40, 60])
            jammed = until.get((number, "jam"), 0) > step
            paper = "jammed" if until.get((number, "paper"), 0) > step else "full"
            media = "jammed" if jammed else "notPresent"
            status = {"cardReader": {"media": media}, "printer": {"paper": {"upper": paper}}}
            seq[number] += 1
            body: dict[str, object] = {"ts": ts, "boot": 1, "seq": seq[number], "status": status}
            yield Said(step, f"{topic}/telemetry", json.dumps(body).encode())
            if chance.random() < 0.01:
                seq[number] += 1
                body = {"ts": ts, "boot": 1, "seq": seq[number], "event": "Common.ErrorEvent"}
                body["component"] = "cardReader"
                yield Said(step, f"{topic}/event", json.dumps(body).encode())


def publish(broker: BrokerServer, messages: list[Said], pace_s: float) -> None:
    """Say it all at a steady pace, with a foreign client; every message is acknowledged."""
    client = paho.Client(CallbackAPIVersion.VERSION2, "story", protocol=MQTTProtocolVersion.MQTTv5)
    client.username_pw_set("tester", broker.password("tester"))
    client.max_inflight_messages_set(1000)
    client.connect("127.0.0.1", broker.port)
    client.loop_start()
    began, sent = time.monotonic(), []
    for each in messages:
        wait = began + each.step * pace_s - time.monotonic()
        if wait > 0:
            time.sleep(wait)
        sent.append(client.publish(each.topic, each.payload, qos=1))
    for one in sent:
        one.wait_for_publish(300)
    client.disconnect()
    client.loop_stop()


def outcome(collector: CollectorProcess, messages: int) -> Outcome:
    """What the run left behind, once all of it is stored; with the tickets that the faults call
    for."""

    def stored() -> bool:
        found = "SELECT (SELECT count(*) FROM telemetry) + (SELECT count(*) FROM event)"
        return bool(collector.query(found) == [(messages,)])

    wait_for("everything is stored", stored, patience_s=300)
    asyncio.run(_raise(collector.database_url))
    return {
        "faults": collector.query(FAULTS),
        "tickets": collector.query(TICKETS),
        "states": collector.query(STATES),
    }


async def _sow(url: str, fleet: DemoGrid) -> None:
    async with await AsyncConnection.connect(url) as connection:
        await sow(connection, fleet, [])


async def _raise(url: str) -> None:
    async with await AsyncConnection.connect(url) as connection:
        await raise_tickets(connection)


def undisturbed(collector: CollectorProcess, messages: list[Said]) -> Outcome:
    """The story told to a collector that nobody touches."""
    publish(collector.broker, messages, UNDISTURBED_S)
    found = outcome(collector, len(messages))
    assert collector.stop() == 0
    return found


def disturbed(collector: CollectorProcess, messages: list[Said], folder: Path) -> Outcome:
    """The same story, and the collector killed again and again while it is told."""
    chance = random.Random(SEED)
    telling = Thread(target=publish, args=(collector.broker, messages, DISTURBED_S))
    telling.start()
    for _ in range(KILLS):
        time.sleep(chance.uniform(0.0, 1.5))
        collector.kill()
        collector.start(TELLERGRID_CATALOGUE=str(folder), TELLERGRID_LATENESS_MS=LATENESS_MS)
    telling.join()
    return outcome(collector, len(messages))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "rules.yaml").write_text(RULES)
    return tmp_path


def test_killing_a_collector_changes_no_fault_and_raises_no_ticket_more(
    database_url: str, second_database_url: str, broker: BrokerServer, folder: Path
) -> None:
    """Two databases, one story: the first told in peace, the second among kills."""
    fleet = grid(seed=1, terminals=TERMINALS, cells=1)
    messages = list(story(fleet, datetime.now(UTC) - timedelta(seconds=STEPS + 60)))
    found = []
    killing = partial(disturbed, folder=folder)
    for url, run in ((database_url, undisturbed), (second_database_url, killing)):
        asyncio.run(_sow(url, fleet))
        collector = CollectorProcess(url, broker, fleet)
        try:
            collector.start(TELLERGRID_CATALOGUE=str(folder), TELLERGRID_LATENESS_MS=LATENESS_MS)
            found.append(run(collector, messages))
        finally:
            if collector.process is not None and collector.process.poll() is None:
                collector.kill()
    peace, kills = found
    assert len(peace["faults"]) > TERMINALS
    assert kills == peace
