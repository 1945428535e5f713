"""What a command calls now is now where times are kept, whatever the shell's machine thinks."""

import json
from datetime import UTC, datetime, timedelta, tzinfo
from pathlib import Path
from typing import Any, Self

import pytest
from typer.testing import CliRunner

from api.seed import seed
from fleet.db.clock import earlier
from fleet.db.pool import connect
from fleet.demo import grid
from tellergrid.cli import app

GRID = grid(seed=1, terminals=1, cells=1)
HOUR = timedelta(hours=1)


class Ahead(datetime):
    """A clock that is ahead by a day."""

    @classmethod
    def now(cls, tz: tzinfo | None = None) -> Self:
        """Tomorrow."""
        return super().now(tz) + timedelta(days=1)


@pytest.fixture
def shell(database_url: str, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Commands on such a machine."""
    monkeypatch.setenv("TELLERGRID_DATABASE_URL", database_url)
    for command in ("uptime", "backtest", "recut", "explain", "shadow"):
        monkeypatch.setattr(f"tellergrid.commands.{command}.datetime", Ahead, raising=False)

    def run(*arguments: str) -> Any:
        done = CliRunner().invoke(app, [*arguments, "--json"])
        assert done.exit_code in (0, 1), done.output
        return json.loads(done.stdout)

    return run


@pytest.fixture
async def seeded(database_url: str) -> None:
    """One terminal, in service for two hours and until it is told otherwise."""
    async with await connect(database_url, name="test", autocommit=True) as one:
        await seed(one, GRID, [])
        await one.execute("UPDATE terminal SET commissioned_at = now() - interval '2 hours'")
        await one.execute(
            "UPDATE terminal_cell SET valid = tstzrange(now() - interval '2 hours', NULL)"
        )
        await one.execute(
            "INSERT INTO service_interval SELECT id, 'in_service',"
            " tstzrange(now() - interval '2 hours', NULL), '{}' FROM terminal"
        )


@pytest.mark.usefixtures("seeded")
def test_uptime_does_not_count_what_is_to_come(shell: Any) -> None:
    """Two hours of a terminal that goes on, not two and a day."""
    [whole] = shell("uptime", GRID.cells[0].code, "--last", "2d")["whole"]
    assert whole["up_us"] < 3 * HOUR / timedelta(microseconds=1)


@pytest.mark.usefixtures("seeded")
def test_a_backtest_ends_now_at_the_latest(shell: Any, tmp_path: Path) -> None:
    """In what is to come every terminal would be silent."""
    (tmp_path / "rules.yaml").write_text('version: "2"\ninclude: [default]\n')
    far = f"{datetime.now(UTC) + timedelta(days=9):%Y-%m-%d}"
    for until in ((), ("--until", far)):
        said = shell("rules", "backtest", str(tmp_path), "--since", "1h", *until)
        assert datetime.fromisoformat(said["until"]) <= datetime.now(UTC)


@pytest.mark.usefixtures("seeded")
@pytest.mark.parametrize("command", [("rules", "shadow"), ("recut", GRID.terminals[0].code)])
def test_a_time_longer_than_the_calendar_is_all_there_is(
    shell: Any, command: tuple[str, ...]
) -> None:
    """It was a traceback."""
    assert shell(*command, "--since", "999999d") == []


def test_nothing_is_earlier_than_1970() -> None:
    """Of that time nothing is stored."""
    at = datetime(2026, 11, 30, tzinfo=UTC)
    assert earlier(at, HOUR) == at - HOUR
    assert earlier(at, timedelta(days=999_999)) == datetime(1970, 1, 1, tzinfo=UTC)
