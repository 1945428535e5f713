"""Tests of rules: the notation, what a failure says, and the default catalogue's own tests."""

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from fleet.rules.catalogue import load
from fleet.rules.errors import CatalogueError
from fleet.rules.files import DEFAULT
from fleet.rules.trials import reading
from fleet.rules.trials.coverage import lacking
from fleet.rules.trials.story import Trial
from fleet.rules.trials.verdict import judge
from tellergrid.cli import app

RULES = load().rules
NAMES = [rule.name for rule in RULES]
DELIVERED = reading.load([DEFAULT / "tests"], NAMES)

JAM = """\
tests:
  - name: jam
    rule: card-reader-jammed
    interval: 5s
    series:
      cardReader.media: notPresent*2 jammed*4 notPresent*4
    faults: [{start: 10s, fire: 20s, clear: 30s}]
    states: {0s: in_service, 10s: out_of_service, 30s: in_service}
"""


def told(folder: Path, text: str) -> tuple[Trial, ...]:
    (folder / "t.yaml").write_text(text)
    return reading.load([folder / "t.yaml"], NAMES)


def differences(folder: Path, text: str) -> tuple[str, ...]:
    (trial,) = told(folder, text)
    return judge(trial, RULES).differences


@pytest.mark.parametrize("trial", DELIVERED, ids=lambda trial: f"{trial.rule}: {trial.name}")
def test_the_default_catalogue_holds_what_its_tests_say(trial: Trial) -> None:
    """Each file beside the rules, test by test."""
    assert judge(trial, RULES).differences == ()


def test_no_rule_of_the_default_catalogue_is_without_a_firing_and_a_quiet_test() -> None:
    """A rule nobody has seen firing, or keeping quiet, is not delivered."""
    assert [f"{rule} has no {what} test" for rule, what in lacking(RULES, DELIVERED)] == []


def test_a_quiet_test_that_does_not_touch_the_rule_does_not_count(tmp_path: Path) -> None:
    """Nothing is said of the card reader: that its rule keeps quiet proves nothing."""
    rules = [rule for rule in RULES if rule.name == "card-reader-jammed"]
    quiet = JAM.replace("jammed*4", "present*4").partition("    faults")[0]
    aside = quiet.replace("cardReader.media: notPresent*2 present*4", "printer.media: present")
    assert list(lacking(rules, told(tmp_path, aside.replace("notPresent*4", "")))) == [
        ("card-reader-jammed", "firing"),
        ("card-reader-jammed", "non-firing"),
    ]
    assert list(lacking(rules, told(tmp_path, quiet))) == [("card-reader-jammed", "firing")]


def test_a_wrong_expectation_is_shown_beside_what_came(tmp_path: Path) -> None:
    """The fault that came, the one that was expected; the states likewise."""
    assert differences(tmp_path, JAM) == ()
    assert differences(tmp_path, JAM.replace("clear: 30s", "clear: 35s")) == (
        "expected  card-reader-jammed on ATM-1: starts 10s, fires 20s, clears 35s",
        "but came  card-reader-jammed on ATM-1: starts 10s, fires 20s, clears 30s",
    )
    assert differences(tmp_path, JAM.replace("jammed*4", "present*4").partition("    st")[0]) == (
        "expected  card-reader-jammed on ATM-1: starts 10s, fires 20s, clears 30s",
        "but came  none",
    )
    assert differences(tmp_path, JAM.replace("[{start: 10s, fire: 20s, clear: 30s}]", "[]")) == (
        "not expected  card-reader-jammed on ATM-1: starts 10s, fires 20s, clears 30s",
    )
    assert differences(tmp_path, JAM.replace("10s: out_of", "15s: out_of")) == (
        "expected  states of ATM-1: 0s in_service, 15s out_of_service, 30s in_service",
        "but came  states of ATM-1: 0s in_service, 10s out_of_service, 30s in_service",
    )


def test_gaps_doubles_disorder_and_new_starts_do_not_change_a_fault(tmp_path: Path) -> None:
    """What is lost, doubled or overtaken in the middle of a jam leaves its times alone."""
    for messages in (
        "sent*3 lost sent",
        "sent*2 twice sent*3 twice*4",
        "sent*3 late:7s sent",
        "sent*4 boot sent",
    ):
        row = f"    messages: {messages}\n    faults"
        assert differences(tmp_path, JAM.replace("    faults", row)) == ()


def test_an_absent_value_is_unknown_and_holds_nothing(tmp_path: Path) -> None:
    """Half of the hold is spent; then nothing is said of the card: the hold begins anew."""
    unknown = JAM.replace("jammed*4", "jammed _ jammed*3").partition("    states")[0]
    fault = "{start: 20s, fire: 30s, clear: 35s}"
    text = unknown.replace("{start: 10s, fire: 20s, clear: 30s}", fault)
    assert differences(tmp_path, text) == ()


@pytest.mark.parametrize(
    ("right", "wrong", "problem"),
    [
        ("card-reader-jammed", "card-jam", "rule cannot be card-jam"),
        ("jammed*4", "jamed*4", "cardReader.media is never jamed: did you mean jammed?"),
        ("jammed*4", "jammedx4", "cardReader.media is never jammedx4"),
        ("jammed*4", "jammed*", "jammed* is no value"),
        ("cardReader.media", "cardReader.meda", "not a property of the contract"),
        ("interval: 5s", "interval: 5", "a duration is a number and a unit"),
        ("interval: 5s", "messages: sent gone", "gone is none of sent, lost, twice, will, boot"),
        ("interval: 5s", "messages: boot", "follows a start anyway"),
        ("fire: 20s, ", "", "fire is missing"),
        ("in_service,", "in_servise,", "states cannot have in_servise"),
        ("    series:", "    terminals:", "states stands in each of terminals"),
    ],
)
def test_what_cannot_be_a_test_is_refused_with_its_place(
    tmp_path: Path, right: str, wrong: str, problem: str
) -> None:
    """A misspelt test would pass for the wrong reason."""
    with pytest.raises(CatalogueError) as caught:
        told(tmp_path, JAM.replace(right, wrong, 1))
    assert problem in str(caught.value)


