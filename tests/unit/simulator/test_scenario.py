"""Scenarios: read with complaints, told the same way twice."""

import re
from itertools import islice
from pathlib import Path

import pytest

from fleet import demo
from simulator import scenario
from simulator.errors import ScenarioError
from simulator.scenario import Story

START = 1000.0
GRID = demo.grid(1, 60, 6)


def story(name: str, rate: float = 1.0, seed: int = 1) -> Story:
    return Story(scenario.load(name), GRID.terminals, seed, START, rate)


def befallen(told: Story, turn: int) -> set[str]:
    return {
        terminal.code
        for terminal in GRID.terminals
        if next(islice(told.turns(terminal.code), turn, None)).values
    }


@pytest.mark.parametrize("name", scenario.names())
def test_every_scenario_that_comes_with_us_can_be_told(name: str) -> None:
    """Read, checked against the vocabulary, and begun."""
    loaded = scenario.load(name)
    assert loaded.name == name
    for terminal in GRID.terminals:
        list(islice(story(name).turns(terminal.code), 3))


def test_the_scenario_in_the_documentation_can_be_told() -> None:
    """A reader begins from what stands there."""
    page = Path(__file__).parents[3] / "docs" / "how-to" / "simulate-a-fleet.md"
    [text] = re.findall(r"```yaml\n(.*?)```", page.read_text(encoding="utf-8"), re.DOTALL)
    loaded = scenario.parse(text.encode(), "the page")
    told = Story(loaded, GRID.terminals, 1, START)
    assert befallen(told, 0) <= {each.code for each in GRID.terminals if each.kind == "kiosk"}


def test_a_cell_outage_takes_two_fifths_of_one_cell_and_another_cell_next() -> None:
    """Four of ten, in one cell, for three minutes; ten minutes later elsewhere."""
    told = story("cell-outage")
    cells = []
    for turn in range(6):
        codes = befallen(told, turn)
        assert len(codes) == 4
        cells.append({terminal.cell for terminal in GRID.terminals if terminal.code in codes})
    assert all(len(cell) == 1 for cell in cells)
    assert len(set.union(*cells)) > 1
    first = next(told.turns("ATM-0001"))
    assert (first.begins_at, first.ends_at) == (START + 60, START + 240)


def test_flapping_readers_are_always_the_same() -> None:
    """Else nothing flaps."""
    told = story("flapping-reader")
    assert len(befallen(told, 0)) == 3
    assert befallen(told, 0) == befallen(told, 1) == befallen(told, 7)


def test_who_is_picked_follows_from_the_seed() -> None:
    """And from nothing else."""
    assert befallen(story("cell-outage"), 3) == befallen(story("cell-outage"), 3)
    picks = {frozenset(befallen(story("cell-outage", seed=seed), 0)) for seed in range(5)}
    assert len(picks) > 1


def test_the_rate_shortens_the_story() -> None:
    """At sixty, its minutes are seconds."""
    first, second = islice(story("cell-outage", rate=60).turns("ATM-0001"), 2)
    assert (first.begins_at, first.ends_at) == (START + 1, START + 4)
    assert second.begins_at == START + 11


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("name: x", "about"),
        ("{name: x, about: y, behaviour: {customer_per_day: 1}}", "customer_per_day"),
        ("{name: x, about: y, storry: []}", "storry"),
        (
            "{name: x, about: y, story: [{set: {cardReader.medya: jammed}, for: 1m}]}",
            "did you mean",
        ),
        ("{name: x, about: y, story: [{set: {offline: true}, for: soon}]}", "10s"),
        ("{name: x, about: y, story: [{set: {offline: true}, for: 1m, every: 0s}]}", "every"),
        (
            "{name: x, about: y, story: [{set: {offline: true}, for: 1m, where: {share: 2}}]}",
            "share",
        ),
    ],
)
def test_a_scenario_with_a_mistake_is_refused_naming_it(text: str, says: str) -> None:
    """Before a fleet is started on it."""
    with pytest.raises(ScenarioError, match="scenario mine") as caught:
        scenario.parse(text.encode(), "mine")
    assert says in str(caught.value)


def test_a_name_nobody_knows_lists_those_there_are() -> None:
    """And a file that is not there is named."""
    with pytest.raises(ScenarioError, match="cell-outage"):
        scenario.load("cell-outrage")
    with pytest.raises(ScenarioError, match=r"mine\.yaml"):
        scenario.load("mine.yaml")
