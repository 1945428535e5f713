"""Why there is a fault, or none, at any time: from the command line and from the api."""

import json
from datetime import datetime, timedelta
from pathlib import Path
from uuid import UUID

import httpx
import msgspec
import pytest
from psycopg.types.json import Jsonb
from pydantic import SecretStr
from typer.testing import CliRunner

from api.app import create_app
from api.seed import demo_accounts, seed
from api.settings import Settings
from collector.desk import Desk
from collector.store import Connection
from fleet.db.explaining import explain_fault, explain_subject, explain_terminal
from fleet.rules.catalogue import load
from fleet.rules.explanation import Explanation, Standing
from tellergrid.cli import app
from tests.integration.tellergrid.test_backtest import (
    GRID,
    JAMMED,
    T0,
    Story,
    at,
    connection,
    told,
)

__all__ = ["connection", "told"]

CODES = [terminal.code for terminal in GRID.terminals]
JAM = "card-reader-jammed"


async def why(told: Story, number: int, rule: str, when: float) -> Explanation:
    [found] = await explain_terminal(told.connection, CODES[number], at(when), load(), rule)
    return found


def said(when: float) -> str:
    return at(when).strftime("%Y-%m-%d %H:%M:%S")


async def test_a_jam_is_explained_at_every_stage(told: Story) -> None:
    """It jams at 900 s: false before, pending for ten seconds, a fault, clearing, over."""
    before = await why(told, 0, JAM, 899)
    assert before.conclusion == "no fault: the condition is false"
    assert before.answers[0].inputs == {"cardReader.media": "notPresent"}

    pending = await why(told, 0, JAM, 905)
    assert pending.conclusion.startswith(f"no fault yet: true since {said(900)}")
    assert pending.conclusion.endswith(f"its hold is not over, {said(910)}+0000")
    assert pending.answers[0].when is not None
    assert (pending.answers[0].when.truth, pending.faults) == ("true", ())

    firing = await why(told, 0, JAM, 950)
    assert firing.conclusion.startswith(f"a fault: true since {said(900)}")
    assert firing.answers[0].inputs == {"cardReader.media": "jammed"}
    assert firing.answers[0].timer is not None
    assert firing.answers[0].timer.phase == "firing"

    over = await why(told, 0, JAM, 1100)
    assert over.conclusion == "no fault: the condition is false"


async def test_what_was_never_reported_is_named(told: Story) -> None:
    """Nobody said anything of a camera: that is unknown, not well."""
    found = await why(told, 0, "camera-room-inoperative", 500)
    missing = "camera.cameras.room"
    assert found.conclusion == f"no fault: unknown, for {missing} is not reported"
    assert found.answers[0].inputs == {missing: None}


async def test_a_rule_that_is_not_for_a_terminal_says_so(told: Story) -> None:
    """A condition between two thresholds, and a rule of cells, are said in words too."""
    [warm] = await explain_terminal(told.connection, CODES[1], at(1400), load(), "over-temperature")
    assert warm.answers[0].inputs == {"metrics.temperature_c": 55.0}
    assert warm.conclusion == "no fault: the condition is false"
    silent = await why(told, 2, "silent", 1700)
    assert silent.answers[0].inputs["silent after"] == "3m"
    with pytest.raises(LookupError, match="there is no terminal NOWHERE"):
        await explain_terminal(told.connection, "NOWHERE", at(1), load())


async def faults(connection: Connection, rule: str) -> list[tuple[UUID, str, datetime]]:
    query = b"SELECT id, subject, fired_at FROM fault WHERE rule = %s ORDER BY fired_at, subject"
    cursor = await connection.execute(query, (rule,))
    return [(row[0], row[1], row[2]) for row in await cursor.fetchall()]


async def test_a_fault_is_explained_as_it_stood_when_it_fired(told: Story) -> None:
    """Long after it is over: what was read then, by the catalogue that decided."""
    [(key, subject, fired)] = await faults(told.connection, JAM)
    found = await explain_fault(told.connection, key, load())
    assert (found.subject, found.at, found.catalogue) == (subject, fired, load().identity)
    assert found.answers[0].inputs == {"cardReader.media": "jammed"}
    assert found.answers[0].timer is not None
    assert found.answers[0].timer.started_at == at(900)


