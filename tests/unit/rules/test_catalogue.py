"""The catalogue: read from YAML, refused whole with every problem at its place."""

from datetime import timedelta
from pathlib import Path
from textwrap import dedent, indent

import pytest

from fleet.rules.catalogue import Catalogue, describe, load
from fleet.rules.errors import CatalogueError, Problem
from fleet.rules.rule import Offline, Quorum, Silent, When
from fleet.rules.severity import Severity
from fleet.rules.triggers import TRIGGERS
from fleet.service_state import ServiceState

REST = """
severity: major
component: cardReader
skill: card
line: 2
title: Something
remedy: Look at it.
"""


def written(folder: Path, *rules: str, version: str = '"1"', name: str = "rules.yaml") -> Path:
    """A folder with one file of rules, each given without its list mark."""
    entries = [indent(dedent(rule).strip(), "    ").replace("    ", "  - ", 1) for rule in rules]
    (folder / name).write_text("\n".join([f"version: {version}", "rules:", *entries, ""]))
    return folder


def complete(head: str) -> str:
    return dedent(head).strip() + REST


def problems(folder: Path) -> tuple[Problem, ...]:
    with pytest.raises(CatalogueError) as caught:
        load(folder)
    return caught.value.problems


def only_problem(folder: Path) -> Problem:
    [problem] = problems(folder)
    return problem


def test_a_rule_is_read_with_every_field(tmp_path: Path) -> None:
    """What the author wrote is what the engine gets."""
    rule = """
        name: too-hot
        kinds: [atm, kiosk]
        when: metrics.temperature_c > 60.0
        clear_when: metrics.temperature_c < 55.0
        for: 5m
        clear_for: 10s
        severity: critical
        impact: degraded
        component: terminal
        skill: electronics
        line: 1
        title: Too hot
        remedy: >
          Clean
          the fan.
        parts: [fan]
        """
    [read] = load(written(tmp_path, rule)).rules
    assert isinstance(read.trigger, When)
    assert read.trigger.condition.text == "metrics.temperature_c > 60.0"
    assert read.trigger.clear_when is not None
    assert (read.name, read.scope) == ("too-hot", "terminal")
    assert read.kinds == frozenset({"atm", "kiosk"})
    assert (read.hold, read.clear_hold) == (timedelta(minutes=5), timedelta(seconds=10))
    assert (read.severity, read.impact) == (Severity.CRITICAL, ServiceState.DEGRADED)
    assert (read.component, read.skill, read.line) == ("terminal", "electronics", 1)
    assert (read.title, read.remedy, read.parts) == ("Too hot", "Clean the fan.", ("fan",))


def test_silence_wills_and_quorums_are_triggers_of_their_own(tmp_path: Path) -> None:
    """The three that need no condition."""
    catalogue = load(
        written(
            tmp_path,
            complete("name: quiet\nsilent_for: 3m"),
            complete("name: gone\noffline: true"),
            complete("name: many\nscope: cell\nmembers: [quiet, gone]\nat_least: 3\nshare: 0.4"),
        )
    )
    triggers = [rule.trigger for rule in catalogue.rules]
    assert triggers == [
        Silent(timedelta(minutes=3)),
        Offline(),
        Quorum(("quiet", "gone"), at_least=3, share=0.4),
    ]
    assert [rule.scope for rule in catalogue.rules] == ["terminal", "terminal", "cell"]
    assert all(rule.hold == timedelta() and rule.impact is None for rule in catalogue.rules)


@pytest.mark.parametrize(
    ("layout", "line", "column"),
    [
        ("when: cardReader.media == 'jamed'", 4, 31),
        ("when: \"cardReader.media == 'jamed'\"", 4, 32),
        ("when: 'cardReader.media == ''jamed'''", 4, 32),
        ("when: >\n  cardReader.media == 'jammed' ||\n  cardReader.media == 'jamed'", 6, 27),
        ("when: |\n  cardReader.media == 'jammed' ||\n  cardReader.media == 'jamed'", 6, 27),
        ("when: cardReader.media == 'jammed' ||\n  cardReader.media == 'jamed'", 5, 27),
        ('when: "cardReader.media == \\"jamed\\""', 4, 32),
    ],
)
def test_an_error_in_a_condition_points_into_the_file_however_it_is_laid_out(
    tmp_path: Path, layout: str, line: int, column: int
) -> None:
    """Plain, quoted, literal or folded: the place is that of the misspelt word."""
    problem = only_problem(written(tmp_path, complete(f"name: jam\n{layout}")))
    assert (problem.line, problem.column) == (line, column)
    assert problem.suggestion == "did you mean 'jammed'?"
    where = f"{tmp_path / 'rules.yaml'}:{line}:{column}: "
    assert str(problem).startswith(f"{where}cardReader.media is never 'jamed'")


