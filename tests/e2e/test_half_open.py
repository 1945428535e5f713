"""A line that goes dead without a word: what waits behind it is not judged by its absence."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

from tests.e2e.known_load import write_rules
from tests.e2e.line import Line
from tests.engines import BrokerServer
from tests.integration.collector.conftest import CollectorProcess, collector, demo_grid, wait_for

__all__ = ["collector", "demo_grid"]

HOLD_S = 3
JAMMED = {"cardReader": {"media": "jammed"}}
HEALTHY = {"cardReader": {"media": "notPresent"}}
RESTARTS = "tellergrid_collector_region_restarts_total"


def test_a_hold_does_not_end_while_what_clears_it_waits_behind_a_dead_line(
    collector: CollectorProcess, broker: BrokerServer, tmp_path: Path
) -> None:
    """Jammed for two seconds, of the three that make a fault; meanwhile the line goes dead.

    The hold and the lateness are over before the collector can know that the line is. Where the
    machine was too slow to cut the line within the hold, the story is told of another terminal.
    """
    collector.kill()
    line = Line(broker.port)
    url = broker.url("collector").replace(f":{broker.port}", f":{line.port}")
    rules = write_rules(tmp_path / "rules", jam_for_s=HOLD_S)
    collector.start(TELLERGRID_BROKER_URL=url, TELLERGRID_CATALOGUE=str(rules))
    numbers = range(len(collector.grid.terminals))
    number = next(each for each in numbers if jam_behind(line, collector, each))
    subject = collector.grid.terminals[number].code
    hold = "SELECT 1 FROM hold WHERE subject = %s"
    wait_for("the hold is over", lambda: not collector.query(hold, subject))
    faults = "SELECT rule, fired_at FROM fault WHERE subject = %s"
    assert collector.query(faults, subject) == []
    line.close()


def jam_behind(line: Line, collector: CollectorProcess, number: int) -> bool:
    """Jam a terminal, cut the line and free it; whether the line was cut within the hold."""
    subject, jam = collector.grid.terminals[number].code, datetime.now(UTC)
    collector.say(number, 1, ts=jam.isoformat(), status=JAMMED)
    hold = "SELECT 1 FROM hold WHERE subject = %s"
    wait_for("the hold is pending", lambda: collector.query(hold, subject))
    before = collector.metric(RESTARTS)
    with line.cut():
        in_time = datetime.now(UTC) - jam < timedelta(seconds=HOLD_S)
        healthy = (jam + timedelta(seconds=HOLD_S - 1)).isoformat()
        collector.say(number, 2, ts=healthy, status=HEALTHY)
        wait_for("the dead line is noticed", lambda: collector.metric(RESTARTS) > before)
    return in_time