async def test_a_fault_that_another_speaks_for_says_which(told: Story) -> None:
    """Four were cut off at once: their cell's outage speaks for them, and is explained by them."""
    all_offline = await faults(told.connection, "offline")
    cut = [key for key, subject, _ in all_offline if subject == CODES[6]]
    while_open = (await why(told, 6, "offline", told.now - 400)).conclusion
    cell = GRID.terminals[0].cell
    assert while_open.endswith(f"no ticket: cell-outage of {cell} speaks for it")
    assert (await explain_fault(told.connection, cut[0], load())).answers[0].inputs == {
        "connected": False
    }
    [(outage, *_)] = await faults(told.connection, "cell-outage")
    found = await explain_fault(told.connection, outage, load())
    assert {each.terminal for each in found.members} >= set(CODES[6:10])
    assert "it takes 3 terminals and 40% of those in service" in found.conclusion


async def test_who_speaks_for_a_fault_is_told_as_it_was(connection: Connection) -> None:
    """One is cut off and speaks for itself; three more, and the cell does; those are back, and once
    the outage is over the first one speaks for itself again. Asked later, of each time."""
    story = Story(connection)
    await story.desk.restore(T0)
    story.desk.watch(T0)
    await story.half_minutes(4)
    await story.last_wills(0)
    await story.half_minutes(3, quiet=(0,))
    await story.last_wills(1, 2, 3)
    await story.half_minutes(3, quiet=(0, 1, 2, 3))
    await story.half_minutes(6, quiet=(0,))
    said = [(await why(story, 0, "offline", when)).conclusion for when in (200, 250, 350, 480)]
    spoken = "; no ticket: cell-outage of " + GRID.terminals[0].cell + " speaks for it"
    assert [each.endswith(spoken) for each in said] == [False, True, True, False]
    assert all(each.startswith("a fault: true since ") for each in said)
    [(key, *_)] = [each for each in await faults(connection, "offline") if each[1] == CODES[0]]
    assert (await explain_fault(connection, key, load())).faults[0].suppressed_by is None


async def test_what_came_out_of_order_is_explained_in_its_place(connection: Connection) -> None:
    """A jam is told three seconds late, after the message that follows it: it is explained as it
    was judged, in the order written."""
    late = timedelta(seconds=5)
    story = Story(connection)
    story.desk = Desk(connection, "region-01", load(), lateness=late)
    await story.desk.restore(T0)
    story.desk.watch(T0)
    await story.half_minutes(4)
    first, second = (story.snapshot(4, status=JAMMED) for _ in range(2))
    following = msgspec.structs.replace(second, at=at(121))
    await story.desk.commit([following], at(121))
    await story.desk.commit([msgspec.structs.replace(first, at=at(123))], at(123))
    await story.desk.commit([], at(150))
    [(key, *_)] = await faults(connection, JAM)
    found = await explain_fault(connection, key, load(), late)
    assert found.answers[0].timer is not None
    assert found.answers[0].timer.started_at == at(120)
    [asked] = await explain_terminal(connection, CODES[4], at(122), load(), JAM, late)
    assert asked.answers[0].timer is not None
    assert (asked.answers[0].timer.phase, asked.answers[0].timer.started_at) == ("pending", at(120))


CELL = GRID.terminals[0].cell
OUTAGE = "cell-outage"


async def of_cell(told: Story, when: float) -> Explanation:
    [found] = await explain_subject(told.connection, CELL, at(when), rule=OUTAGE)
    return found


async def test_a_cell_is_explained_at_every_stage(told: Story) -> None:
    """One of ten is cut off at 1980 s: no quorum. Four more at 2100 s: pending, then a fault, as it
    is stored; when all are back, none."""
    one = await of_cell(told, 1990)
    takes = "it takes 3 terminals and 40% of those in service"
    assert one.conclusion == f"no fault: 1 of 10 terminals in service are bad; {takes}"
    assert [(each.terminal, each.rule) for each in one.members] == [(CODES[3], "offline")]
    assert (one.standing, one.catalogue) == (Standing.IN_FORCE, load().identity)

    pending = await of_cell(told, 2101)
    inputs = pending.answers[0].inputs
    assert (inputs["members"], inputs["in service"], inputs["needed"]) == (10, 10, 4)
    assert inputs["bad"] == len({each.terminal for each in pending.members}) >= 4
    assert pending.conclusion.startswith(f"no fault yet: true since {said(2100)}")
    assert pending.answers[0].timer is not None
    assert pending.answers[0].timer.due is not None

    [(key, _, fired)] = await faults(told.connection, OUTAGE)
    assert fired == pending.answers[0].timer.due
    firing = await of_cell(told, 2130)
    assert [each.id for each in firing.faults] == [str(key)]
    assert firing.answers[0].timer is not None
    assert (firing.answers[0].timer.phase, firing.answers[0].timer.started_at) == (
        "firing",
        firing.faults[0].started_at,
    )

    over = await of_cell(told, told.now - 1)
    assert over.conclusion == f"no fault: 0 of 10 terminals in service are bad; {takes}"
    with pytest.raises(LookupError, match="has no rule silent of a cell"):
        await explain_subject(told.connection, CELL, at(1), rule="silent")


