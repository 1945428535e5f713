"""The dashboard and the alerts ask for metrics that exist, and the dashboard shows every one."""

import json
import re
from pathlib import Path

import pytest
import yaml
from prometheus_client import REGISTRY
from prometheus_client.parser import text_string_to_metric_families

from api.metrics import Metrics
from collector import metrics

DEPLOY = Path(__file__).parents[3] / "deploy"
ALERTS = DEPLOY / "prometheus" / "alerts.yml"
DASHBOARD = DEPLOY / "grafana" / "collector.json"
_NAME = re.compile(r"tellergrid_\w+")
_LABEL = re.compile(r"\bby \(([^)]*)\)|\{\{ ?(?:\$labels\.)?(\w+) ?\}\}")


def exported() -> dict[str, str]:
    """Every name a query may use, with the name it is known by."""
    found: dict[str, str] = {}
    for metric in REGISTRY.collect():
        suffixes = {
            "counter": ["_total"],
            "histogram": ["_bucket", "_sum", "_count"],
        }.get(metric.type, [""])
        found |= {metric.name + suffix: metric.name for suffix in suffixes}
    return {name: known for name, known in found.items() if name.startswith("tellergrid_collector")}


def queries(file: Path) -> list[str]:
    """The expressions in a file."""
    if file == DASHBOARD:
        panels = json.loads(file.read_text(encoding="utf-8"))["panels"]
        return [target["expr"] for panel in panels for target in panel["targets"]]
    groups = yaml.safe_load(file.read_text(encoding="utf-8"))["groups"]
    return [rule["expr"] for group in groups for rule in group["rules"]]


def of_the_api() -> set[str]:
    """The names of its counters."""
    said = text_string_to_metric_families(Metrics().exposition().decode())
    return {family.name + "_total" for family in said if family.type == "counter"}


@pytest.mark.parametrize("file", [ALERTS, DASHBOARD], ids=lambda file: file.name)
def test_every_metric_asked_for_exists(file: Path) -> None:
    asked = {name for query in queries(file) for name in _NAME.findall(query)}
    assert asked
    assert asked - exported().keys() - of_the_api() == set()


@pytest.mark.parametrize("file", [ALERTS, DASHBOARD], ids=lambda file: file.name)
def test_every_label_grouped_by_exists(file: Path) -> None:
    said = {
        "le",
        "region",
        "channel",
        "reason",
        "what",
        "change",
        "how",
        "catalogue",
        "outcome",
    } | {"cause"}
    said |= {"catalogue", "outcome", "rule", "over_s", "work"}
    for query in queries(file):
        for names, _ in _LABEL.findall(query):
            assert {name.strip() for name in names.split(",")} - {""} <= said


def test_the_dashboard_shows_every_metric_but_the_vendors_words() -> None:
    """A metric that nobody shows is one that nobody looks at."""
    shown = {exported()[n] for query in queries(DASHBOARD) for n in _NAME.findall(query)}
    words = "tellergrid_collector_vocabulary_unknown"
    assert [each.name for each in metrics.unknown.describe()] == [words]
    assert set(exported().values()) - shown == {words}


def test_every_alert_says_what_to_do() -> None:
    for group in yaml.safe_load(ALERTS.read_text(encoding="utf-8"))["groups"]:
        for rule in group["rules"]:
            assert rule["annotations"].keys() == {"summary", "description"}
            assert rule["labels"]["severity"] in {"critical", "warning"}
