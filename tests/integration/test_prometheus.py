"""What we hand to Prometheus, judged by Prometheus' own tool."""

import json
import subprocess
from pathlib import Path

import pytest
import yaml

from tellergrid.engines.assemble import assemble
from tellergrid.engines.recipe import Recipe
from tests.engines import shared_home
from tests.integration.collector.conftest import CollectorProcess, collector, demo_grid

__all__ = ["collector", "demo_grid"]

DEPLOY = Path(__file__).parents[2] / "deploy"
ALERTS = DEPLOY / "prometheus/alerts.yml"
NONSENSE = b"# TYPE a_milliseconds gauge\na_milliseconds 1\n"
# It is one file that needs no other, so nothing of it is patched.
PROMTOOL = Recipe(packages=("promtool",), executables=(), without=("lib*", "gcc-*"))


@pytest.fixture(scope="session")
def promtool() -> Path:
    """The tool, unpacked like the engines."""
    copy = assemble(PROMTOOL, shared_home().engines, lambda _what, _share: None)
    return copy.root / "usr/bin/promtool"


def judged(promtool: Path, *arguments: str, said: bytes = b"") -> str:
    """What the tool complains of; empty when it finds nothing."""
    done = subprocess.run([promtool, *arguments], input=said, capture_output=True, check=False)
    return (done.stdout + done.stderr).decode() if done.returncode else ""


def test_the_alert_rules_are_valid(promtool: Path) -> None:
    assert judged(promtool, "check", "rules", str(ALERTS)) == ""


def test_every_query_of_the_dashboard_is_valid(promtool: Path, tmp_path: Path) -> None:
    """Each as a rule, with Grafana's interval filled in."""
    panels = json.loads((DEPLOY / "grafana/collector.json").read_text(encoding="utf-8"))["panels"]
    queries = [target["expr"] for panel in panels for target in panel["targets"]]
    rules = [
        {"record": f"query:{n}", "expr": query.replace("$__rate_interval", "5m")}
        for n, query in enumerate(queries)
    ]
    file = tmp_path / "queries.yml"
    file.write_text(yaml.safe_dump({"groups": [{"name": "dashboard", "rules": rules}]}))
    assert judged(promtool, "check", "rules", str(file)) == ""


def test_the_metrics_keep_to_the_conventions(promtool: Path, collector: CollectorProcess) -> None:
    """Names, units, help texts, as a collector at work serves them."""
    page = collector.page("metrics")
    assert judged(promtool, "check", "metrics", said=page) == ""
    assert judged(
        promtool, "check", "metrics", said=b"# TYPE a_milliseconds gauge\na_milliseconds 1\n"
    )


ALARMS = [
    ("TellergridRegionUnserved", "region_serving", "", "0x10", "1x10", 8),
    ("TellergridMessagesMissing", "messages_missing", "", "5x40", "0x40", 38),
    ("TellergridClocksOff", "clocks_off", ',over_s="600"', "2x90", "0x90", 88),
]


@pytest.mark.parametrize(("alert", "metric", "labels", "wrong", "well", "minutes"), ALARMS)
def test_an_alert_rings_when_something_is_wrong_and_not_when_all_is_well(
    promtool: Path,
    tmp_path: Path,
    alert: str,
    metric: str,
    labels: str,
    wrong: str,
    well: str,
    minutes: int,
) -> None:
    """Series made up a minute apart, in Prometheus' own notation: value, times, so many more."""
    series = f'tellergrid_collector_{metric}{{region="r1"{labels}}}'
    assert rings(promtool, tmp_path / "test.yml", alert, {series: wrong}, minutes)
    assert not rings(promtool, tmp_path / "test.yml", alert, {series: well}, minutes)


FAILED, DONE = (
    f'tellergrid_api_jobs_total{{work="keep",outcome="{outcome}"}}'
    for outcome in ("failed", "done")
)
BLIND = 'tellergrid_collector_blind_seconds_total{cause="collector"}'
HELD = 'tellergrid_collector_region_serving{{region="{}",instance="{}"}}'
STORIES = [
    ("a collector comes back and counts that it was away", "Blind", {BLIND: "_x5 300x5"}, 8),
    ("one that counted before comes back", "Blind", {BLIND: "0x20 stale _x4 300x5"}, 30),
    (
        "a collector dies, and the one that lives is not to serve its region",
        "RegionUnserved",
        {
            HELD.format("r1", "a"): "1x5 stale",
            HELD.format("r2", "a"): "0x5 stale",
            HELD.format("r1", "b"): "0x20",
            HELD.format("r2", "b"): "1x20",
        },
        10,
    ),
    ("hourly work fails each hour", "WorkFails", {FAILED: "_x60 1x59 2x59 3x59"}, 200),
    ("work of every minute fails", "WorkFails", {DONE: "0+1x60 60x20", FAILED: "1x60 2+1x20"}, 80),
]  # fmt: skip


@pytest.mark.parametrize(
    ("alert", "series", "minutes"),
    [story[1:] for story in STORIES],
    ids=[one[0] for one in STORIES],
)
def test_an_alert_rings(
    promtool: Path, tmp_path: Path, alert: str, series: dict[str, str], minutes: int
) -> None:
    assert rings(promtool, tmp_path / "test.yml", f"Tellergrid{alert}", series, minutes)


QUIET = [
    ("what a collector counted long ago", "Blind", {BLIND: "300x60"}, 50),
    ("hourly work that failed once", "WorkFails", {DONE: "1x119 2x59", FAILED: "_x60 1x120"}, 170),
    ("work of every minute failed once", "WorkFails", {DONE: "0+1x90", FAILED: "_x60 1x30"}, 70),
]  # fmt: skip


@pytest.mark.parametrize(
    ("alert", "series", "minutes"), [story[1:] for story in QUIET], ids=[one[0] for one in QUIET]
)
def test_an_alert_does_not_ring(
    promtool: Path, tmp_path: Path, alert: str, series: dict[str, str], minutes: int
) -> None:
    assert not rings(promtool, tmp_path / "test.yml", f"Tellergrid{alert}", series, minutes)


def rings(promtool: Path, file: Path, alert: str, series: dict[str, str], minutes: int) -> bool:
    """Whether an alert rings after so many minutes: the tool is told that it does not."""
    test = {
        "interval": "1m",
        "input_series": [{"series": name, "values": values} for name, values in series.items()],
        "alert_rule_test": [{"eval_time": f"{minutes}m", "alertname": alert, "exp_alerts": []}],
    }
    file.write_text(yaml.safe_dump({"rule_files": [str(ALERTS)], "tests": [test]}))
    complaint = judged(promtool, "test", "rules", str(file))
    assert not complaint or f"alertname: {alert}" in complaint
    return bool(complaint)