async def test_who_is_in_maintenance_is_not_counted_and_what_holds_the_ticket_is_named(
    told: Story,
) -> None:
    """Five of the others are being served: members, not in service. Later the cell is silenced."""
    for number in (0, 1, 2, 4, 5):
        await told.connection.execute(
            b"WITH planned AS (INSERT INTO planned_window (purpose, terminal_id, first, zone,"
            b" author, reason, created_at) SELECT 'maintenance', id, tstzrange(%s, %s), 'UTC',"
            b" 'ops', 'works', %s FROM terminal WHERE code = %s RETURNING id, first)"
            b" INSERT INTO planned_occurrence SELECT id, first FROM planned",
            (at(1970), at(2110), at(-60), CODES[number]),
        )
    await told.connection.execute(
        b"WITH planned AS (INSERT INTO planned_window (purpose, cell_code, first, zone, author,"
        b" reason, created_at) VALUES ('silence', %s, tstzrange(%s, %s), 'UTC', 'ops', 'works', %s)"
        b" RETURNING id, first)"
        b" INSERT INTO planned_occurrence SELECT id, first FROM planned",
        (CELL, at(2120), at(2200), at(-60)),
    )
    inputs = (await of_cell(told, 1990)).answers[0].inputs
    assert (inputs["members"], inputs["in service"], inputs["bad"]) == (10, 5, 1)
    held = await of_cell(told, 2130)
    assert [(each.purpose, each.author) for each in held.windows] == [("silence", "ops")]
    assert "; its ticket is held by silence window" in held.conclusion


APART = """
version: "1"
rules:
  - {name: offline, title: Offline, offline: true, for: 30s, severity: critical, impact: offline,
     component: network, skill: network, line: 1, remedy: Look.}
  - {name: together, title: Together, scope: cell, members: [offline], at_least: 2, share: 0.1,
     within: 1m, severity: critical, component: network, skill: network, line: 2, remedy: Look.}
"""


async def test_members_that_went_long_before_went_when_they_went(
    connection: Connection, tmp_path: Path
) -> None:
    """Two are cut off nine minutes apart, and asked is hours later: that is not together."""
    (tmp_path / "rules.yaml").write_text(APART)
    story = Story(connection)
    story.desk = Desk(connection, "region-01", load(tmp_path))
    await story.desk.restore(T0)
    story.desk.watch(T0)
    await story.half_minutes(2)
    await story.last_wills(0)
    await story.half_minutes(18, quiet=(0,))
    await story.last_wills(1)
    await story.half_minutes(4, quiet=(0, 1))
    [found] = await explain_subject(connection, CELL, at(4 * 3600))
    assert found.conclusion.endswith("of those in service, gone bad within 1m of one another")
    assert found.conclusion.startswith("no fault: 2 of 10 ")
    assert [each.started_at for each in found.members] == [at(60), at(600)]
    assert await faults(connection, "together") == []


WIDE = """
  - {name: wide, title: Wide, scope: cell, members: [offline], at_least: 3, share: 0.1, level: 0,
     severity: critical, component: network, skill: network, line: 2, remedy: Look.}
"""


async def test_a_cell_in_two_regions_is_explained_in_each(connection: Connection) -> None:
    """Five of its terminals are another branch's. Cut off, they are an outage there, and none of
    the five that are left here."""
    here, there = range(5), range(5, 10)
    await connection.execute(b"INSERT INTO region (code, name) VALUES ('region-02', '')")
    moved = [CODES[number] for number in there]
    await connection.execute(
        b"UPDATE terminal SET region_code = 'region-02' WHERE code = ANY (%s)", (moved,)
    )
    await connection.commit()
    for region, others in (("region-01", there), ("region-02", here)):
        story = Story(connection, region)
        await story.desk.restore(T0)
        story.desk.watch(T0)
        await story.half_minutes(2, quiet=tuple(others))
        if region == "region-02":
            await story.last_wills(*there)
        await story.half_minutes(2, quiet=tuple(range(10)))
    first, second = await explain_subject(connection, CELL, at(100), rule=OUTAGE)
    assert first.conclusion.startswith("no fault: 0 of 5 terminals in service are bad"), first
    assert second.conclusion.startswith(f"a fault: true since {said(60)}"), second
    [(key, *_)] = await faults(connection, OUTAGE)
    assert [each.id for each in second.faults] == [str(key)]
    of_fault = await explain_fault(connection, key, load())
    assert {each.terminal for each in of_fault.members} == set(moved)


