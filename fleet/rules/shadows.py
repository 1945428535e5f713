"""Rules on trial must not touch what is real: what a real rule builds on is no shadow."""

from collections.abc import Iterable, Sequence

import yaml

from fleet.rules.files import File
from fleet.rules.reading import Reading
from fleet.rules.selection import Override

_WHY = "it is on trial, and nothing real may follow from it"


def check_members(readings: Sequence[Reading]) -> None:
    """Note each real rule that counts a shadow, or names one as its cause."""
    shadows = {one.name for one in readings if one.rule is not None and one.rule.shadow}
    for one in readings:
        if one.name not in shadows:
            for key in ("members", "caused_by"):
                for name in shadows.intersection(one.fields.texts(key)):
                    one.fields.report(key, f"{key} names the shadow {name}", _WHY)


def check_overridden(
    files: Sequence[File], overrides: Iterable[Override | None], readings: Sequence[Reading]
) -> None:
    """Note each override that makes a shadow of what a real rule builds on."""
    built_on = {
        name
        for one in readings
        if one.rule is not None and not one.rule.shadow
        for key in ("members", "caused_by")
        for name in one.fields.texts(key)
    }
    made = {rule.name for each in overrides if each for rule in each.rules if rule.shadow}
    for name in sorted(made & built_on):
        for file in files:
            for node in file.top.members("overrides"):
                if any(str(value.value) == name for value in _named(node)):
                    file.source.report_at(node, f"{name} cannot be a shadow: real rules need it")


def _named(node: yaml.Node) -> Iterable[yaml.Node]:
    pairs = node.value if isinstance(node, yaml.MappingNode) else ()
    return next((value.value for key, value in pairs if key.value == "rules"), ())