def test_every_problem_of_every_file_is_found_at_once(tmp_path: Path) -> None:
    """Ten errors take one round, not ten."""
    written(
        tmp_path,
        """
        name: Card Reader
        wehn: cardReader.media == 'jammed'
        for: 10
        severity: majr
        impact: in_service
        component: cardReadr
        skill: cards
        line: 3
        remedy: yes
        kinds: [atm, kiosc]
        """,
        "just text",
        name="a.yaml",
    )
    written(
        tmp_path,
        complete("name: jam\nwhen: cardReader.media == 'jamed'"),
        complete("name: jam\noffline: true"),
        version="2",
        name="b.yaml",
    )
    (tmp_path / "c.yaml").write_text("version: [")
    (tmp_path / "d.yaml").write_text("")
    (tmp_path / "e.yaml").write_bytes(b"\xff")
    (tmp_path / "f.yaml").write_text("[" * 10_000)
    (tmp_path / "notes.txt").write_text("is not read")
    found = [str(problem).removeprefix(f"{tmp_path}/") for problem in problems(tmp_path)]
    assert found == [
        f"a.yaml:3:5: a rule has one of {', '.join(TRIGGERS)}; this has none",
        "a.yaml:3:5: title is missing",
        "a.yaml:3:11: name cannot be Card Reader (small letters, digits and hyphens)",
        "a.yaml:4:5: unknown field wehn (did you mean when?)",
        "a.yaml:5:10: for: a duration is a number and a unit, as in 10s, 5m, 2h, 1h30m",
        "a.yaml:6:15: severity cannot be majr (did you mean major?)",
        "a.yaml:7:13: impact cannot be in_service (did you mean out_of_service?)",
        "a.yaml:8:16: component cannot be cardReadr (did you mean cardReader?)",
        "a.yaml:9:12: skill cannot be cards (did you mean card?)",
        "a.yaml:10:11: line must be from 1 to 2",
        "a.yaml:11:13: remedy must be text (put it in quotes)",
        "a.yaml:12:18: kinds cannot name kiosc (did you mean kiosk?)",
        "a.yaml:13:5: must be a mapping of fields (such as name: …)",
        "b.yaml:1:10: version must be text (put it in quotes)",
        "b.yaml:4:31: cardReader.media is never 'jamed' (did you mean 'jammed'?)",
        f"b.yaml:11:11: jam is already a rule of {tmp_path}/b.yaml",
        "c.yaml:1:11: not YAML: expected the node content, but found '<stream end>'",
        "d.yaml:1:1: is empty (it begins with version: and rules:)",
        "e.yaml:1:1: cannot be read: not UTF-8",
        "f.yaml:1:1: cannot be read: nested too deep",
    ]


@pytest.mark.parametrize(
    ("head", "message"),
    [
        ("when: cardReader.media == 'jammed'\noffline: true", "this has when and offline"),
        ("offline: true\neach: storage", "each does not go with offline"),
        ("offline: true\nat_least: 3", "at_least does not go with offline"),
        ("offline: false", "offline can only be true"),
        ("offline: maybe", "offline must be true or false"),
        ("silent_for: 0s", "silent_for must be 1s or more"),
        ("silent_for: soon", "silent_for: a duration is a number and a unit"),
        ("when: unit.status == 'ok'\neach: cassettes", "each cannot be cassettes"),
        ("when: 3", "when must be text"),
        ("offline: true\nscope: cell", "a rule with members has scope: cell"),
        ("offline: true\nname: other", "name stands twice"),
        ("members: []\nat_least: 1\nshare: 1\nscope: cell", "members is empty"),
        ("members: [r]\nat_least: 1\nshare: 1\nscope: cell", "members cannot name r"),
        ("members: [x]\nat_least: 1\nshare: 40\nscope: cell", "share must be above 0"),
        ("members: [x]\nat_least: 0\nshare: 1\nscope: cell", "at_least must be from 1"),
        ("members: x\nat_least: 1\nshare: 1\nscope: cell", "members must be a list"),
        ("offline: true\nparts: [{a: b}]", "parts must be text"),
    ],
)
def test_fields_that_do_not_fit_together_are_refused(
    tmp_path: Path, head: str, message: str
) -> None:
    """A rule half understood would be a rule that does something else."""
    found = problems(written(tmp_path, complete(f"name: r\n{head}")))
    assert any(message in problem.message for problem in found), found