async def test_a_wider_cell_counts_those_below_it_and_speaks_for_the_narrower(
    connection: Connection, tmp_path: Path
) -> None:
    """Three are cut off together: the district's fault speaks for their cell's, which calls nobody;
    the rule about districts counts nobody in a cell below."""
    (tmp_path / "rules.yaml").write_text(APART + WIDE.lstrip("\n"))
    story = Story(connection)
    story.desk = Desk(connection, "region-01", load(tmp_path))
    await story.desk.restore(T0)
    story.desk.watch(T0)
    await story.half_minutes(2)
    await story.last_wills(0, 1, 2)
    await story.half_minutes(3, quiet=(0, 1, 2))
    [district] = [each.code for each in GRID.cells if each.code != CELL]
    _, wide = await explain_subject(connection, district, at(120))
    assert wide.conclusion.startswith(f"a fault: true since {said(60)}")
    assert "; 3 of 10 terminals in service are bad; it takes 3 terminals" in wide.conclusion
    together, elsewhere = await explain_subject(connection, CELL, at(120))
    assert f"; no ticket: wide of {district} speaks for it; 3 of 10 " in together.conclusion
    assert elsewhere.conclusion == "no fault: the rule counts nobody in this cell"


async def test_what_was_asked_of_a_time_is_answered_by_the_catalogue_of_that_time(
    told: Story, tmp_path: Path
) -> None:
    """Another version that says the same, then one without the rule: each is found at its time; one
    that is given is taken instead."""
    (tmp_path / "rules.yaml").write_text('version: "2"\ninclude: [default]\n')
    second = load(tmp_path)
    (tmp_path / "rules.yaml").write_text(APART)
    third = load(tmp_path)
    change, again = told.now, told.now + 60
    await told.desk.adopt(second, at(change))
    await told.desk.adopt(third, at(again))
    for when, catalogue in ((950, load()), (change + 1, second)):
        found = await explain_terminal(told.connection, CODES[0], at(when), rule=JAM)
        said_by = [(each.catalogue, each.standing) for each in found]
        assert said_by == [(catalogue.identity, Standing.IN_FORCE)]
    with pytest.raises(LookupError, match="has no rule card-reader-jammed of a terminal"):
        await explain_terminal(told.connection, CODES[0], at(again), rule=JAM)
    [given] = await explain_terminal(told.connection, CODES[0], at(again), second, JAM)
    assert (given.catalogue, given.standing) == (second.identity, Standing.GIVEN)
    before = await explain_terminal(told.connection, CODES[0], at(-3600), rule=JAM)
    assert [each.standing for each in before] == [Standing.PRESENT]
    [(key, *_)] = await faults(told.connection, JAM)
    by_who_decided = await explain_fault(told.connection, key, third)
    assert (by_who_decided.catalogue, by_who_decided.standing) == (
        load().identity,
        Standing.DECIDED,
    )


async def test_a_hold_that_a_new_catalogue_began_began_with_it(told: Story, tmp_path: Path) -> None:
    """It was warm before a rule was new that says so is wrong: true since the rule is there."""
    rule = "rules: [{name: warm, when: metrics.temperature_c > 40.0, for: 1h, severity: minor, "
    rule += "component: common, title: Warm, remedy: Look, skill: electronics, line: 2}]"
    await told.half_minutes(2, t0={"metrics": {"temperature_c": 45}})
    (tmp_path / "rules.yaml").write_text(f'version: "2"\ninclude: [default]\n{rule}\n')
    change = told.now
    await told.desk.adopt(load(tmp_path), at(change))
    await told.half_minutes(2, t0={"metrics": {"temperature_c": 45}})
    [found] = await explain_terminal(told.connection, CODES[0], at(told.now), rule="warm")
    assert found.conclusion.startswith(f"no fault yet: true since {said(change)}"), found
    hold = told.desk.engine.terminals
    [live] = [each.holds["warm", ""] for each in hold.values() if each.code == CODES[0]]
    assert found.answers[0].timer is not None
    assert found.answers[0].timer.since == live.since


async def test_a_catalogue_that_cannot_be_read_any_more_is_not_passed_off_as_another(
    told: Story,
) -> None:
    """A release renamed a property: the command asks for a catalogue, the api says it is the
    present one."""
    [(key, *_)] = await faults(told.connection, JAM)
    old = {"rules": [{"name": "old", "when": "gone.media == 'x'"}], "overrides": []}
    await told.connection.execute(b"UPDATE catalogue SET content = %s", (Jsonb(old),))
    with pytest.raises(LookupError, match="give a catalogue"):
        await explain_subject(told.connection, CODES[0], at(950))
    found = await explain_fault(told.connection, key, load())
    assert found.standing is Standing.PRESENT


