"""The grid in the database: imported, changed, and remembered."""

import json
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path

import pytest
from psycopg import AsyncConnection
from psycopg.rows import TupleRow
from typer.testing import CliRunner

from api.cells.uptime import uptime
from api.errors import NotFound
from api.grid.cells import Wish, import_cells, read_grid
from api.grid.terminals import import_terminals
from api.scope import EVERYTHING
from api.window import Window
from fleet.db.pool import connect
from fleet.grid import geojson, registry
from fleet.grid.cell import Cell, ImportRefused
from tellergrid.cli import app
from tests.unit.grid.squares import cell, collection, feature, ring, square

Database = AsyncConnection[TupleRow]

NORTH, SOUTH = cell("N", square(0, 10, 20, 20)), cell("S", square(0, 0, 20, 10))
WEST = cell("W", square(0, 0, 10, 10), "S", 1)
EAST = cell("E", square(10, 0, 20, 10), "S", 1)
GRID = [NORTH, SOUTH, WEST, EAST]
HEAD = "code,kind,vendor,model,region,site,latitude,longitude,cell\n"


@pytest.fixture
async def database(database_url: str) -> AsyncIterator[Database]:
    """A connection to a database with nothing in it."""
    async with await connect(database_url, name="test", autocommit=True) as one:
        yield one


def rows(**places: tuple[float, float] | tuple[float, float, str]) -> list[registry.Registered]:
    lines = [
        f"{code},atm,v,m,r,s,{30 + place[1] * 0.01},{120 + place[0] * 0.01},{''.join(place[2:])}\n"
        for code, place in places.items()
    ]
    terminals, problems = registry.read(HEAD + "".join(lines))
    assert problems == []
    return terminals


async def members(database: Database) -> dict[str, tuple[str, str]]:
    cursor = await database.execute(
        "SELECT code, cell_code, method FROM terminal_cell"
        " JOIN terminal ON terminal.id = terminal_id WHERE valid @> now()"
    )
    return {code: (cell_code, method) for code, cell_code, method in await cursor.fetchall()}


async def now(database: Database) -> datetime:
    [(instant,)] = await (await database.execute("SELECT clock_timestamp()")).fetchall()
    assert isinstance(instant, datetime)
    return instant


async def judged(database: Database, code: str, begin: datetime, end: datetime) -> int:
    """How many terminals a cell had in a window."""
    window = Window(begin, end, until=end)
    return (await uptime(database, EVERYTHING, code, window, detail=False)).terminals


async def test_cells_and_terminals_find_one_another(database: Database) -> None:
    """Whichever comes first; each by polygon, border, override, or not at all."""
    await import_terminals(database, rows(a=(5, 5), b=(10, 5), far=(90, 5)))
    assert set((await members(database)).values()) == {("UNASSIGNED", "unassigned")}
    changes = await import_cells(database, GRID)
    assert changes.added == ["E", "N", "S", "W"]
    assert [move.terminal for move in changes.moves] == ["a", "b"]
    await import_terminals(database, rows(c=(5, 6, "N")))
    assert await members(database) == {
        "a": ("W", "polygon"),
        "b": ("E", "border"),
        "c": ("N", "override"),
        "far": ("UNASSIGNED", "unassigned"),
    }


async def test_the_same_file_again_changes_nothing(database: Database) -> None:
    """Import is to be run by machines too, every night."""
    await import_cells(database, GRID)
    await import_terminals(database, rows(a=(5, 5), c=(5, 6, "N")))
    cells = await import_cells(database, GRID, wish=Wish(complete=True))
    terminals = await import_terminals(database, rows(a=(5, 5), c=(5, 6, "N")))
    assert (cells.added, cells.changed, cells.ended, cells.unchanged) == ([], [], [], 4)
    assert (terminals.added, terminals.changed, terminals.unchanged) == ([], [], 2)
    assert cells.moves == terminals.moves == []
    [(versions,)] = await (await database.execute("SELECT count(*) FROM cell_version")).fetchall()
    assert versions == 5  # with UNASSIGNED


async def test_a_dry_run_says_what_would_be_and_leaves_all_as_it_was(database: Database) -> None:
    """The same answer as the import that follows."""
    await import_cells(database, GRID)
    await import_terminals(database, rows(a=(5, 5)))
    split = [NORTH, SOUTH, EAST, replace(WEST, boundary=square(0, 0, 10, 4))]
    tried = await import_cells(database, split, wish=Wish(complete=True, dry_run=True))
    assert await members(database) == {"a": ("W", "polygon")}
    done = await import_cells(database, split, wish=Wish(complete=True))
    assert (tried, done.version) == (replace(done, version=None), 3)
    assert await members(database) == {"a": ("S", "polygon")}
    more = rows(a=(15, 5), d=(15, 6))
    foreseen = await import_terminals(database, more, dry_run=True)
    assert foreseen == await import_terminals(database, more)
    assert (foreseen.added, foreseen.changed) == (["d"], ["a"])


