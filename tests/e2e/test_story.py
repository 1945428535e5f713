"""One fleet, from device to ticket and back, told through the front doors alone."""

import json
import os
import signal
import time
from datetime import datetime
from functools import partial

from tests.e2e.conftest import Living, wait_for
from tests.machine import PATIENCE_S

JAM_HOLD_S = 10.0
MARGIN_S = 2.0


def test_a_documented_message_becomes_a_ticket_in_the_right_hands(living: Living) -> None:
    """mosquitto_pub says that ATM-0001's card reader is jammed; later, that it is well again."""
    operations, technician = living.sign_in("ops"), living.sign_in("tech01")
    terminal = operations.get("/terminals/ATM-0001")
    region, cell = terminal["region"], terminal["cell"]
    topic = f"fleet/v1/{region}/ATM-0001"
    living.publish_example("status", f"{topic}/status", boot=1000, seq=0)
    living.publish_example("event", f"{topic}/event", boot=1000, seq=1)
    began = time.monotonic()
    living.publish_example("telemetry", f"{topic}/telemetry", boot=1000, seq=2)

    def jam() -> list[dict[str, object]]:
        return operations.items("/tickets", terminal="ATM-0001", open="true")

    (ticket,) = wait_for("the ticket", jam)
    assert time.monotonic() - began >= JAM_HOLD_S - MARGIN_S
    (fault,) = operations.items("/faults", terminal="ATM-0001", open="true")
    started, fired = (datetime.fromisoformat(fault[name]) for name in ("started_at", "fired_at"))
    assert (fired - started).total_seconds() == JAM_HOLD_S
    assert (fault["rule"], fault["cell"]) == ("card-reader-jammed", cell)
    assert (ticket["cell"], ticket["component"], ticket["state"]) == (
        cell,
        "cardReader",
        "ASSIGNED",
    )
    assert ticket["remedy"]
    people = operations.get(f"/cells/{cell}")["people"]
    assert ticket["technician"] in [person["code"] for person in people]
    assert ticket["technician"] == "T01"
    assert ticket["id"] in [each["id"] for each in technician.items("/me/tickets")]

    living.publish_example("telemetry-healthy", f"{topic}/telemetry", boot=1000, seq=3)
    wait_for(
        "the fault is cleared",
        lambda: not operations.items("/faults", terminal="ATM-0001", open="true"),
    )
    wait_for(
        "the ticket resolved itself",
        lambda: operations.get(f"/tickets/{ticket['id']}")["state"] == "RESOLVED",
    )


def test_forty_percent_of_a_cell_is_one_ticket(living: Living) -> None:
    """Four of ten terminals are cut off at once: one ticket for the cell, none for its members."""
    operations = living.sign_in("ops")
    members = [t["id"] for t in operations.items("/terminals", cell="C001")]
    breaking = [living.stack.begin("break", terminal, "offline") for terminal in members[:4]]
    assert [each.wait(PATIENCE_S) for each in breaking] == [0] * 4
    wait_for(
        "the four are down",
        lambda: operations.get("/cells/C001")["by_state"].get("offline") == 4,
    )
    wait_for(
        "their faults are spoken for",
        lambda: len(operations.items("/faults", rule="offline", open="true")) == 4,
    )
    faults = operations.items("/faults", open="true", rule="cell-outage")
    assert [fault["cell"] for fault in faults] == ["C001"]
    spoken_for = operations.items("/faults", rule="offline", open="true")
    assert {fault["suppressed_by"] for fault in spoken_for} == {faults[0]["id"]}
    tickets = operations.items("/tickets", open="true")
    assert [
        (t["scope"], t["subject"]) for t in tickets if t["rule"] in ("offline", "cell-outage")
    ] == [("cell", "C001")]


def test_a_collector_killed_again_and_again_stores_everything_once(living: Living) -> None:
    """kill -9, five times, with the fleet talking; then the fleet stops and is counted."""
    for _ in range(5):
        before = living.stack.record()["processes"]["collector"]["pid"]
        os.kill(before, signal.SIGKILL)
        wait_for("the supervisor started another", partial(_came_back, living, before))
    os.kill(living.stack.record()["processes"]["simulator"]["pid"], signal.SIGTERM)
    journal = living.stack.home / "simulator/state.json"

    def exact() -> bool:
        finished = living.stack.run("audit", "loss", "--json", "--journal", str(journal))
        return bool(json.loads(finished.stdout)["exact"])

    wait_for("every message sent is stored once", exact)


def _came_back(living: Living, before: int) -> bool:
    now = living.stack.record()["processes"]["collector"]["pid"]
    return now != before and bool(living.status()["healthy"])