def test_the_command_explains_a_cell(
    told: Story, database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Who is bad, since when, out of how many; and by which catalogue."""
    monkeypatch.setenv("TELLERGRID_DATABASE_URL", database_url)
    del told
    when = at(1990).strftime("%Y-%m-%dT%H:%M:%S")
    printed = CliRunner().invoke(app, ["rules", "explain", CELL, OUTAGE, "--at", when])
    assert printed.exit_code == 0, printed.output
    assert f"  by catalogue {load().identity}, in force then\n" in printed.output
    assert "  no fault: 1 of 10 terminals in service are bad; it takes 3 " in printed.output
    assert f"  bad: {CODES[3]} by offline since {said(1980)}\n" in printed.output
    assert "    in service = 10\n" in printed.output
    nowhere = CliRunner().invoke(app, ["rules", "explain", "NOWHERE"])
    assert (nowhere.exit_code, "no terminal or cell NOWHERE" in nowhere.output) == (2, True)


def test_the_command_prints_every_part_of_the_condition(
    told: Story, database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """For a person in full, for a program as JSON; an unknown rule with a suggestion."""
    monkeypatch.setenv("TELLERGRID_DATABASE_URL", database_url)
    del told
    when = at(950).strftime("%Y-%m-%dT%H:%M:%S")
    asked = ["rules", "explain", CODES[0], JAM, "--at", when]
    printed = CliRunner().invoke(app, asked)
    assert printed.exit_code == 0, printed.output
    assert "    cardReader.media = jammed\n" in printed.output
    assert "✓ cardReader.media == 'jammed'  true" in printed.output
    [told_json] = json.loads(CliRunner().invoke(app, [*asked, "--json"]).output)
    assert told_json["answers"][0]["timer"]["phase"] == "firing"
    every = CliRunner().invoke(app, ["rules", "explain", CODES[0], "--at", when]).output
    assert every.startswith(JAM)
    ahead = CliRunner().invoke(app, ["rules", "explain", CODES[0], "--at", "2199-01-01T00:00:00"])
    assert (ahead.exit_code, "is yet to come" in ahead.output) == (2, True)
    wrong = CliRunner().invoke(app, ["rules", "explain", CODES[0], "card-reader-jamed"])
    assert (wrong.exit_code, "did you mean card-reader-jammed?" in wrong.output) == (2, True)


async def test_the_api_explains_a_fault(told: Story, database_url: str) -> None:
    """To whoever is signed in and may see it, with what was read and who decided."""

    def password(name: str) -> str:
        return f"{name} of the tests"

    await seed(told.connection, GRID, demo_accounts(GRID, password))
    await told.connection.commit()
    [(key, *_)] = await faults(told.connection, JAM)
    await told.connection.commit()
    settings = Settings(
        database_url=database_url,
        token_secret=SecretStr("a secret of the tests, 32 bytes or more"),
        poll_seconds=60,
    )
    running = create_app(settings)
    async with running.router.lifespan_context(running):
        transport = httpx.ASGITransport(app=running)
        async with httpx.AsyncClient(transport=transport, base_url="http://api.test") as client:
            unknown = await client.get(f"/api/v1/faults/{key}/explanation")
            assert unknown.status_code == 401
            form = {"username": "ops", "password": password("ops")}
            token = (await client.post("/api/v1/token", data=form)).json()["access_token"]
            client.headers["Authorization"] = f"Bearer {token}"
            answer = await client.get(f"/api/v1/faults/{key}/explanation")
            assert answer.status_code == 200, answer.text
            [(outage, *_)] = await faults(told.connection, OUTAGE)
            of_cell = (await client.get(f"/api/v1/faults/{outage}/explanation")).json()
            missing = await client.get(f"/api/v1/faults/{UUID(int=0)}/explanation")
            assert missing.status_code == 404
    body = answer.json()
    assert body["answers"][0]["inputs"] == {"cardReader.media": "jammed"}
    assert body["answers"][0]["when"]["truth"] == "true"
    assert body["catalogue"] == load().identity
    assert body["standing"] == "decided"
    assert of_cell["answers"][0]["inputs"]["in service"] == 10
    assert of_cell["answers"][0]["timer"]["phase"] == "firing"
    assert {each["terminal"] for each in of_cell["members"]} >= set(CODES[6:10])
