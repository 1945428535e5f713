"""`tellergrid audit loss` says what the rows prove."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

from tests.integration.collector.conftest import CollectorProcess, wait_for


def audit(collector: CollectorProcess, *arguments: str) -> tuple[int, Any]:
    """The audit's exit code and its JSON."""
    done = subprocess.run(
        [sys.executable, "-m", "tellergrid", "audit", "loss", "--json", *arguments],
        env={"TELLERGRID_DATABASE_URL": collector.database_url},
        capture_output=True,
        check=False,
    )
    assert done.returncode < 2, done.stderr.decode()
    return done.returncode, json.loads(done.stdout)


def test_the_audit_finds_what_is_missing_and_what_was_dropped(
    collector: CollectorProcess, tmp_path: Path
) -> None:
    """Messages 1, 2, 2, 4 of one boot; then 3 arrives; then the sender claims to have sent 5."""
    for seq in (1, 2, 2, 4):
        collector.say(0, seq)
    wait_for("three are stored", lambda: len(collector.query("SELECT 1 FROM telemetry")) == 3)
    code, found = audit(collector)
    assert (code, found["exact"]) == (1, False)
    total = {"sent": 4, "stored": 3, "doubled": 0, "missing": 1, "jumps": 0, "dropped": 1}
    assert found["total"] == total
    collector.say(0, 3)
    wait_for("four are stored", lambda: len(collector.query("SELECT 1 FROM telemetry")) == 4)
    assert audit(collector)[0] == 0
    journal = tmp_path / "state.json"
    name = collector.grid.terminals[0].code
    journal.write_text(json.dumps({"terminals": {name: {"boot": 1, "seq": 5, "acknowledged": 5}}}))
    code, found = audit(collector, "--journal", str(journal))
    assert (code, found["terminals"][0]["missing"]) == (1, 1)


def test_a_row_stored_twice_is_found(collector: CollectorProcess) -> None:
    """Somebody doubles a row behind our back: the audit believes the rows alone."""
    collector.say(0, 1)
    wait_for("it is stored", lambda: collector.query("SELECT 1 FROM telemetry"))
    collector.query("INSERT INTO telemetry SELECT * FROM telemetry RETURNING 1")
    code, found = audit(collector)
    assert (code, found["total"]["doubled"]) == (1, 1)


def test_a_counter_that_was_set_is_a_jump_and_no_loss(collector: CollectorProcess) -> None:
    """Its second boot says 1, then the greatest number there is, and goes on with 3."""
    collector.say(0, 1)
    for seq in (1, 2**53, 3):
        collector.say(0, seq, boot=2)
    wait_for("all are stored", lambda: len(collector.query("SELECT 1 FROM telemetry")) == 4)
    code, found = audit(collector)
    assert (code, found["exact"]) == (1, False)
    total = {"sent": 5, "stored": 4, "doubled": 0, "missing": 1, "jumps": 1, "dropped": 0}
    assert found["total"] == total
