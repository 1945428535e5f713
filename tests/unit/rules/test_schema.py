"""The JSON Schema of catalogues: it takes what the loader takes, and knows what it refuses."""

from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml

from fleet.rules import schema as rules_schema
from fleet.rules.files import DEFAULT
from fleet.rules.reading import FIELDS
from fleet.rules.triggers import COUNTED
from tests.unit.rules.test_layers import HOT, MANY

SCHEMA = rules_schema.schema()
PAGE = Path(__file__).parents[3] / "docs/reference/rules.schema.json"
LAYERS = """
version: "2"
include: [default, {from: vendors/acme.yaml, vendors: [acme], kinds: [atm]}]
groups: [{name: outdoor, models: [X-9], terminals: ["ATM-1*"]}]
overrides:
  - {rules: [hot], groups: [outdoor], set: {for: 5m, enabled: false}}
"""


def wrong(text: str) -> list[str]:
    """What the schema has against a file, where."""
    found = jsonschema.Draft202012Validator(SCHEMA).iter_errors(yaml.safe_load(text))
    return [each.json_path for each in found]


def test_it_is_a_schema_and_the_page_in_the_docs_is_made_from_it() -> None:
    jsonschema.Draft202012Validator.check_schema(SCHEMA)
    assert PAGE.read_text(encoding="utf-8") == rules_schema.page()


def test_it_knows_every_field_that_the_loader_knows() -> None:
    """A field added to one must be added to the other."""
    assert tuple(SCHEMA["$defs"]) == FIELDS
    counted: dict[str, Any] = SCHEMA["$defs"]["count"]["properties"]
    assert tuple(counted) == COUNTED


@pytest.mark.parametrize("file", sorted(DEFAULT.glob("*.yaml")), ids=lambda file: file.name)
def test_it_takes_every_delivered_file(file: Path) -> None:
    assert wrong(file.read_text(encoding="utf-8")) == []


@pytest.mark.parametrize("text", [HOT, MANY, LAYERS])
def test_it_takes_layers(text: str) -> None:
    assert wrong(text) == []


@pytest.mark.parametrize(
    ("before", "after", "where"),
    [
        ("severity", "severty", "$.rules[0]"),
        ("major", "mayor", "$.rules[0].severity"),
        ("10s", "10 seconds", "$.rules[0].for"),
        ("line: 2", "line: 3", "$.rules[0].line"),
        ("for: 10s", "silent_for: 10s", "$.rules[0]"),
        ("rules:", "rulse:", "$"),
    ],
)
def test_it_marks_a_mistake_where_it_stands(before: str, after: str, where: str) -> None:
    """A misspelt field, a value that is none, two triggers."""
    assert where in wrong(HOT.replace(before, after, 1))
