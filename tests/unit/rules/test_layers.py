"""A catalogue in layers: files included for some terminals, rules that differ elsewhere."""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from textwrap import dedent

import msgspec
import pytest

from fleet.rules.catalogue import Catalogue, load
from fleet.rules.changes import Change, Cleared, Fired
from fleet.rules.engine import Engine
from fleet.rules.errors import CatalogueError, Problem
from fleet.rules.replay import lead
from fleet.rules.severity import Severity
from fleet.rules.terminal import Terminal
from fleet.telemetry import Telemetry

T0 = datetime(2026, 11, 23, 8, 0, tzinfo=UTC)
HOT = """
version: "1"
rules:
  - name: hot
    title: Too hot
    when: metrics.temperature_c > 60.0
    for: 10s
    severity: major
    component: terminal
    skill: electronics
    line: 2
    remedy: Clean the fan.
"""
MANY = """
version: "1"
rules:
  - name: many-hot
    title: A hot day
    scope: cell
    members: [hot]
    at_least: 1
    share: 0.1
    severity: major
    component: terminal
    skill: electronics
    line: 2
    remedy: Wait for the evening.
"""


def written(folder: Path, **files: str) -> Path:
    for name, text in files.items():
        path = folder / f"{name.replace('__', '/')}.yaml"
        path.parent.mkdir(exist_ok=True)
        path.write_text(dedent(text).lstrip())
    return folder


def problems(folder: Path) -> tuple[Problem, ...]:
    with pytest.raises(CatalogueError) as caught:
        load(folder)
    return caught.value.problems


def only_problem(folder: Path) -> Problem:
    [problem] = problems(folder)
    return problem


def terminal(code: str = "ATM-1", cell: str = "C1", **who: str) -> Terminal:
    return Terminal(int(code[-1]), code, "atm", cell, above=("D1",), **who)  # type: ignore[arg-type]


def said(catalogue: Catalogue, who: Terminal) -> dict[str, str]:
    """Each rule of a terminal with its hold and severity, in a word."""
    rules = catalogue.selection().plan(who).rules
    return {name: f"{rule.hold.seconds}s {rule.severity}" for name, rule in rules.items()}


def test_an_included_file_holds_for_the_vendors_it_is_included_for(tmp_path: Path) -> None:
    """The bank's own file names one of the vendor's; no other terminal is judged by it."""
    folder = written(
        tmp_path,
        bank="version: '7'\ninclude:\n  - {from: vendors/acme.yaml, vendors: [acme]}\n",
        vendors__acme=HOT,
    )
    catalogue = load(folder)
    assert catalogue.version == "7"
    assert said(catalogue, terminal(vendor="acme")) == {"hot": "10s major"}
    assert said(catalogue, terminal(vendor="other")) == {}


def test_the_delivered_catalogue_can_be_built_on(tmp_path: Path) -> None:
    """A bank takes it whole and changes what is different in one region."""
    bank = """
        version: "bank-1"
        include: [default]
        overrides:
          - rules: [over-temperature]
            regions: [desert]
            set: {when: metrics.temperature_c > 70.0, for: 10m}
        """
    catalogue = load(written(tmp_path, bank=bank))
    selection = catalogue.selection()
    assert [rule.name for rule in catalogue.rules] == [rule.name for rule in load().rules]
    there = selection.plan(terminal(region="desert")).rules["over-temperature"]
    here = selection.plan(terminal(region="coast")).rules["over-temperature"]
    assert (there.hold, here.hold) == (timedelta(minutes=10), timedelta(minutes=5))
    assert there.trigger.condition.text == "metrics.temperature_c > 70.0"  # type: ignore[union-attr]
    assert there.trigger.clear_when is here.trigger.clear_when  # type: ignore[union-attr]


def test_the_later_override_wins_field_by_field_even_where_it_says_what_the_rule_said(
    tmp_path: Path,
) -> None:
    """A district is slower and milder; one cell of it is as quick as everywhere, but mild."""
    over = """
        version: "1"
        overrides:
          - {rules: [hot], cells: [D1], set: {for: 30s, severity: minor}}
          - {rules: [hot], cells: [C2], set: {for: 10s}}
        """
    catalogue = load(written(tmp_path, a=HOT, b=over))
    assert said(catalogue, terminal(cell="C1")) == {"hot": "30s minor"}
    assert said(catalogue, terminal(cell="C2")) == {"hot": "10s minor"}
    elsewhere = Terminal(3, "ATM-3", "atm", "C1", above=("D2",))
    assert said(catalogue, elsewhere) == {"hot": "10s major"}


