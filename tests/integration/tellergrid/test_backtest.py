"""Another catalogue tried on what is stored: nothing differs where nothing was changed, and what
was changed is found to the fault."""

import json
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import msgspec
import psycopg
import pytest

from api.seed import seed
from api.tickets.engine import raise_tickets
from collector.desk import Desk
from collector.intake import Arrival
from collector.store import Connection
from fleet.db.pool import connect
from fleet.demo import grid
from fleet.rules.catalogue import Catalogue, load
from tellergrid.backtest.comparison import Comparison
from tellergrid.backtest.run import backtest

GRID = grid(seed=1, terminals=10, cells=1)
T0 = datetime.now(UTC).replace(microsecond=0) - timedelta(hours=12)
FINE = {"cardReader": {"media": "notPresent"}}
JAMMED = {"cardReader": {"media": "jammed"}}
CHANGED = """
version: "2"
include: [default]
overrides:
  - {rules: [card-reader-jammed], regions: [region-01], set: {for: 10m}}
  - {rules: [over-temperature], cells: [%s], set: {when: metrics.temperature_c > 50.0}}
  - {rules: [paper-low], regions: [region-01], set: {severity: minor}}
"""


def at(seconds: float) -> datetime:
    return T0 + timedelta(seconds=seconds)


class Story:
    """Ten terminals that say the same every half minute, unless told otherwise."""

    start = T0

    def __init__(self, connection: Connection, region: str = "region-01") -> None:
        self.connection = connection
        self.region = region
        self.desk = Desk(connection, region, load())
        self.seq = dict.fromkeys(range(10), 0)
        self.now = 0

    def arrival(self, number: int, channel: str, **body: object) -> Arrival:
        code, when = GRID.terminals[number].code, at(self.now)
        said = {"ts": when.isoformat(), "boot": 1, **body}
        topic = f"fleet/v1/{self.region}/{code}/{channel}"
        return Arrival(topic, json.dumps(said).encode(), retain=False, packet_id=1, at=when)

    def snapshot(self, number: int, **body: object) -> Arrival:
        self.seq[number] += 1
        fields = {"status": FINE, "metrics": {"temperature_c": 30}} | body
        return self.arrival(number, "telemetry", seq=self.seq[number], **fields)

    async def half_minutes(
        self, count: int, quiet: tuple[int, ...] = (), **special: dict[str, object]
    ) -> None:
        """Let so many half minutes pass; `t3={…}` is what the third terminal says in them."""
        for _ in range(count):
            said = [
                self.snapshot(n, **special.get(f"t{n}", {})) for n in range(10) if n not in quiet
            ]
            await self.desk.commit(said, at(self.now))
            await raise_tickets(self.connection)
            await self.connection.commit()
            self.now += 30

    async def last_wills(self, *numbers: int) -> None:
        wills = [self.arrival(n, "status", online=False) for n in numbers]
        await self.desk.commit(wills, at(self.now))


@pytest.fixture
async def connection(database_url: str) -> AsyncIterator[Connection]:
    async with await connect(database_url, name="test") as opened:
        await seed(opened, GRID, [])
        began = T0 - timedelta(days=1)  # its terminals were there before the story is told
        await opened.execute(b"UPDATE terminal_cell SET valid = tstzrange(%s, NULL)", (began,))
        await opened.commit()
        yield opened


@pytest.fixture
async def told(connection: Connection) -> Story:
    """A jam of two minutes, a warm one, paper that is low from the first, a silent one, one that is
    cut off, and four at once that make an outage of the cell."""
    story = Story(connection)
    await story.desk.restore(T0)
    story.desk.watch(T0)
    paper: dict[str, object] = {"status": FINE | {"printer": {"paper": {"upper": "low"}}}}
    await story.half_minutes(30, t5=paper)
    await story.half_minutes(4, t0={"status": JAMMED}, t5=paper)
    await story.half_minutes(4, t5=paper)
    await story.half_minutes(16, t1={"metrics": {"temperature_c": 55}}, t5=paper)
    await story.half_minutes(12, quiet=(2,), t5=paper)
    await story.last_wills(3)
    await story.half_minutes(4, quiet=(3,), t5=paper)
    await story.last_wills(6, 7, 8, 9)
    await story.half_minutes(6, quiet=(6, 7, 8, 9), t5=paper)
    await story.half_minutes(10, t5=paper)
    return story


async def tried(told: Story, catalogue: Catalogue, since: float = 60) -> Comparison:
    comparison, messages = await backtest(
        told.connection, catalogue, at(since), at(told.now), lambda *_: None
    )
    assert messages > 800
    return comparison


