"""A catalogue made again from what is kept of it says what it said."""

from pathlib import Path

import msgspec
import pytest

from fleet.rules.catalogue import Catalogue, load
from fleet.rules.recalled import recall
from fleet.rules.terminal import Terminal
from tests.unit.rules.test_layers import HOT, written

OVER = """
version: "1"
groups:
  - {name: outdoor, models: [X-9]}
overrides:
  - {rules: [hot], groups: [outdoor], kinds: [atm], set: {for: 30s, enabled: true}}
"""


def kept(catalogue: Catalogue) -> Catalogue:
    """Through JSON, as the database keeps it."""
    content = msgspec.json.decode(msgspec.json.encode(catalogue.content()))
    return recall(content, catalogue.identity)


def test_the_delivered_catalogue_comes_back_rule_by_rule() -> None:
    """Nothing that a rule says is lost on the way."""
    catalogue = load()
    again = kept(catalogue)
    assert again.content() == catalogue.content()
    assert again.version == catalogue.version


def test_overrides_come_back_and_hold_for_whom_they_held(tmp_path: Path) -> None:
    """An outdoor terminal has its longer hold, another one has not."""
    catalogue = load(written(tmp_path, a=HOT, b=OVER))
    again = kept(catalogue)
    assert again.content() == catalogue.content()
    selection = again.selection()
    holds = [
        selection.plan(Terminal(1, "ATM-1", "atm", "C1", model=model)).rules["hot"].hold.seconds
        for model in ("X-9", "X-8")
    ]
    assert holds == [30, 10]


def test_a_rule_that_cannot_be_read_any_more_is_an_error() -> None:
    """A release renamed a property: the explanation must not be of another rule."""
    content = {"rules": [{"name": "old", "when": "gone.media == 'x'"}], "overrides": []}
    with pytest.raises(ValueError, match=r"gone\.media is not a property"):
        recall(content, "1+abc")


STAGED = """
version: "1"
rules:
  - {name: low, title: Low, each: storage, when: unit.count < 100, severity: minor,
     component: storage, skill: cash, line: 1, remedy: Fill., schedule: closed_hours,
     escalate: [{to: major, when: unit.count < 10}, {to: critical, after: 2h}]}
  - {name: rise, title: Rise, rate: {of: metrics.temperature_c, rises: 5}, within: 10m,
     severity: minor, component: terminal, skill: electronics, line: 2, remedy: Look.}
"""


def test_stages_rates_and_hours_come_back(tmp_path: Path) -> None:
    """Also where little of them is said."""
    (tmp_path / "rules.yaml").write_text(STAGED)
    catalogue = load(tmp_path)
    again = kept(catalogue)
    assert again.content() == catalogue.content()
    assert [len(rule.stages) for rule in again.rules] == [2, 0]