def test_a_group_is_told_by_codes_and_models(tmp_path: Path) -> None:
    """Outdoor terminals are those of one model, and two that were converted."""
    over = """
        version: "1"
        groups:
          - {name: outdoor, models: [X-9]}
          - {name: converted, terminals: ["ATM-1*"]}
        overrides:
          - {rules: [hot], groups: [outdoor, converted], set: {severity: minor}}
        """
    catalogue = load(written(tmp_path, a=HOT, b=over))
    assert said(catalogue, terminal("ATM-12")) == {"hot": "10s minor"}
    assert said(catalogue, terminal("ATM-2", model="X-9")) == {"hot": "10s minor"}
    assert said(catalogue, terminal("ATM-2", model="X-8")) == {"hot": "10s major"}


def test_a_rule_can_be_enabled_for_some_and_disabled_for_others(tmp_path: Path) -> None:
    """A pilot in one region; and a rule that one cell cannot bear."""
    off = HOT.replace("for: 10s", "for: 10s\n    enabled: false").replace("name: hot", "name: new")
    over = """
        version: "1"
        overrides:
          - {rules: [new], regions: [north], set: {enabled: true}}
          - {rules: [hot], cells: [C2], set: {enabled: false}}
        """
    catalogue = load(written(tmp_path, a=HOT, b=off, c=over))
    assert said(catalogue, terminal()) == {"hot": "10s major"}
    assert list(said(catalogue, terminal(region="north"))) == ["hot", "new"]
    assert said(catalogue, terminal(cell="C2")) == {}


def test_terminals_alike_share_one_plan(tmp_path: Path) -> None:
    """Plans cost memory: a fleet has as many as there are differences."""
    over = 'version: "1"\noverrides: [{rules: [hot], cells: [C2], set: {for: 5s}}]\n'
    selection = load(written(tmp_path, a=HOT, b=over)).selection()
    first, second, other = (
        selection.plan(terminal(f"ATM-{n}", cell)) for n, cell in ((1, "C1"), (2, "C1"), (3, "C2"))
    )
    assert first is second
    assert first is not other


def test_an_override_is_part_of_the_digest(tmp_path: Path) -> None:
    """A fault's catalogue must tell what was in force, wherever it was said."""
    over = 'version: "1"\noverrides: [{rules: [hot], cells: [C2], set: {for: %s}}]\n'
    digests = set()
    for hold in ("5s", "6s"):
        digests.add(load(written(tmp_path, a=HOT, b=over % hold)).digest)
    digests.add(load(written(tmp_path, b='version: "1"\nrules: []\n')).digest)
    assert len(digests) == 3


@pytest.mark.parametrize(
    ("text", "line", "column", "message", "suggestion"),
    [
        (
            "overrides:\n  - {rules: [hott], cells: [C1], set: {for: 5s}}",
            *(3, 14, "rules cannot name hott", "did you mean hot?"),
        ),
        (
            "overrides:\n  - {rules: [hot], cells: [C1], set: {when: metrics.temperatur_c > 70.0}}",
            *(3, 45, "metrics.temperatur_c is not a property of the contract"),
            "did you mean metrics.temperature_c?",
        ),
        (
            "overrides:\n  - {rules: [hot], cells: [C1], set: {name: cold}}",
            *(3, 39, "unknown field name", None),
        ),
        (
            "overrides:\n  - {rules: [hot], set: {for: 5s}}",
            *(3, 5, "an override says where it holds; edit the rule to change it everywhere", None),
        ),
        (
            (
                "groups: [{name: outdoor, models: [X-9]}]\noverrides:\n"
                "  - {rules: [hot], groups: [outdor], set: {for: 5s}}"
            ),
            *(4, 29, "groups cannot name outdor", "did you mean outdoor?"),
        ),
        (
            "overrides:\n  - {rules: [hot], cells: [C1], set: {silent_for: 5s}}",
            *(
                3,
                38,
                "a rule has one of when, silent_for, ",
            ),
            None,
        ),
        ("include: [vendors/acme.yaml]", 2, 11, "there is no file vendors/acme.yaml", None),
        ("include: [a.yaml]", 2, 11, "a.yaml is part of the catalogue already", None),
    ],
)
def test_what_is_wrong_with_a_layer_is_said_where_it_stands(
    tmp_path: Path, text: str, line: int, column: int, message: str, suggestion: str | None
) -> None:
    """The rule is in one file, the mistake in another: the place is that of the mistake."""
    problem = only_problem(written(tmp_path, a=HOT, b=f'version: "1"\n{text}\n'))
    assert (Path(problem.file).name, problem.line, problem.column) == ("b.yaml", line, column)
    assert problem.message.startswith(message)
    assert suggestion is None or problem.suggestion == suggestion


