"""What `tellergrid recut` says where there is nothing to cut."""

import asyncio

import pytest
from typer.testing import CliRunner

from api.seed import seed
from fleet.db.pool import connect
from fleet.demo import grid
from tellergrid.cli import app

GRID = grid(seed=1, terminals=1, cells=1)


@pytest.mark.parametrize(
    ("terminal", "why"),
    [
        ("ATM-O001", "there is no terminal ATM-O001"),
        (GRID.terminals[0].code, f"nothing was ever heard of {GRID.terminals[0].code}"),
    ],
)
async def test_a_terminal_of_which_there_is_nothing_is_told_from_one_that_is_not_there(
    terminal: str, why: str, database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whoever mistyped a name was told to look further back."""
    monkeypatch.setenv("TELLERGRID_DATABASE_URL", database_url)
    async with await connect(database_url, name="test") as one:
        await seed(one, GRID, [])
    shown = await asyncio.to_thread(CliRunner().invoke, app, ["recut", terminal])
    assert (shown.exit_code, shown.output) == (1, f"error: {why}\n")