def test_a_cell_has_no_service_state(tmp_path: Path) -> None:
    """Impact belongs to terminals."""
    cell = "name: many\nscope: cell\nimpact: offline\nmembers: [gone]\nat_least: 3\nshare: 0.4"
    folder = written(tmp_path, complete("name: gone\noffline: true"), complete(cell))
    assert "a cell has no service state" in only_problem(folder).message


def test_a_broken_rule_is_not_reported_again_by_the_quorum_that_names_it(tmp_path: Path) -> None:
    """One mistake, one message."""
    cell = "name: many\nscope: cell\nmembers: [gone]\nat_least: 3\nshare: 0.4"
    folder = written(tmp_path, complete("name: gone\nsilent_for: soon"), complete(cell))
    assert "silent_for" in only_problem(folder).message


def test_all_files_carry_the_same_version(tmp_path: Path) -> None:
    """A half-copied folder is noticed."""
    written(tmp_path, complete("name: a\noffline: true"), name="a.yaml")
    written(tmp_path, complete("name: b\noffline: true"), version='"2"', name="b.yaml")
    assert only_problem(tmp_path).message == "version 2, but another file has 1"


def test_a_folder_without_rules_is_no_catalogue(tmp_path: Path) -> None:
    """A wrong path must not mean that nothing is watched."""
    assert only_problem(tmp_path).message == "holds no rules"
    assert only_problem(tmp_path / "nowhere").message == "is not a folder"
    (tmp_path / "a.yaml").write_text('version: "1"\n')
    assert only_problem(tmp_path).message == "rules is missing"


def two_rules(folder: Path, *, layout: bool) -> Catalogue:
    jam = "name: jam\nwhen: cardReader.media == 'jammed'\nfor: 60s"
    gone = "name: gone\noffline: true"
    if layout:
        folded = "name: jam # a comment\nwhen: >\n  cardReader.media == 'jammed'\nfor: 1m"
        written(folder, complete(gone), name="1.yaml")
        written(folder, complete(folded), name="2.yaml")
    else:
        written(folder, complete(jam), complete(gone))
    return load(folder)


def test_the_digest_is_of_what_the_rules_say_not_of_how_they_are_written(tmp_path: Path) -> None:
    """Comments, layout, order and the split into files do not make a new catalogue."""
    for name in ("one", "two", "three"):
        (tmp_path / name).mkdir()
    plain = two_rules(tmp_path / "one", layout=False)
    other = two_rules(tmp_path / "two", layout=True)
    assert plain.identity == other.identity
    assert plain.identity == f"1+{plain.digest[:12]}"
    assert len(plain.digest) == 64
    changed = "name: jam\nwhen: cardReader.media == 'jammed'\nfor: 61s"
    folder = written(tmp_path / "three", complete(changed), complete("name: gone\noffline: true"))
    assert load(folder).digest != plain.digest


def test_a_described_rule_is_in_the_words_of_its_file(tmp_path: Path) -> None:
    """What the api shows can be pasted back."""
    head = "name: low\neach: storage\nwhen: unit.replenishmentStatus == 'low'\nfor: 90s"
    [rule] = load(written(tmp_path, complete(head))).rules
    assert describe(rule) == {
        "name": "low",
        "scope": "terminal",
        "kinds": [],
        "when": "unit.replenishmentStatus == 'low'",
        "clear_when": None,
        "each": "storage",
        "for": "1m30s",
        "clear_for": "0s",
        "severity": "major",
        "impact": None,
        "component": "cardReader",
        "skill": "card",
        "line": 2,
        "title": "Something",
        "remedy": "Look at it.",
        "parts": [],
        "vendors": [],
        "enabled": True,
        "shadow": False,
        "caused_by": [],
        "escalate": [],
        "schedule": None,
        "flapping": {"high": 0.3, "low": 0.15, "within": "30m"},
    }
