"""A line that goes dead without a word: what waits behind it is not judged by its absence."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

from tests.e2e.known_load import write_rules
from tests.e2e.line import Line
from tests.engines import BrokerServer
from tests.integration.collector.conftest import CollectorProcess, collector, demo_grid, wait_for

__all__ = ["collector", "demo_grid"]

JAMMED = {"cardReader": {"media": "jammed"}}
HEALTHY = {"cardReader": {"media": "notPresent"}}
RESTARTS = "tellergrid_collector_region_restarts_total"


def test_a_hold_does_not_end_while_what_clears_it_waits_behind_a_dead_line(
    collector: CollectorProcess, broker: BrokerServer, tmp_path: Path
) -> None:
    """Jammed for a second, of the second and a half that make a fault; then the line is dead.

    The hold and the lateness are over before the collector can know that the line is.
    """
    collector.kill()
    line = Line(broker.port)
    url = broker.url("collector").replace(f":{broker.port}", f":{line.port}")
    rules = str(write_rules(tmp_path / "rules"))
    collector.start(TELLERGRID_BROKER_URL=url, TELLERGRID_CATALOGUE=rules)
    jam = datetime.now(UTC)
    collector.say(0, 1, ts=jam.isoformat(), status=JAMMED)
    wait_for("the hold is pending", lambda: collector.query("SELECT 1 FROM hold"))
    before = collector.metric(RESTARTS)
    with line.cut():
        collector.say(0, 2, ts=(jam + timedelta(seconds=1)).isoformat(), status=HEALTHY)
        wait_for("the dead line is noticed", lambda: collector.metric(RESTARTS) > before)
    wait_for("the hold is over", lambda: not collector.query("SELECT 1 FROM hold"))
    assert collector.query("SELECT rule, fired_at FROM fault") == []
    line.close()
