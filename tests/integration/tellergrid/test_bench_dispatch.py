"""The benchmark of dispatch: that it measures what it says."""

import json

from typer.testing import CliRunner

from tellergrid.cli import app


def test_every_figure_is_measured() -> None:
    """Nearly all tickets are given to somebody, and the day is planned whole."""
    shown = CliRunner().invoke(app, ["bench", "dispatch", "--json"])
    assert shown.exit_code == 0, shown.output
    report = json.loads(shown.stdout)
    assert report["assign_s"] > 0
    assert report["day_plan_s"] > 0
    assert 1_400 < report["assigned"] <= 1_500
    assert report["planned"] == 30
