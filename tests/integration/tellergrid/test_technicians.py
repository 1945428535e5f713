"""`tellergrid technicians`: the roster from a file, and absences, on a real database."""

import asyncio
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from api.seed import seed
from fleet.db.pool import connect
from tellergrid.cli import app
from tests.integration.api.world import GRID

FILE = """\
code,name,skills,cells,lines,home_latitude,home_longitude,zone,shifts,most_visits
T01,Technician 01,cash card,C001 C002,2,30.25,120.16,Asia/Shanghai,Mon-Fri 22:00-06:00,6
T09,Technician 09,card,D01,1,,,,,
"""


@pytest.fixture
def url(database_url: str, monkeypatch: pytest.MonkeyPatch) -> str:
    """A database with the small grid, which the command line is pointed at."""

    async def prepare() -> None:
        async with await connect(database_url, name="test", autocommit=True) as one:
            await seed(one, GRID, [])

    asyncio.run(prepare())
    monkeypatch.setenv("TELLERGRID_DATABASE_URL", database_url)
    return database_url


def rows(url: str, query: str) -> list[tuple[Any, ...]]:
    async def read() -> list[tuple[Any, ...]]:
        async with await connect(url, name="test", autocommit=True) as one:
            return await (await one.execute(query)).fetchall()

    return asyncio.run(read())


def command(*words: str) -> Result:
    return CliRunner().invoke(app, ["technicians", *words])


def test_a_roster_is_imported_whole_and_only_what_differs(url: str, tmp_path: Path) -> None:
    """Skills, cells, line, home, shifts and load; tried first, done once, then as it was."""
    file = tmp_path / "roster.csv"
    file.write_text(FILE, encoding="utf-8")
    tried = command("import", str(file), "--dry-run")
    assert (tried.exit_code, "added: T09" in tried.stdout) == (0, True)
    assert len(rows(url, "SELECT FROM technician")) == 3
    done = command("import", str(file))
    assert "changed: T01" in done.stdout
    assert rows(
        url, "SELECT lines, home_latitude, most_visits FROM technician WHERE code = 'T01'"
    ) == [([2], 30.25, 6)]
    assert rows(url, "SELECT count(*), min(weekday), max(weekday) FROM technician_shift") == [
        (10, 1, 6)
    ]
    cells = "SELECT code, cell_code FROM technician_cell JOIN technician ON id = technician_id"
    assert rows(url, f"{cells} WHERE code IN ('T01', 'T09') ORDER BY 1, 2") == [
        *(("T01", "C001"), ("T01", "C002"), ("T09", "D01")),
    ]
    assert "2 of the file's technicians are as they were" in command("import", str(file)).stdout


def test_a_wrong_file_changes_nothing_and_says_all(url: str, tmp_path: Path) -> None:
    """A cell that is not there and a skill that is none: both are named, with where."""
    file = tmp_path / "roster.csv"
    file.write_text("code,name,skills,cells\nT8,x,card,C404\nT9,y,magic,C001\n", encoding="utf-8")
    refused = command("import", str(file))
    assert refused.exit_code == 1
    assert "T8: there is no cell C404" in refused.output
    assert "T9: neither a rule nor a terminal takes the skill magic" in refused.output
    assert len(rows(url, "SELECT FROM technician")) == 3


def test_an_absence_is_put_down(url: str) -> None:
    """Of somebody who is there, and ends after it begins; else the command says what is wrong."""
    times = ["--from", "2026-12-01T00:00:00+0800", "--to", "2026-12-03T00:00:00+0800"]
    assert command("absent", "T01", *times, "--reason", "leave").exit_code == 0
    assert rows(url, "SELECT reason, ends_at - begins_at > '1 day' FROM technician_absence") == [
        ("leave", True)
    ]
    assert command("absent", "T99", *times, "--reason", "leave").exit_code == 1
    backwards = [times[0], times[3], times[2], times[1]]
    assert command("absent", "T01", *backwards, "--reason", "leave").exit_code == 2
