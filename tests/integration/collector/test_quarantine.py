"""The quarantine as a person meets it: listed, looked at, said again, and bounded."""

import json
import subprocess
import sys
from typing import Any

import pytest

from collector import quarantine
from collector.desk import Desk
from collector.intake import Arrival
from collector.store import Connection
from fleet.rules import catalogue
from tests.integration.collector.conftest import CollectorProcess, now, wait_for
from tests.integration.collector.test_desk import at, connection, rows

__all__ = ["connection"]


def typed(collector: CollectorProcess, *arguments: str) -> tuple[int, Any]:
    """A command's exit code and its JSON."""
    done = subprocess.run(
        [sys.executable, "-P", "-m", "tellergrid", "quarantine", *arguments, "--json"],
        env={
            "TELLERGRID_DATABASE_URL": collector.database_url,
            "TELLERGRID_BROKER_URL": collector.broker.url("tester"),
        },
        capture_output=True,
        check=False,
    )
    assert done.stdout or done.returncode, done.stderr.decode()
    return done.returncode, json.loads(done.stdout) if done.stdout else done.stderr.decode()


def register(collector: CollectorProcess) -> None:
    """LATE-1 comes to the registry."""
    collector.query(
        "INSERT INTO terminal (code, kind, vendor, model, region_code, site, latitude, longitude,"
        " commissioned_at) SELECT 'LATE-1', kind, vendor, model, region_code, site, latitude,"
        " longitude, commissioned_at FROM terminal LIMIT 1 RETURNING pg_notify('registry', '')"
    )


def test_a_terminal_registered_too_late_is_heard_by_replay(collector: CollectorProcess) -> None:
    """Its first message is set aside; it is registered; replayed, the message is stored, once.

    A message with a card number in it cannot be said again, and that is said.
    """
    first = {"ts": now(), "boot": 1, "seq": 1, "status": {}}
    carded = {**first, "status": {"vendor": {"note": "4111111111111111"}}}
    collector.broker.publish("fleet/v1/region-01/LATE-1/telemetry", json.dumps(first).encode())
    collector.broker.publish(collector.topic(0, "telemetry"), json.dumps(carded).encode())
    wait_for("both are aside", lambda: len(collector.query("SELECT 1 FROM quarantine")) == 2)

    code, (masked, late) = typed(collector, "list")
    assert code == 0
    assert [masked["reason"], late["reason"]] == ["card_number", "unknown_terminal"]
    assert [masked["whole"], late["whole"]] == [False, True]
    assert [each["id"] for each in typed(collector, "list", "--terminal", "LATE-1")[1]] == [
        late["id"]
    ]
    code, shown = typed(collector, "show", str(masked["id"]))
    assert "************1111" in shown["payload"]
    assert typed(collector, "show", "99")[0] == 1

    register(collector)
    code, told = typed(collector, "replay", str(masked["id"]), str(late["id"]))
    assert (code, told["replayed"]) == (1, [late["id"]])
    assert "masked" in told["refused"][0]

    def heard() -> bool:
        if not collector.query("SELECT 1 FROM telemetry"):
            typed(collector, "replay", "--all")
        return collector.query("SELECT 1 FROM telemetry") == [(1,)]

    wait_for("it is stored, once the collector knows the terminal", heard)
    assert late["id"] not in [each["id"] for each in typed(collector, "list", "--waiting")[1]]
    assert typed(collector, "replay")[0] == 2


def test_a_birth_is_not_said_again_of_a_terminal_that_is_gone(collector: CollectorProcess) -> None:
    """It was registered too late, and its line is cut since: a connection of before is none now."""
    status = "fleet/v1/region-01/LATE-1/status"
    body = {"ts": now(), "boot": 1, "online": True}
    collector.broker.publish(status, json.dumps(body).encode())
    wait_for("its birth is aside", lambda: collector.query("SELECT 1 FROM quarantine"))
    ((birth,),) = collector.query("SELECT id FROM quarantine")
    register(collector)
    gone = "SELECT 1 FROM terminal_state WHERE NOT connected"

    def is_gone() -> bool:
        collector.broker.publish(status, json.dumps({**body, "online": False}).encode())
        return bool(collector.query(gone))

    wait_for("its will is believed", is_gone)
    told = typed(collector, "replay", str(birth))[1]
    assert not told["replayed"]
    assert "birth" in told["refused"][0]
    assert birth not in [each["id"] for each in typed(collector, "list", "--waiting")[1]]
    assert collector.query(gone)


async def test_the_oldest_beyond_the_bound_are_dropped(
    connection: Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    desk = Desk(connection, "region-01", catalogue.load())
    await desk.restore(at(0))
    bad = [Arrival(f"no/topic/{n}", b"x", retain=False, packet_id=n, at=at(0)) for n in range(9)]
    await desk.commit(bad, at(1))
    assert await quarantine.trim(connection, rows=4) == 5
    await connection.commit()
    assert await rows(connection, "SELECT topic FROM quarantine ORDER BY id") == [
        (f"no/topic/{n}",) for n in range(5, 9)
    ]
    monkeypatch.setattr(quarantine.trim, "__defaults__", (2,))
    await desk.commit(bad[:1], at(2))
    assert await rows(connection, "SELECT topic FROM quarantine ORDER BY id") == [
        ("no/topic/8",),
        ("no/topic/0",),
    ]
