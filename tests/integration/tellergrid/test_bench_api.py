"""The benchmark of the api, so small that it only shows that it measures."""

import json

import pytest
from typer.testing import CliRunner

from tellergrid.bench import load
from tellergrid.cli import app
from tests.machine import PATIENCE_S


def test_every_route_is_asked_and_answers(
    database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of 2,000 terminals and 200 tickets, for two seconds: every answer is good, and counted.

    So few are asked for that no machine is too slow for them; how fast it is, is not the test's.
    """
    monkeypatch.setenv("TELLERGRID_DATABASE_URL", database_url)
    monkeypatch.setattr(load, "_PATIENCE_S", PATIENCE_S)
    asked = ["bench", "api", "--terminals", "2000", "--tickets", "200"]
    asked += ["--rate", "9", "--seconds", "2", "--json"]
    shown = CliRunner().invoke(app, asked)
    assert shown.exit_code == 0, shown.output
    report = json.loads(shown.stdout)
    assert report.keys() == {"p99_ms", "requests_per_s", "errors"}
    assert report["p99_ms"].keys() == {"technician_list", "terminal", "cell_uptime"}
    assert all(p99_ms > 0 for p99_ms in report["p99_ms"].values())
    assert report["errors"] == 0
    assert report["requests_per_s"] > 0
