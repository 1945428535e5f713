"""A catalogue made again from what is kept of it: what judged once can be explained by itself."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import msgspec

from fleet.rules.catalogue import Catalogue
from fleet.rules.document import Source
from fleet.rules.reading import read_rule
from fleet.rules.rule import Rule
from fleet.rules.selection import Override, Where


def recall(content: Mapping[str, Any], identity: str) -> Catalogue:
    """The catalogue of this identity, from its content as JSON kept it.

    Raises `ValueError` where a rule of it cannot be read any more.
    """
    version, _, digest = identity.rpartition("+")
    overrides = tuple(_override(each) for each in content["overrides"])
    return Catalogue(_rules(content["rules"]), version, digest, overrides)


def _override(said: Mapping[str, Any]) -> Override:
    groups = tuple(_where(group) for group in said["groups"])
    return Override(_rules(said["said"]), tuple(said["keys"]), _where(said["where"]), groups)


def _where(said: Mapping[str, Sequence[str]]) -> Where:
    return Where(**{name: frozenset(values) for name, values in said.items()})


def _rules(said: Sequence[Mapping[str, object]]) -> tuple[Rule, ...]:
    found = []
    for each in said:
        spoken = {name: value for name, value in each.items() if value is not None}
        # JSON is YAML.
        source = Source(Path(str(each["name"])), msgspec.json.encode(spoken).decode())
        reading = None if source.root is None else read_rule(source, source.root)
        if reading is None or reading.rule is None:
            problems = "; ".join(map(str, source.problems))
            raise ValueError(f"a rule that was kept cannot be read: {problems}")
        found.append(reading.rule)
    return tuple(found)
