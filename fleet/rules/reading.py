"""One rule from its YAML fields, with everything that is wrong with it noted at its place."""

import re
from dataclasses import dataclass
from datetime import timedelta

import yaml

from fleet.rules.document import Fields, Source
from fleet.rules.flapping import DEFAULT, Flapping
from fleet.rules.rule import (
    COMPONENTS,
    IMPACTS,
    KINDS,
    SKILLS,
    During,
    Quorum,
    Rule,
    Scope,
    Unsaid,
)
from fleet.rules.severity import Severity
from fleet.rules.staging import read_stages
from fleet.rules.triggers import TRIGGERS, read_trigger
from fleet.service_state import ServiceState

FIELDS = (
    *("name", "title", "scope", "kinds", "vendors", "enabled", "shadow"),
    *dict.fromkeys(field for fields in TRIGGERS.values() for field in fields),
    *("for", "clear_for", "severity", "impact"),
    *(
        "component",
        "skill",
        "line",
        "remedy",
        "parts",
        "flapping",
        "caused_by",
        "escalate",
        "schedule",
    ),
)
_NAME = re.compile(r"[a-z][a-z0-9]*(-[a-z0-9]+)*")


@dataclass(frozen=True, slots=True)
class Limits:
    """Whom a file was included for; empty: everyone."""

    kinds: frozenset[str] = frozenset()
    vendors: frozenset[str] = frozenset()

    def narrow(self, fields: Fields, key: str, said: tuple[str, ...]) -> frozenset[str]:
        """What a rule says of itself, within these limits; it is an error if nobody is left."""
        outer: frozenset[str] = getattr(self, key)
        if not said or not outer:
            return outer or frozenset(said)
        if outer.isdisjoint(said):
            whom = ", ".join(sorted(outer))
            fields.report(key, f"{key} leaves nobody: the file is included for {whom}")
        return outer & frozenset(said)


ALL = Limits()


@dataclass(frozen=True, slots=True)
class Reading:
    """A rule as read: `rule` is None where a problem was noted; its name and places remain."""

    name: str
    scope: Scope
    fields: Fields
    rule: Rule | None


def read_rule(source: Source, node: yaml.Node, within: Limits = ALL) -> Reading | None:
    """The rule in a node of a file, for those only whom the file was included for.

    None where the node is no mapping.
    """
    fields = Fields(source, node, FIELDS)
    if not isinstance(node, yaml.MappingNode):
        return None
    scope: Scope = "terminal"
    if "scope" in fields and fields.choice("scope", ("terminal", "cell")) == "cell":
        scope = "cell"
    trigger = read_trigger(fields)
    impact = _optional(fields, "impact", IMPACTS)
    severity = Severity(fields.choice("severity", Severity))
    rule = Rule(
        name=_name(fields),
        scope=scope,
        kinds=within.narrow(fields, "kinds", fields.choices("kinds", KINDS)),
        trigger=trigger,
        hold=fields.duration("silent_for" if isinstance(trigger, Unsaid) else "for"),
        clear_hold=fields.duration("clear_for"),
        severity=severity,
        impact=None if impact is None else ServiceState(impact),
        component=fields.choice("component", COMPONENTS),
        skill=fields.choice("skill", SKILLS),
        line=fields.whole("line", 1, 2),
        title=fields.text("title"),
        remedy=fields.text("remedy"),
        parts=fields.texts("parts"),
        flapping=_flapping(fields),
        caused_by=fields.texts("caused_by"),
        vendors=within.narrow(fields, "vendors", fields.texts("vendors")),
        enabled=fields.switch("enabled", default=True),
        shadow=fields.switch("shadow", default=False),
        schedule=During(fields.choice("schedule", During)) if "schedule" in fields else None,
        stages=read_stages(fields, trigger, severity),
    )
    if scope == "cell" and rule.caused_by:
        fields.report("caused_by", "caused_by is for terminals: a wider cell speaks by itself")
    if (scope == "cell") != isinstance(trigger, Quorum):
        fields.report("scope", "a rule with members has scope: cell, and no other rule has")
    if scope == "cell" and rule.schedule is not None:
        fields.report("schedule", "a cell has no hours: schedule is for terminals")
    if scope == "cell" and impact is not None:
        fields.report("impact", "a cell has no service state: impact is for terminals")
    return Reading(rule.name, scope, fields, rule if fields.sound else None)


def _name(fields: Fields) -> str:
    name = fields.text("name")
    if name and not _NAME.fullmatch(name):
        fields.report("name", f"name cannot be {name}", "small letters, digits and hyphens")
    return name


def _optional(fields: Fields, key: str, options: tuple[str, ...]) -> str | None:
    return fields.choice(key, options) if key in fields else None


def _flapping(fields: Fields) -> Flapping:
    inner = fields.inner("flapping", ("high", "low", "within"))
    if inner is None:
        return DEFAULT
    high, low = inner.share("high"), inner.share("low")
    if low >= high:
        inner.report("low", "low must be below high")
    return Flapping(high, low, inner.duration("within", timedelta(seconds=1)) or DEFAULT.within)
