"""The catalogue in force while people edit its files."""

from pathlib import Path

import pytest

from fleet.rules.catalogue import differing, load
from fleet.rules.errors import CatalogueError
from fleet.rules.shelf import Shelf

RULE = """\
version: "%s"
include: [vendors]
rules:
  - name: jam
    title: Jammed
    when: cardReader.media == 'jammed'
    for: %s
    severity: major
    component: cardReader
    skill: card
    line: 2
    remedy: Look at it.
"""


def folder(tmp_path: Path, *, hold: str = "10s", version: str = "1") -> Path:
    (tmp_path / "vendors").mkdir(exist_ok=True)
    other = RULE.replace("include: [vendors]\n", "").replace("name: jam", "name: other")
    (tmp_path / "vendors" / "acme.yaml").write_text(other % ("1", "5s"))
    (tmp_path / "rules.yaml").write_text(RULE % (version, hold))
    return tmp_path


def test_a_changed_catalogue_is_taken_at_the_next_look(tmp_path: Path) -> None:
    """Nothing happens while nothing changes; then the new rules are there."""
    shelf = Shelf(folder(tmp_path))
    before = shelf.current
    assert (shelf.look(), shelf.current) == (False, before)
    folder(tmp_path, hold="20s")
    assert shelf.look()
    assert differing(before.content(), shelf.current.content()) == {"jam"}
    assert not shelf.look()


def test_a_broken_catalogue_is_refused_and_the_old_one_stays(tmp_path: Path) -> None:
    """Someone saves a half-written file: it is said what is wrong, and the rules hold on."""
    shelf = Shelf(folder(tmp_path))
    before = shelf.current
    (tmp_path / "rules.yaml").write_text((RULE % ("2", "20s")).replace("jammed", "jamed"))
    assert shelf.look()
    assert shelf.current is before
    [problem] = shelf.refused
    assert problem.suggestion == "did you mean 'jammed'?"
    assert not shelf.look()  # it is said once
    folder(tmp_path, version="2")
    assert shelf.look()
    assert (shelf.refused, shelf.current.version) == ((), "2")


def test_a_change_in_an_included_file_and_a_new_file_are_seen(tmp_path: Path) -> None:
    """Whatever belongs to the catalogue is looked at, not the folder's own files alone."""
    shelf = Shelf(folder(tmp_path))
    included = tmp_path / "vendors" / "acme.yaml"
    included.write_text(included.read_text().replace("5s", "6s"))
    assert shelf.look()
    (tmp_path / "more.yaml").write_text('version: "1"\nrules: []\n')
    assert shelf.look()
    (tmp_path / "rules.yaml").unlink()
    (tmp_path / "more.yaml").unlink()
    assert shelf.look()
    assert shelf.refused
    assert len(shelf.current.rules) == 2


def test_to_begin_with_there_must_be_a_sound_catalogue(tmp_path: Path) -> None:
    """There is no old one to keep: the service says what is wrong and does not start."""
    with pytest.raises(CatalogueError):
        Shelf(tmp_path / "nowhere")


def test_what_differs_is_told_by_rule_and_nothing_differs_from_itself() -> None:
    """From nothing every rule is new; an override makes a difference to its rules alone."""
    content = load().content()
    assert differing(content, content) == frozenset()
    assert differing({}, content) == {rule.name for rule in load().rules}
