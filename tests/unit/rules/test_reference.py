"""The reference of rules is made from the code: its fields, and who follows from whom."""

from pathlib import Path

from fleet.rules import reference
from fleet.rules.catalogue import load
from fleet.rules.reading import FIELDS
from fleet.rules.rule import Quorum

PAGE = (Path(__file__).parents[3] / "docs/reference/rules.md").read_text(encoding="utf-8")


def test_the_page_is_as_the_code_has_it() -> None:
    """`python -m fleet.rules.reference docs/reference/rules.md` makes it so."""
    assert all(reference.marked(name).search(PAGE) for name in reference.blocks())
    assert reference.written(PAGE) == PAGE


def test_every_field_has_a_row() -> None:
    rows = [line.split("`")[1] for line in reference.fields() if line.startswith("| `")]
    assert rows == list(FIELDS)


def test_every_relation_is_drawn() -> None:
    """Each cause and each member of a quorum of the default catalogue, and nothing else."""
    rules = load().rules
    drawn = [line for line in reference.relations(rules) if "-->" in line or ".->" in line]
    causes = sum(len(rule.caused_by) for rule in rules)
    members = sum(len(r.trigger.members) for r in rules if isinstance(r.trigger, Quorum))
    assert len(drawn) == len(set(drawn)) == causes + members > 0
