"""Killed at the worst instants while a fleet talks: each message stored once, no timer shifted."""

import asyncio
import json
import signal
from datetime import UTC, datetime

import pytest

from fleet.demo import DemoGrid, grid
from fleet.mqtt import Broker, Session, connect
from tests.integration.collector.conftest import CollectorProcess, now, wait_for
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
    """A jam is pending when the collector dies; the fault is dated as if it never had. It is told
    with the terminal's next word: till then it is not known that nothing which ends it comes."""
    collector.say(0, 1, status={"cardReader": {"media": "jammed"}})
    wait_for("the hold is pending", lambda: collector.query("SELECT 1 FROM hold"))
    collector.kill()
    collector.start()
    collector.say(0, 2, status={"cardReader": {"media": "jammed"}})
    ((started, fired, said),) = wait_for(
        "the fault",
        lambda: collector.query(
            "SELECT fault.started_at, fault.fired_at, telemetry.ts FROM fault"
            " JOIN telemetry USING (terminal_id) WHERE telemetry.seq = 1"
        ),
    )
    assert started == said
    assert (fired - started).total_seconds() == 10


def test_what_has_no_number_is_stored_once_too(collector: CollectorProcess) -> None:
    """Births, last wills and what goes to quarantine are in no ledger. The process dies between the
    commit and the acknowledgement; what is delivered again is known by its packet's number."""
    assert collector.stop() == 0
    boots = [
        {"ts": datetime.now(UTC).isoformat(), "boot": 1, "online": n % 2 == 0} for n in range(4)
    ]
    for body in boots:
        collector.broker.publish(collector.topic(0, "status"), json.dumps(body).encode())
    for _ in range(3):
        collector.broker.publish(collector.topic(0, "telemetry"), b"the same, and no JSON")
    dying = {"DIE_AT": "acknowledge", "DIE_ON": "1"}
    process = collector.launch("tests.integration.collector.dying", **dying)
    assert process.wait(PATIENCE_S) == -signal.SIGKILL
    collector.start()
    collector.say(0, 1)
    wait_for("all is taken", lambda: collector.query("SELECT 1 FROM telemetry"))
    assert collector.query("SELECT count(*) FROM quarantine") == [(3,)]
    order = "SELECT online FROM presence ORDER BY arrived_at, packet_id"
    assert [online for (online,) in collector.query(order)] == [True, False, True, False]


def test_killed_before_it_subscribes_hears_of_who_went_meanwhile(
    collector: CollectorProcess,
) -> None:
    """The broker lost the session. Another one is opened, and its collector dies before anything
    is subscribed to. What was said until then went nowhere; who is gone by it is remembered."""
    collector.say(0, 1)
    wait_for("it is stored", lambda: collector.query("SELECT 1 FROM telemetry"))
    collector.kill()
    collector.broker.kill()
    (collector.broker.files.folder / "mosquitto.db").unlink(missing_ok=True)
    collector.broker.start()
    only = {"DIE_AT": "subscribe", "TELLERGRID_REGIONS": collector.grid.terminals[0].region}
    process = collector.launch("tests.integration.collector.dying", **only)
    assert process.wait(PATIENCE_S) == -signal.SIGKILL
    will = json.dumps({"ts": now(), "boot": 1, "online": False}).encode()
    collector.broker.publish(collector.topic(0, "status"), will, retain=True)
    collector.start()
    gone = "SELECT 1 FROM terminal_state WHERE NOT connected"
    wait_for("the will is read", lambda: collector.query(gone), patience_s=20)
