"""A fleet that was really played, and the truth about it: held against what the database has."""

import json
import signal
import time

from fleet import demo
from tellergrid.score.expectation import SLACK_S
from tests.integration.collector.conftest import wait_for
from tests.integration.tellergrid.conftest import Stack, home, stack
from tests.machine import PATIENCE_S

__all__ = ["home", "stack"]

LIVELY = """
name: lively
about: A heartbeat every second, and nothing goes wrong by itself.
behaviour: {heartbeat_s: 1, customers_per_day: 0, faults_per_day: 0, stock_at_start: 1}
"""
TAMPERED = "auxiliaries.tamper=on"


def test_what_a_tester_broke_is_found_in_the_database_by_the_truth_of_the_run(stack: Stack) -> None:
    """Two cabinets are tampered with, one is put in order; all of it and nothing else is found."""
    stack.up("--seed", "1")
    one, other, *_ = (terminal.code for terminal in demo.grid(1, 4).terminals)
    story = stack.home / "lively.yaml"
    story.write_text(LIVELY)
    state = stack.home / "played" / "state.json"
    playing = stack.begin("simulate", "--scenario", str(story), "--state", str(state))

    def faults() -> int:
        found = stack.run("status", "--json")
        return int(json.loads(found.stdout)["open_faults"] or 0)

    try:
        wait_for("it plays", lambda: stack.run("break", one, TAMPERED).returncode == 0)
        assert stack.run("break", other, TAMPERED).returncode == 0
        sure_at = time.monotonic() + SLACK_S + 1
        wait_for("both are found", lambda: faults() == 2)
        wait_for("it lasted beyond doubt", lambda: time.monotonic() > sure_at)
        assert stack.run("repair", other).returncode == 0
    finally:
        playing.send_signal(signal.SIGINT)
        assert playing.wait(PATIENCE_S) == 0
    truth = state.with_name("truth.jsonl")
    scored = stack.run("score", str(story), "--truth", str(truth), "--json")
    assert scored.returncode == 0, scored.stderr
    report = json.loads(scored.stdout)
    assert report["faults"] == report["detectable"] == 2
    assert (report["recall"], report["precision"]) == (1, 1)
    assert report["scenarios"][0]["messages"] > 0
    assert 0 <= report["delay_s"]["auxiliaries"]["p50"] < PATIENCE_S
    nothing = stack.run("score", "quiet", "--truth", str(story))
    assert nothing.returncode == 2
    assert "not a simulator's truth" in nothing.stderr
