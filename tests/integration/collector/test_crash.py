"""Killed at the worst instants while a fleet talks: each message stored once, no timer shifted."""

import asyncio
import json
import signal
from datetime import UTC, datetime

import pytest

from fleet.demo import DemoGrid, grid
from fleet.mqtt import Broker, Session, connect
from tests.integration.collector.conftest import CollectorProcess, wait_for
from tests.machine import PATIENCE_S

TERMINALS, MESSAGES = 200, 15


@pytest.fixture
def demo_grid() -> DemoGrid:
    """Two hundred terminals, in several regions."""
    return grid(seed=1, terminals=TERMINALS)


async def talk(running: CollectorProcess, first: int, last: int) -> None:
    """Every terminal says its messages `first` to `last`; returns when the broker has them all."""
    broker = Broker.parse(running.broker.url("tester"))
    connection = await connect(broker, Session("talker", waiting_line=TERMINALS * 2), _ignore)
    for seq in range(first, last + 1):
        body = {"ts": datetime.now(UTC).isoformat(), "boot": 1, "seq": seq, "status": {}}
        payload = json.dumps(body).encode()
        topics = [running.topic(n, "telemetry") for n in range(TERMINALS)]
        await asyncio.gather(*(connection.publish(topic, payload) for topic in topics))
    await connection.disconnect()


def _ignore(_connection: object, _message: object) -> None:
    pass


def stored(running: CollectorProcess) -> tuple[int, int]:
    """How many rows, and how many different messages."""
    ((rows, distinct),) = running.query(
        "SELECT count(*), count(DISTINCT (terminal_id, boot, seq)) FROM telemetry"
    )
    return rows, distinct


@pytest.mark.parametrize("instant", ["commit", "acknowledge"])
async def test_killed_around_the_commit_stores_every_message_once(
    collector: CollectorProcess, instant: str
) -> None:
    """The process dies in its fourth batch, just before or just after the commit, and comes back.

    Before: the batch is gone and redelivered. After: it is redelivered and known already.
    """
    assert collector.stop() == 0
    dying = {"DIE_AT": instant, "DIE_ON": "4", "TELLERGRID_BATCH_COUNT": "100"}
    collector.start(module="tests.integration.collector.dying", **dying)
    await talk(collector, 1, MESSAGES)
    assert collector.process is not None
    assert collector.process.wait(PATIENCE_S) == -signal.SIGKILL
    before = stored(collector)
    assert before[0] < TERMINALS * MESSAGES
    collector.start()
    await talk(collector, MESSAGES + 1, MESSAGES + 2)
    everything = TERMINALS * (MESSAGES + 2)
    wait_for("all are stored", lambda: stored(collector)[1] == everything)
    assert stored(collector) == (everything, everything)
    doubled = collector.query("SELECT sum(doubled)::int FROM boot_ledger")[0][0]
    assert doubled > 0 or instant == "commit"


def test_killed_while_a_hold_is_pending_shifts_no_timer(collector: CollectorProcess) -> None:
    """A jam is pending when the collector dies; the fault is dated as if it never had."""
    collector.say(0, 1, status={"cardReader": {"media": "jammed"}})
    wait_for("the hold is pending", lambda: collector.query("SELECT 1 FROM hold"))
    collector.kill()
    collector.start()
    ((started, fired, said),) = wait_for(
        "the fault",
        lambda: collector.query(
            "SELECT fault.started_at, fault.fired_at, telemetry.ts FROM fault"
            " JOIN telemetry USING (terminal_id)"
        ),
    )
    assert started == said
    assert (fired - started).total_seconds() == 10