async def test_last_quarter_keeps_its_grid(database: Database) -> None:
    """W is split into two, then moves under N: the past of W, and of S above it, stays.

    Two terminals stood in W, one goes to each half; S loses the halves to N.
    """
    await import_cells(database, GRID)
    await import_terminals(database, rows(a=(2, 5), b=(8, 5), e=(15, 5)))
    begin = await now(database)
    first = await now(database)
    halves = [
        cell("W1", square(0, 0, 5, 10), "S", 1),
        cell("W2", square(5, 0, 10, 10), "S", 1),
    ]
    split = await import_cells(database, [NORTH, SOUTH, EAST, *halves], wish=Wish(complete=True))
    assert (split.added, split.ended) == (["W1", "W2"], ["W"])
    second = await now(database)
    await import_cells(database, [replace(half, parent="N") for half in halves])
    third = await now(database)
    end = await now(database)
    assert [await judged(database, code, begin, first) for code in ("W", "S", "N")] == [2, 3, 0]
    assert await judged(database, "W", second, end) == 0
    assert [await judged(database, code, third, end) for code in ("W1", "S", "N")] == [1, 1, 2]
    assert await judged(database, "S", begin, end) == 3  # all were its own once
    assert {one.code for one in await read_grid(database, first)} == {"N", "S", "W", "E"}
    assert {one.code: one.parent for one in await read_grid(database, second)}["W1"] == "S"
    assert {one.code: one.parent for one in await read_grid(database)}["W1"] == "N"
    with pytest.raises(NotFound):
        await judged(database, "nowhere", begin, end)


async def test_a_cell_that_is_to_end_is_not_in_the_file(database: Database) -> None:
    """Whoever exported the map, and named what ends, but left it in the file, was told that nothing
    is to do."""
    await import_cells(database, GRID)
    with pytest.raises(ImportRefused, match="E: cannot end: the file has it"):
        await import_cells(database, GRID, wish=Wish(ends=("E",)))


async def test_of_two_changes_at_once_the_later_one_knows_the_other(
    database: Database, database_url: str
) -> None:
    """A change of the registry has begun when E is merged into W: it waits, and then it finds the
    map as it is by now. Nobody is put back into a cell that has ended, and what it says holds."""
    await import_cells(database, GRID)
    await import_terminals(database, rows(a=(15, 5), b=(15, 6, "N")))
    async with await connect(database_url, name="second") as second:
        await second.execute("SELECT now()")
        whole = replace(WEST, boundary=SOUTH.boundary)
        await import_cells(database, [whole], wish=Wish(ends=("E",)))
        await import_terminals(database, rows(b=(15, 6, "W")))
        began = await now(database)
        await import_terminals(second, rows(b=(15, 6, "N"), c=(15, 7)))
        await second.commit()
    expected = {"a": ("W", "polygon"), "b": ("N", "override"), "c": ("W", "polygon")}
    assert await members(database) == expected
    ended = await now(database)
    assert await judged(database, "W", began, ended) == 3  # b was its own until the second came
    assert await judged(database, "S", ended, await now(database)) == 2