async def test_the_catalogue_that_was_in_force_would_have_changed_nothing(told: Story) -> None:
    """The same engine on the same messages: every fault is found again, no other one."""
    comparison = await tried(told, load())
    assert comparison.differences == []
    assert comparison.total.happened == comparison.total.replayed
    fired = {rule: figures.happened for rule, figures in comparison.rules.items()}
    assert fired == {
        "card-reader-jammed": 1,
        "paper-low": 1,
        "silent": 1,
        "offline": 5,
        "cell-outage": 1,
    }
    assert comparison.total.tickets_happened == 4  # a jam, a silent one, a lone will, the cell


async def test_what_began_before_is_not_taken_for_new(told: Story) -> None:
    """Paper was low before the window and through it; the window begins in the middle of it."""
    comparison = await tried(told, load(), since=900)
    assert comparison.differences == []
    assert "paper-low" not in comparison.rules


async def test_each_change_of_a_rule_is_found_to_the_fault(told: Story, tmp_path: Path) -> None:
    """A longer hold loses the jam, a lower threshold finds the warm one, a higher severity sends
    somebody for paper."""
    cell = GRID.terminals[0].cell
    (tmp_path / "rules.yaml").write_text(CHANGED % cell)
    comparison = await tried(told, load(tmp_path))
    code = [terminal.code for terminal in GRID.terminals]
    assert [(each.what, each.rule, each.subject) for each in comparison.differences] == [
        ("ticket added", "paper-low", code[5]),
        ("fault removed", "card-reader-jammed", code[0]),
        ("ticket removed", "card-reader-jammed", code[0]),
        ("fault added", "over-temperature", code[1]),
        ("ticket added", "over-temperature", code[1]),
    ]
    of_rule = comparison.rules["over-temperature"]
    assert (of_rule.happened, of_rule.replayed, of_rule.faults_added) == (0, 1, 1)
    of_cell = comparison.cells[cell]
    assert (of_cell.tickets_added, of_cell.tickets_removed) == (2, 1)


async def test_windows_hold_the_tickets_of_a_replay_as_they_held_them(
    told: Story, tmp_path: Path
) -> None:
    """While the warm one is warm its cell is silenced: another rule's fault is added, no ticket."""
    cell = GRID.terminals[0].cell
    await told.connection.execute(
        b"WITH planned AS (INSERT INTO planned_window (purpose, cell_code, first, zone, author,"
        b" reason, created_at) VALUES ('silence', %s, tstzrange(%s, %s), 'UTC', 'ops', 'works', %s)"
        b" RETURNING id, first)"
        b" INSERT INTO planned_occurrence SELECT id, first FROM planned",
        (cell, at(0), at(4000), at(-60)),
    )
    await told.connection.commit()
    (tmp_path / "rules.yaml").write_text(CHANGED % cell)
    found = (await tried(told, load(tmp_path))).rules["over-temperature"]
    assert (found.faults_added, found.tickets_added) == (1, 0)


async def test_the_grid_of_a_replay_is_that_of_its_time(told: Story, tmp_path: Path) -> None:
    """The warm one left its cell before it was warm: what is said there of that cell does not hold,
    and holds for it again in a replay in which it left afterwards."""
    cell = GRID.terminals[1].cell
    (tmp_path / "rules.yaml").write_text(CHANGED % cell)
    for left, added in ((600, 0), (told.now, 1)):
        await told.connection.set_read_only(False)
        await told.connection.execute(
            b"UPDATE terminal_cell SET valid = tstzrange(lower(valid), %s) WHERE terminal_id ="
            b" (SELECT id FROM terminal WHERE code = %s)",
            (at(left), GRID.terminals[1].code),
        )
        await told.connection.commit()
        comparison = await tried(told, load(tmp_path))
        figures = comparison.rules.get("over-temperature")
        assert (figures.faults_added if figures else 0) == added


async def test_a_backtest_cannot_write(told: Story) -> None:
    """Whatever its statements were: its transactions are such that the database refuses."""
    await told.connection.rollback()
    await backtest(told.connection, load(), at(60), at(told.now))
    with pytest.raises(psycopg.errors.ReadOnlySqlTransaction):
        await told.connection.execute("UPDATE fault SET severity = 'minor'")


async def test_what_came_too_late_can_be_judged_in_its_place(connection: Connection) -> None:
    """A jam of half a minute that is told when it is long over: nothing came of it; with an hour's
    lateness it is found."""
    story = Story(connection)
    await story.desk.restore(T0)
    story.desk.watch(T0)
    await story.half_minutes(4)
    told_late = story.snapshot(4, status=JAMMED)
    await story.half_minutes(1, quiet=(4,))
    await story.half_minutes(4)
    await story.desk.commit([msgspec.structs.replace(told_late, at=at(story.now))], at(story.now))
    await story.half_minutes(4)
    until = at(story.now)
    as_it_was, _ = await backtest(connection, load(), at(0), until)
    assert as_it_was.differences == []
    in_place, _ = await backtest(connection, load(), at(0), until, lateness=timedelta(hours=1))
    found = {(each.rule, each.started_at, each.cleared_at) for each in in_place.differences}
    assert found == {("card-reader-jammed", at(120), at(150))}