def test_the_command_says_which_test_failed_and_ends_with_one(tmp_path: Path) -> None:
    """For a person, and for a program."""
    path = tmp_path / "t.yaml"
    path.write_text(JAM.replace("clear: 30s", "clear: 35s"))
    result = CliRunner().invoke(app, ["rules", "test", str(path)])
    assert result.exit_code == 1
    assert result.stdout.startswith(f"{path}:2: jam\n    expected  card-reader-jammed on ATM-1")
    assert result.stdout.endswith("0 tests passed, 1 failed\n")
    found = json.loads(CliRunner().invoke(app, ["rules", "test", str(path), "--json"]).stdout)
    assert (found["ok"], found["tests"][0]["ok"], found["tests"][0]["line"]) == (False, False, 2)


def test_the_command_tests_the_default_catalogue_and_can_ask_for_every_rule(tmp_path: Path) -> None:
    """All is well with it as delivered; with one file alone, rules are named that lack a test."""
    everything = CliRunner().invoke(app, ["rules", "test", "--complete"])
    assert (everything.exit_code, everything.stdout) == (
        0,
        f"{len(DELIVERED)} tests passed, 0 failed\n",
    )
    (tmp_path / "t.yaml").write_text(JAM)
    one = CliRunner().invoke(app, ["rules", "test", "--complete", str(tmp_path)])
    assert one.exit_code == 1
    assert "paper-out has no firing test\npaper-out has no non-firing test\n" in one.stdout


QUORUM = """
version: "1"
rules:
  - {name: gone, title: Gone, offline: true, for: 1m, severity: major, component: network,
     skill: network, line: 2, remedy: Look.}
  - {name: district, title: District gone, scope: cell, members: [gone], at_least: 2, share: 0.5,
     level: 1, for: 5s, severity: critical, component: network, skill: network, line: 2,
     remedy: Call.}
"""
DISTRICT = """
tests:
  - name: Two cells of one district
    rule: district
    interval: 30s
    terminals:
      A: {cell: C1, above: [D1, BANK], series: {common.device: online}, messages: sent will lost}
      B: {cell: C2, above: [D1, BANK], series: {common.device: online}, messages: sent will lost}
      C: {cell: C3, above: [D2, BANK], series: {common.device: online}}
    until: 4m
    faults:
      - {subject: D1, start: 30s, fire: 35s, ticket: 35s}
      - {rule: gone, subject: A, start: 30s, fire: 1m30s, suppressed_by: district, ticket: none}
      - {rule: gone, subject: B, start: 30s, fire: 1m30s, suppressed_by: district, ticket: none}
"""


def test_a_test_can_name_the_cells_above_and_says_whom_their_quorum_calls(tmp_path: Path) -> None:
    """The second level of the grid is the district: its fault, under its name, with its ticket."""
    (tmp_path / "rules.yaml").write_text(QUORUM)
    rules = load(tmp_path).rules
    path = tmp_path / "district.yaml_"
    path.write_text(DISTRICT)
    [trial] = reading.load([path], [rule.name for rule in rules])
    assert judge(trial, rules).differences == ()
    path.write_text(DISTRICT.replace("fire: 35s, ticket: 35s", "fire: 35s, ticket: none"))
    [trial] = reading.load([path], [rule.name for rule in rules])
    assert judge(trial, rules).differences == (
        "expected  district on D1: starts 30s, fires 35s, stays open, ticket none",
        "but came  district on D1: starts 30s, fires 35s, stays open, ticket 35s",
    )


@pytest.mark.parametrize(
    ("around", "problem"),
    [
        (
            "windows: [{purpose: works, from: 1s, until: 2s, cells: [C1]}]",
            "cannot be works",
        ),
        ("windows: [{purpose: silence, from: 1s, until: 2s}]", "a window says what it is about"),
        ("windows: [{purpose: silence, from: 2s, until: 1s, cells: [C1]}]", "must be after from"),
        ("windows: [{purpose: silence, from: 2s, cells: [C1]}]", "until is missing"),
        ("blind: [{from: 1s, until: 2s, brokr: true}]", "did you mean broker?"),
        ("closed: [{from: 1h}]", "until is missing"),
    ],
)
def test_what_surrounds_a_test_is_checked_too(tmp_path: Path, around: str, problem: str) -> None:
    with pytest.raises(CatalogueError) as caught:
        told(tmp_path, JAM.replace("interval: 5s", f"interval: 5s\n    {around}", 1))
    assert problem in str(caught.value)


def test_what_is_sent_while_nobody_listens_comes_when_somebody_does(tmp_path: Path) -> None:
    """The jam of the middle is told late; its fault has the same times."""
    for broker in ("true", "false"):
        text = JAM.replace(
            "interval: 5s", f"interval: 5s\n    blind: [{{from: 7s, until: 28s, broker: {broker}}}]"
        )
        assert differences(tmp_path, text) == ()
