"""Groups of terminals, and overrides: what rules say in a region, a cell or for a group."""

from collections.abc import Mapping
from dataclasses import replace

import yaml

from fleet.rules.document import Fields, Source
from fleet.rules.files import File
from fleet.rules.reading import FIELDS, Limits, Reading, read_rule
from fleet.rules.rule import KINDS, Rule
from fleet.rules.selection import Override, Where

PLACES = ("kinds", "vendors", "models", "regions", "cells", "terminals")
"""What tells which terminals are meant."""
OVERRIDE = ("rules", "groups", *PLACES, "set")
GROUP = ("name", *PLACES)
_FIXED = (
    "name",
    "scope",
    "kinds",
    "vendors",
    "each",
    "members",
    "level",
    "offline",
    "count",
    "rate",
    "of",
    "caused_by",
)
SETTABLE = tuple(field for field in FIELDS if field not in _FIXED)
"""The fields of a rule that an override may set: what it is about stays."""

Groups = Mapping[str, Where]


def read_groups(file: File, known: dict[str, Where]) -> None:
    """Add a file's groups to those known."""
    for node in file.top.members("groups"):
        fields = Fields(file.source, node, GROUP)
        if isinstance(node, yaml.MappingNode):
            name, where = fields.text("name"), _where(fields, file.within)
            if where == Where():
                fields.report("name", "a group says which terminals", f"by {', '.join(PLACES)}")
            if name in known:
                fields.report("name", f"{name} is already a group")
            known[name] = where


def read_override(
    file: File, node: yaml.Node, rules: Mapping[str, Reading], groups: Groups
) -> Override | None:
    """The override in a node; None where something is wrong with it."""
    fields = Fields(file.source, node, OVERRIDE)
    if not isinstance(node, yaml.MappingNode):
        return None
    where = _where(fields, file.within)
    chosen = fields.choices("groups", groups)
    named = _named(fields, rules)
    if "groups" not in fields and where == Where():
        wanted = ", ".join((*PLACES, "groups"))
        fields.report("", "an override says where it holds; edit the rule to change it everywhere",
                      f"by {wanted}")  # fmt: skip
    for reading in named:
        if reading.scope != "terminal" and (chosen or replace(where, cells=frozenset()) != Where()):
            fields.report("rules", f"{reading.name} is about cells: it goes with cells alone")
    keys = _keys(fields)
    made = [_overridden(file.source, fields, reading) for reading in named]
    sound = tuple(rule for rule in made if rule is not None)
    if not fields.sound or not keys:
        return None
    return Override(sound, keys, where, tuple(groups[name] for name in chosen))


def describe(override: Override) -> dict[str, object]:
    """The override for a digest: whom it covers and which fields it sets."""
    return {
        "rules": [rule.name for rule in override.rules],
        "keys": list(override.keys),
        "where": _described(override.where),
        "groups": [_described(group) for group in override.groups],
    }


def _described(where: Where) -> dict[str, list[str]]:
    return {name: sorted(getattr(where, name)) for name in PLACES if getattr(where, name)}


def _where(fields: Fields, within: Limits) -> Where:
    return Where(
        kinds=within.narrow(fields, "kinds", fields.choices("kinds", KINDS)),
        vendors=within.narrow(fields, "vendors", fields.texts("vendors")),
        models=frozenset(fields.texts("models")),
        regions=frozenset(fields.texts("regions")),
        cells=frozenset(fields.texts("cells")),
        terminals=frozenset(fields.texts("terminals")),
    )


def _named(fields: Fields, rules: Mapping[str, Reading]) -> list[Reading]:
    names = fields.choices("rules", rules)
    if not fields.members("rules"):
        fields.report("rules", "rules is missing or empty", "name the rules to override")
    return [rules[name] for name in names if rules[name].rule is not None]


def _keys(fields: Fields) -> tuple[str, ...]:
    inner = fields.inner("set", SETTABLE)
    keys = tuple(str(key.value) for key, _ in fields.pairs("set"))
    if not keys:
        fields.report("set", "set is missing or empty", "set: {for: 10m}")
    return keys if inner is not None and inner.sound else ()


def _overridden(source: Source, fields: Fields, reading: Reading) -> Rule | None:
    """The rule with the override's fields in place of its own, read like any other."""
    own, overriding = reading.fields.node, fields.node_of("set")
    if not isinstance(own, yaml.MappingNode) or not isinstance(overriding, yaml.MappingNode):
        return None
    new = {str(key.value) for key, _ in overriding.value}
    kept = [(key, value) for key, value in own.value if str(key.value) not in new]
    merged = yaml.MappingNode(
        own.tag, [*kept, *overriding.value], overriding.start_mark, overriding.end_mark
    )
    found = read_rule(source, merged)
    return None if found is None else found.rule
