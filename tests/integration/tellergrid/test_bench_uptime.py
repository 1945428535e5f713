"""The benchmark of uptime, on a fleet so small that it only shows that it measures."""

import json

import pytest
from typer.testing import CliRunner

from tellergrid.cli import app


def test_every_figure_is_measured(database_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of 12 terminals, for a month."""
    monkeypatch.setenv("TELLERGRID_DATABASE_URL", database_url)
    asked = ["bench", "uptime", "--terminals", "12", "--cells", "3", "--json"]
    shown = CliRunner().invoke(app, asked)
    assert shown.exit_code == 0, shown.output
    report = json.loads(shown.stdout)
    assert report.keys() == {
        *("cell_30d_ms", "all_cells_30d_s", "fleet_year_s", "import_s", "bytes"),
        "naive_cell_30d_ms",
    }
    assert all(value > 0 for value in report.values())
    assert f"12 terminals, 3 cells, 30 days: {12 * 30 * 2} intervals" in shown.stderr