async def test_another_kind_or_region_changes_no_past(database: Database) -> None:
    """We were blind to region r, kinds had windows of their own; then a recycler of region q takes
    the place of an atm of region r. What counted of its past counts on."""
    await import_cells(database, GRID)
    await import_terminals(database, rows(a=(5, 5)))
    ends = [datetime(2026, 11, 23, hour, tzinfo=UTC) for hour in (8, 9, 10)]
    begin, half, _ = ends
    await database.execute("UPDATE terminal SET commissioned_at = %s", (begin,))
    await database.execute("UPDATE terminal_cell SET valid = tstzrange(%s, NULL)", (begin,))
    await database.execute(
        "INSERT INTO service_interval SELECT id, 'in_service', tstzrange(%s, NULL) FROM terminal",
        (begin,),
    )
    await database.execute("INSERT INTO region VALUES ('q', 'Q')")
    for region, kind, at in (("r", "atm", begin), ("q", "recycler", half)):
        blind = (at + timedelta(minutes=10), at + timedelta(minutes=20))
        works = (at + timedelta(minutes=30), at + timedelta(minutes=45))
        await database.execute(
            "INSERT INTO blindness VALUES (%s, tstzrange(%s, %s), 'broker')", (region, *blind)
        )
        await database.execute(
            "INSERT INTO planned_window (purpose, kind, first, zone, author, reason)"
            " VALUES ('maintenance', %s, tstzrange(%s, %s), 'UTC', 'a', 'r')",
            (kind, *works),
        )
        await database.execute(
            "INSERT INTO planned_occurrence SELECT max(id), tstzrange(%s, %s) FROM planned_window",
            works,
        )

    async def told() -> list[tuple[int, int, int]]:
        found = [
            await uptime(database, EVERYTHING, "W", Window(*cut, until=cut[1]), detail=False)
            for cut in pairwise(ends)
        ]
        minute = 60_000_000
        return [
            (one.scope_us // minute, one.up_us // minute, one.unknown_us // minute) for one in found
        ]

    assert await told() == [(45, 35, 10), (60, 60, 0)]
    moved = [replace(one, kind="recycler", region="q") for one in rows(a=(5, 5))]
    await import_terminals(database, moved)
    assert await told() == [(45, 35, 10), (60, 60, 0)]
    await database.execute("UPDATE terminal_former SET valid = tstzrange(NULL, %s)", (half,))
    assert await told() == [(45, 35, 10), (45, 35, 10)]


async def test_an_ended_cell_may_come_back(database: Database) -> None:
    """Its history has the gap."""
    await import_cells(database, GRID)
    await import_cells(database, [NORTH, SOUTH], wish=Wish(complete=True))
    gone = await now(database)
    back = await import_cells(database, [WEST])
    assert back.added == ["W"]
    assert {one.code for one in await read_grid(database, gone)} == {"N", "S"}
    assert {one.code for one in await read_grid(database)} == {"N", "S", "W"}


async def test_people_come_with_the_map_or_stay(database: Database) -> None:
    """A file that names them replaces them, one that does not leaves them."""
    await database.execute("INSERT INTO technician (code, name) VALUES ('T1', 'x'), ('T2', 'y')")
    await import_cells(database, [replace(NORTH, people=("T1", "T2"))])
    await import_cells(database, [NORTH])
    assert [one.people for one in await read_grid(database)] == [("T1", "T2")]
    await import_cells(database, [replace(NORTH, people=("T2",))])
    assert [one.people for one in await read_grid(database)] == [("T2",)]


async def test_a_refused_import_names_every_problem_and_changes_nothing(
    database: Database,
) -> None:
    """Of the tree, the map, the people, the registry."""
    await import_cells(database, GRID)
    bad: list[Cell] = [
        cell("X", square(1, 1, 9, 9), "S", 1),
        cell("O", square(30, 0, 31, 1), "nowhere", 1),
        replace(cell("T", square(40, 0, 41, 1)), people=("T9",)),
    ]
    with pytest.raises(ImportRefused) as refused:
        await import_cells(database, bad)
    assert [one.where for one in refused.value.problems] == ["O", "T", "W"]
    with pytest.raises(ImportRefused, match="there is no cell nowhere"):
        await import_terminals(database, rows(a=(1, 1, "nowhere"), b=(1, 1)))
    assert len(await read_grid(database)) == 4
    assert await members(database) == {}


def test_a_foreign_map_goes_in_and_comes_out_at_the_shell(
    database_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Holes, parts and three levels; a dry run first; what is exported imports as no change."""
    monkeypatch.setenv("TELLERGRID_DATABASE_URL", database_url)
    holed = {"type": "Polygon", "coordinates": [ring(0, 0, 9, 9), ring(3, 3, 5, 5)]}
    parts = {
        "type": "MultiPolygon",
        "coordinates": [[ring(10, 0, 12, 2)], [ring(14, 0, 18, 4), ring(15, 1, 16, 2)]],
    }
    text = collection(
        feature(square(0, 0, 20, 10), GRID_ID="D", kind="district"),
        feature(holed, GRID_ID=1, parent="D", area=4.5),
        feature(parts, GRID_ID=2, parent="D"),
        feature(square(1, 1, 2, 2), GRID_ID="1a", parent="1"),
        crs={"type": "name", "properties": {"name": "urn:ogc:def:crs:OGC:1.3:CRS84"}},
    )
    given, exported = tmp_path / "foreign.geojson", tmp_path / "exported.geojson"
    given.write_text(text, encoding="utf-8")
    shell = CliRunner()
    arguments = ["cells", "import", str(given), "--property", "code=GRID_ID"]
    dry = shell.invoke(app, [*arguments, "--dry-run"])
    assert (dry.exit_code, "dry run" in dry.output) == (0, True)
    assert json.loads(shell.invoke(app, ["cells", "export"]).output)["features"] == []
    assert "added: 1, 1a, 2, D" in shell.invoke(app, arguments).output
    out = shell.invoke(app, ["cells", "export"])
    exported.write_text(out.output, encoding="utf-8")
    cells, problems = geojson.read(out.output)
    assert problems == []
    before, _ = geojson.read(text, names={"code": "GRID_ID"})
    assert {one.code: replace(one, people=None) for one in cells} == {
        one.code: one for one in before
    }
    again = shell.invoke(app, ["cells", "import", str(exported), "--complete"])
    assert "4 of the file's cells are as they were" in again.output
    registered = tmp_path / "terminals.csv"
    registered.write_text(HEAD + "A-1,atm,v,m,r,s,30.04,120.04,\n", encoding="utf-8")
    told = shell.invoke(app, ["terminals", "import", str(registered)])
    assert "A-1: nowhere → D (polygon)" in told.output  # it stands in the hole of 1
    registered.write_text(HEAD + "A-1,fridge,v,m,r,s,30.04,120.04,\n", encoding="utf-8")
    assert shell.invoke(app, ["terminals", "import", str(registered)]).exit_code == 1


def test_a_grid_of_hexagons_is_printed_and_imported(
    database_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What `generate` prints, `import` takes."""
    monkeypatch.setenv("TELLERGRID_DATABASE_URL", database_url)
    shell = CliRunner()
    made = shell.invoke(app, ["cells", "generate", "--around", "30.27,120.15", "--rings", "1"])
    file = tmp_path / "grid.geojson"
    file.write_text(made.output, encoding="utf-8")
    taken = shell.invoke(app, ["cells", "import", str(file)])
    assert (taken.exit_code, taken.output.count("added")) == (0, 1)
    assert shell.invoke(app, ["cells", "generate", "--around", "here"]).exit_code == 2


def test_cells_are_split_merged_and_moved_at_the_shell(
    database_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """W in two, one of them under N, and together with E into one; refusals say why."""
    monkeypatch.setenv("TELLERGRID_DATABASE_URL", database_url)

    def shell(*arguments: str, status: int = 0) -> str:
        done = CliRunner().invoke(app, ["cells", *arguments])
        assert done.exit_code == status, done.output
        return done.output

    file = tmp_path / "map.geojson"
    file.write_text(geojson.write(GRID), encoding="utf-8")
    shell("import", str(file))
    halves = [cell("W1", square(0, 0, 5, 10)), cell("W2", square(5, 0, 10, 10))]
    file.write_text(geojson.write(halves), encoding="utf-8")
    assert "dry run" in shell("split", "W", str(file), "--dry-run")
    assert "ended: W" in shell("split", "W", str(file))
    assert "changed: W1" in shell("move", "W1", "--under", "N")
    assert "of another level or parent" in shell("merge", "W1", "W2", "--into", "W", status=1)
    assert "ended: E, W2" in shell("merge", "W2", "E", "--into", "SE", "--name", "South-east")
    assert "There is no cell E" in shell("move", "E", "--under", "N", status=1)
    cells, _ = geojson.read(shell("export"))
    assert {one.code: (one.parent, one.level) for one in cells} == {
        "N": (None, 0),
        "S": (None, 0),
        "SE": ("S", 1),
        "W1": ("N", 1),
    }
    assert next(one for one in cells if one.code == "SE").shape().area == pytest.approx(0.015)


async def test_the_registry_says_skills_and_schedules(database: Database) -> None:
    """Side by side in a cell of the table; a file without the columns leaves them as they are."""
    await database.execute("INSERT INTO service_schedule VALUES ('branch', 'Branches', 'UTC', 'x')")

    async def taken(columns: str, values: str) -> tuple[list[str], list[tuple[object, ...]]]:
        head = HEAD.rstrip() + columns
        terminals, found = registry.read(f"{head}\na,atm,v,m,r,s,30,120,{values}\n")
        changes = await import_terminals(database, terminals, found)
        cursor = await database.execute(
            "SELECT skills, schedule_code FROM terminal LEFT JOIN service_schedule_use AS used"
            " ON used.terminal_id = terminal.id AND used.valid @> now()"
        )
        return [*changes.added, *changes.changed], await cursor.fetchall()

    both = ",skills,schedule"
    assert await taken(both, ",vault;cash,branch") == (["a"], [(["cash", "vault"], "branch")])
    assert await taken("", "") == ([], [(["cash", "vault"], "branch")])
    assert await taken(both, ",cash vault,branch") == ([], [(["cash", "vault"], "branch")])
    assert await taken(",schedule", ",") == (["a"], [(["cash", "vault"], None)])
    assert await taken(",skills", ",") == (["a"], [([], None)])
    with pytest.raises(ImportRefused, match="there is no schedule night"):
        await taken(both, ",cash,night")