def test_a_rule_about_cells_is_overridden_by_cells_alone(tmp_path: Path) -> None:
    """A cell has no vendor."""
    over = 'version: "1"\noverrides: [{rules: [many-hot], vendors: [a], set: {for: 5s}}]\n'
    problem = only_problem(written(tmp_path, a=HOT, b=MANY, c=over))
    assert problem.message == "many-hot is about cells: it goes with cells alone"
    over = 'version: "1"\noverrides: [{rules: [many-hot], cells: [D1], set: {at_least: 2}}]\n'
    catalogue = load(written(tmp_path, a=HOT, b=MANY, c=over))
    rule, selection = catalogue.rules[1], catalogue.selection()
    assert selection.of_cell(rule, "C1", ("D1",)).trigger.at_least == 2  # type: ignore[union-attr]
    assert selection.of_cell(rule, "C1", ("D2",)) is rule


class Hot:
    """One terminal at 65 degrees, in a catalogue where cell C2 bears 70."""

    def __init__(self, folder: Path) -> None:
        over = 'version: "1"\noverrides: [{rules: [hot], cells: [C2], set: {when: %s}}]\n'
        self.catalogue = load(written(folder, a=HOT, b=over % "metrics.temperature_c > 70.0"))
        self.engine = Engine(self.catalogue.selection())
        self.engine.watch(T0)
        self.terminal = terminal(cell="C2")
        self.engine.adopt(self.terminal)
        body = Telemetry(T0, 1, 1, status=msgspec.Raw(b"{}"), metrics=msgspec.Raw(HEAT))
        self.engine.telemetry(self.terminal, body, T0)

    def after(self, seconds: float) -> list[Change]:
        self.engine.tick(T0 + timedelta(seconds=seconds))
        changes = self.engine.take().changes
        return [each for each in changes if isinstance(each, Fired | Cleared)]


HEAT = b'{"temperature_c": 65}'


def test_a_terminal_that_moves_is_judged_by_what_holds_in_its_new_cell(tmp_path: Path) -> None:
    """Nothing new is heard of it: what was fine in the old cell is a fault in the new one, and
    over when it moves back."""
    hot = Hot(tmp_path)
    assert hot.after(60) == []
    hot.engine.move(hot.terminal, "C1", T0 + timedelta(seconds=60), ("D1",))
    assert hot.after(69) == []
    (fired,) = hot.after(71)
    assert isinstance(fired, Fired)
    assert fired.fired_at == T0 + timedelta(seconds=70)
    assert fired.rule.severity is Severity.MAJOR
    hot.engine.move(hot.terminal, "C2", T0 + timedelta(seconds=80), ("D1",))
    (cleared,) = hot.after(81)
    assert isinstance(cleared, Cleared)


def test_a_replay_begins_as_long_before_as_an_override_holds(tmp_path: Path) -> None:
    """It began by the rules as they are without: a hold of thirty days was never seen whole, so a
    backtest removed its faults and cutting anew took them out of the intervals. Two overrides that
    meet may each set a part."""
    long = """
    version: "2"
    include: [default]
    overrides:
      - {rules: [over-temperature], regions: [north], set: {for: 30d}}
      - {rules: [over-temperature], vendors: [acme], set: {clear_for: 20d}}
    """
    catalogue = load(written(tmp_path, bank=long))
    assert lead(catalogue.variants()) > timedelta(days=50)
    assert lead(load().variants()) == lead(load().rules) < timedelta(days=5)
