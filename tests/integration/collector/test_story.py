"""From a foreign client's message to rows in the database, over the real broker."""

import json
import time

import pytest

from tests.integration.collector.conftest import CollectorProcess, now, wait_for

JAMMED = {"cardReader": {"device": "online", "media": "jammed"}}
HEALTHY = {"cardReader": {"device": "online", "media": "notPresent"}}


def test_a_jam_becomes_a_fault_and_a_healthy_message_ends_it(collector: CollectorProcess) -> None:
    """mosquitto_pub says jammed: the state changes at once, the fault comes after its hold."""
    collector.say(0, 1, status=HEALTHY)
    collector.say(0, 2, status=JAMMED)
    wait_for(
        "the state follows",
        lambda: collector.query("SELECT 1 FROM terminal_state WHERE service_state <> 'in_service'"),
    )
    ((started, fired, cell),) = wait_for(
        "the fault",
        lambda: collector.query(
            "SELECT started_at, fired_at, cell_code FROM fault"
            " WHERE rule = 'card-reader-jammed' AND cleared_at IS NULL"
        ),
    )
    assert (fired - started).total_seconds() == 10
    assert cell == "C001"
    collector.say(0, 3, status=HEALTHY)
    ((cleared, last),) = wait_for(
        "the fault is cleared",
        lambda: collector.query(
            "SELECT fault.cleared_at, state.ts FROM fault"
            " JOIN terminal_state AS state USING (terminal_id) WHERE fault.cleared_at IS NOT NULL"
        ),
    )
    assert cleared == last
    intervals = collector.query(
        "SELECT state, upper_inf(period) FROM service_interval ORDER BY period"
    )
    assert [state for state, _ in intervals] == ["in_service", "out_of_service", "in_service"]
    assert [open_ended for _, open_ended in intervals] == [False, False, True]


@pytest.mark.parametrize(
    ("reason", "topic", "payload"),
    [
        ("malformed", "{own}", b"this is not JSON"),
        ("malformed", "{own}", b'{"ts":"2026-11-23T08:00:00Z","boot":1,"seq":"x","status":{}}'),
        ("unknown_terminal", "fleet/v1/region-01/GHOST-1/telemetry", "{good}"),
        ("oversized", "{own}", b"x" * (2 * 1024 * 1024)),
        ("far_future", "{own}", b'{"ts":"2040-01-01T00:00:00Z","boot":1,"seq":1,"status":{}}'),
        ("wrong_topic", "{own}", "{other}"),
        ("card_number", "{own}", "{card}"),
        ("malformed", "{own}", b'{"a":' + b"[" * 30000 + b"]" * 30000 + b"}"),
    ],
)
def test_what_cannot_be_taken_is_quarantined_and_the_stream_goes_on(
    collector: CollectorProcess, reason: str, topic: str, payload: bytes | str
) -> None:
    """Each kind of bad message is set aside with its reason; the good one behind it is stored."""
    good = {"ts": now(), "boot": 1, "seq": 1, "status": {}}
    bodies = {
        "{good}": good,
        "{other}": {**good, "terminal": "ATM-9999"},
        "{card}": {**good, "status": {"vendor": {"note": "card 4111111111111111 stuck"}}},
    }
    sent = payload if isinstance(payload, bytes) else json.dumps(bodies[payload]).encode()
    collector.broker.publish(topic.format(own=collector.topic(0, "telemetry")), sent)
    collector.say(0, 2)
    wait_for("the good message is stored", lambda: collector.query("SELECT 1 FROM telemetry"))
    ((found, size, kept),) = collector.query("SELECT reason, size, payload FROM quarantine")
    assert (found, size) == (reason, len(sent))
    assert b"411111" not in kept


def test_a_duplicate_is_dropped_and_counted(collector: CollectorProcess) -> None:
    for _ in range(3):
        collector.say(0, 1)
    collector.say(0, 2)
    wait_for("the last is stored", lambda: collector.query("SELECT 1 FROM telemetry WHERE seq = 2"))
    wait_for(
        "two are counted", lambda: collector.query("SELECT 1 FROM boot_ledger WHERE doubled = 2")
    )
    assert collector.query("SELECT seq FROM telemetry ORDER BY seq") == [(1,), (2,)]


def test_a_last_will_makes_the_terminal_offline(collector: CollectorProcess) -> None:
    collector.say(0, 1)
    will = json.dumps({"ts": now(), "boot": 1, "online": False}).encode()
    collector.broker.publish(collector.topic(0, "status"), will, retain=True)
    wait_for(
        "it is offline",
        lambda: collector.query("SELECT 1 FROM terminal_state WHERE service_state = 'offline'"),
    )


def test_a_graceful_stop_ends_with_zero_and_loses_nothing(collector: CollectorProcess) -> None:
    """Messages published while nobody listens wait in the session for the next collector."""
    collector.say(0, 1)
    wait_for("it is stored", lambda: collector.query("SELECT 1 FROM telemetry"))
    assert collector.stop() == 0
    collector.say(0, 2)
    collector.start()
    wait_for("the second too", lambda: len(collector.query("SELECT 1 FROM telemetry")) == 2)


def test_wills_that_a_collector_finds_when_it_starts_are_not_believed_at_once(
    collector: CollectorProcess,
) -> None:
    """A machine starts again: collector and broker end together, and the broker says the will of
    every terminal in going. Who comes next cannot know that, and lets them come back."""
    collector.say(0, 1)
    wait_for("it is stored", lambda: collector.query("SELECT 1 FROM telemetry"))
    collector.stop()
    will = json.dumps({"ts": now(), "boot": 1, "online": False}).encode()
    collector.broker.publish(collector.topic(0, "status"), will, retain=True)
    time.sleep(6)
    collector.start()
    gone = "SELECT 1 FROM terminal_state WHERE NOT connected"
    wait_for("the will is read", lambda: collector.query(gone))
    time.sleep(8)
    state = "SELECT service_state FROM terminal_state WHERE NOT connected"
    assert collector.query(state) == [("in_service",)]
