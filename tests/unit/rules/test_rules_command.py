"""`tellergrid rules`: what a person sees who writes rules."""

import json
from pathlib import Path

from typer.testing import CliRunner

from fleet.rules.catalogue import load
from tellergrid.cli import app

BROKEN = """\
version: "1"
rules:
  - name: jam
    when: cardReader.media == 'jamed'
    severity: majr
    component: cardReader
    skill: card
    line: 2
    title: Jam
    remedy: Look.
"""


def run(*arguments: str) -> tuple[int, str]:
    result = CliRunner().invoke(app, ["rules", *arguments])
    return result.exit_code, result.stdout


def test_a_sound_catalogue_is_said_to_be_so() -> None:
    """Ends with 0 and names what a fault would remember."""
    catalogue = load()
    code, said = run("check")
    assert code == 0
    assert said == f"{len(catalogue.rules)} rules, nothing wrong: catalogue {catalogue.identity}\n"
    code, said = run("check", "--json")
    assert code == 0
    assert json.loads(said)["digest"] == catalogue.digest


def test_every_problem_is_a_line_with_its_place(tmp_path: Path) -> None:
    """Ends with 1; an editor can jump to each line."""
    (tmp_path / "a.yaml").write_text(BROKEN)
    code, said = run("check", str(tmp_path))
    assert code == 1
    assert said.splitlines() == [
        f"{tmp_path}/a.yaml:4:31: cardReader.media is never 'jamed' (did you mean 'jammed'?)",
        f"{tmp_path}/a.yaml:5:15: severity cannot be majr (did you mean major?)",
    ]
    code, said = run("check", str(tmp_path), "--json")
    assert code == 1
    [first, _] = json.loads(said)["problems"]
    assert (first["line"], first["column"]) == (4, 31)
    assert first["suggestion"] == "did you mean 'jammed'?"


def test_the_rules_of_a_catalogue_can_be_listed() -> None:
    """One line a rule, nothing cut off; as JSON in the words of the files."""
    catalogue = load()
    code, said = run("list")
    assert code == 0
    for rule in catalogue.rules:
        assert any(
            line.startswith(rule.name) and line.endswith(rule.title) for line in said.splitlines()
        )
    listed = json.loads(run("list", "--json")[1])
    assert [rule["name"] for rule in listed["rules"]] == [rule.name for rule in catalogue.rules]


def test_a_broken_catalogue_is_not_listed(tmp_path: Path) -> None:
    """Half a list would be a lie."""
    (tmp_path / "a.yaml").write_text(BROKEN)
    assert run("list", str(tmp_path)) == (1, "")
