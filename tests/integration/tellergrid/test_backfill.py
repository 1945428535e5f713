"""A past filled into a real database is what virtual time says it is, and a live system goes on."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import psycopg
import pytest

from api.seed import seed
from fleet.db.pool import connect
from fleet.rules import catalogue
from simulator import scenario, state, truth
from simulator.truth import Label
from simulator.virtual import Course
from tellergrid.score.runs import score_course
from tellergrid.score.stored import score_stored
from tellergrid.stack.errors import StackError
from tellergrid.virtual.history import Keeping, fill, require_no_history
from tellergrid.virtual.run import play

START = datetime(2026, 11, 23, tzinfo=UTC)
HOURS = 8
STORY = scenario.parse(
    b"""
name: lively
about: A fleet that breaks often, a line that loses messages, a cell that is cut off twice.
behaviour: {faults_per_day: 1.5, repair_h: 0.5, lost: 0.002, heartbeat_s: 120}
story:
  - set: {offline: true}
    where: {cells: 1, share: 0.6}
    after: 2h
    for: 10m
    every: 4h
  - broker: away
    after: 5h
    for: 5m
""",
    "lively",
)


def course() -> Course:
    return Course(STORY, 20, START.timestamp(), HOURS * 3600.0, cells=2, step_s=300)


async def test_history_is_what_virtual_time_says_and_can_be_gone_on_from(
    database_url: str, tmp_path: Path
) -> None:
    """Eight hours of twenty terminals: the same faults and intervals, to the microsecond.

    Tickets have the times of the history; the fleet is as old as it; the simulator goes on in the
    next boots; a second filling in is refused.
    """
    async with await connect(database_url, name="test", autocommit=True) as connection:
        await seed(connection, course().grid(), [])
    keeping = Keeping(tmp_path / "state.json", tmp_path / "truth.jsonl", timedelta(minutes=60))
    rules = catalogue.load()
    filled = await fill(database_url, course(), rules, keeping, lambda _: None)
    played = play(course(), rules, course().grid().regions, lambda _: None)
    assert filled.messages == played.counts["messages"]
    with psycopg.connect(database_url) as database:
        stored = database.execute(
            "SELECT rule, subject, item, started_at, cleared_at FROM fault ORDER BY 1, 2, 3, 4"
        ).fetchall()
        assert filled.faults == len(stored) > 20
        said = sorted(
            (f.rule, f.subject, f.item, _instant(f.started_at), _instant(f.cleared_at))
            for f in played.faults
        )
        assert [tuple(row) for row in stored] == said
        intervals = database.execute(
            "SELECT code, state, lower(period), upper(period) FROM service_interval"
            " JOIN terminal ON terminal.id = terminal_id ORDER BY code, period"
        ).fetchall()
        assert [(code, s, lower, upper) for code, s, lower, upper in intervals] == [
            (code, each.state.value, _instant(each.begins_at), _instant(each.ends_at))
            for code in sorted(played.intervals)
            for each in played.intervals[code]
        ]
        _tickets_are_dated(database, filled.tickets)
        (ages,) = database.execute("SELECT array_agg(DISTINCT commissioned_at) FROM terminal")
        assert ages == ([START],)
        assert database.execute("SELECT to_regnamespace('tellergrid_past')").fetchone() == (None,)
        scored = score_stored(database, truth.read(keeping.truth), STORY, rules)
    # As the same course is scored that never saw a database.
    virtual = score_course(course(), rules, played)
    assert (scored.detectable, scored.detected) == (virtual.detectable, virtual.detected)
    assert (scored.faults, scored.right) == (virtual.faults, virtual.right)
    assert (scored.cells, scored.wrong_cell_tickets) == (virtual.cells, 0)
    assert scored.uptime_error_s == pytest.approx(virtual.uptime_error_s, abs=0.01)
    assert scored.detectable > 20
    entries = state.read(keeping.state)
    assert len(entries) == 20
    assert all(entry.seq > 0 for entry in entries.values())
    assert any(isinstance(line, Label) for line in truth.read(keeping.truth))
    with pytest.raises(StackError, match="history already"):
        await fill(database_url, course(), rules, keeping, lambda _: None)


async def test_a_history_that_was_interrupted_is_gone_on_from_in_later_boots(
    database_url: str, tmp_path: Path
) -> None:
    """Killed half-way: no boot that is stored is given again, or all in it would be duplicates."""
    async with await connect(database_url, name="test", autocommit=True) as connection:
        await seed(connection, course().grid(), [])
    await require_no_history(database_url)
    keeping = Keeping(tmp_path / "state.json", tmp_path / "truth.jsonl", timedelta(minutes=60))
    story = scenario.parse(
        b"{name: anew, about: One by one., story: [{restart: true, for: 1m, after: 20m, every: 20m,"
        b" where: {terminals: 10}}]}",
        "anew",
    )
    restarting = Course(story, 20, START.timestamp(), 2 * 3600.0, cells=2, step_s=300)

    def interrupted(share: float) -> None:
        if share > 0.5:
            raise _Killed

    with pytest.raises(_Killed):
        await fill(database_url, restarting, catalogue.load(), keeping, interrupted)
    with psycopg.connect(database_url) as database:
        stored: dict[str, int] = dict(
            database.execute(
                "SELECT code, max(boot) FROM telemetry"
                " JOIN terminal ON terminal.id = terminal_id GROUP BY code"
            ).fetchall()
        )
    assert len(stored) == 20
    assert max(stored.values()) > 1, "somebody started anew in it"
    begun = state.StateFile(keeping.state).begin(stored)
    assert all(begun[code] > boot for code, boot in stored.items())
    with pytest.raises(StackError, match="history already"):
        await require_no_history(database_url)


class _Killed(Exception):
    pass


def _tickets_are_dated(database: psycopg.Connection[tuple[object, ...]], tickets: int) -> None:
    """Each is raised within a step of its fault, and what followed came later, all in the past."""
    rows = database.execute(
        "SELECT fault.fired_at, ticket.created_at, ticket.scope FROM ticket"
        " JOIN fault ON fault.id = ticket.fault_id"
    ).fetchall()
    assert len(rows) == tickets > 5
    for fired_at, created_at, _ in rows:
        assert isinstance(created_at, datetime)
        assert isinstance(fired_at, datetime)
        assert START < created_at <= START + timedelta(hours=HOURS)
    assert [scope for *_, scope in rows].count("cell") >= 1
    newest = database.execute("SELECT max(at) FROM ticket_transition").fetchone()
    assert newest is not None
    assert isinstance(newest[0], datetime)
    assert newest[0] <= START + timedelta(hours=HOURS)


def _instant(at: float | None) -> datetime | None:
    return None if at is None else datetime.fromtimestamp(at, UTC)
