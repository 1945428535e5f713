"""One rule from its YAML fields, with everything that is wrong with it noted at its place."""

import re
from dataclasses import dataclass
from datetime import timedelta

import yaml

from fleet.rules.condition import Condition, compile_condition
from fleet.rules.document import Fields, Source
from fleet.rules.errors import ConditionError
from fleet.rules.flapping import DEFAULT, Flapping
from fleet.rules.inputs import EACH
from fleet.rules.rule import (
    COMPONENTS,
    IMPACTS,
    KINDS,
    SKILLS,
    Count,
    Offline,
    Quorum,
    Rule,
    Scope,
    Severity,
    Silent,
    Trigger,
    When,
)
from fleet.service_state import ServiceState
from fleet.telemetry import ACTIONS, EVENT_IDS
from fleet.vocabulary import COMPONENTS as REPORTED

TRIGGERS = {
    "when": ("when", "each", "clear_when"),
    "silent_for": ("silent_for",),
    "offline": ("offline",),
    "count": ("count", "at_least", "within"),
    "members": ("members", "at_least", "share", "within", "level"),
}
"""The triggers, each with the fields that go with it."""
COUNTED = ("event", "component", "event_id", "action", "outcome")
"""What an event must say to be counted."""
FIELDS = (
    *("name", "title", "scope", "kinds", "vendors", "enabled", "shadow"),
    *dict.fromkeys(field for fields in TRIGGERS.values() for field in fields),
    *("for", "clear_for", "severity", "impact"),
    *("component", "skill", "line", "remedy", "parts", "flapping", "caused_by"),
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
    trigger = _trigger(fields)
    impact = _optional(fields, "impact", IMPACTS)
    rule = Rule(
        name=_name(fields),
        scope=scope,
        kinds=within.narrow(fields, "kinds", fields.choices("kinds", KINDS)),
        trigger=trigger,
        hold=fields.duration("for"),
        clear_hold=fields.duration("clear_for"),
        severity=Severity(fields.choice("severity", Severity)),
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
    )
    if scope == "cell" and rule.caused_by:
        fields.report("caused_by", "caused_by is for terminals: a wider cell speaks by itself")
    if (scope == "cell") != isinstance(trigger, Quorum):
        fields.report("scope", "a rule with members has scope: cell, and no other rule has")
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


def _trigger(fields: Fields) -> Trigger:
    chosen = [key for key in TRIGGERS if key in fields]
    if len(chosen) != 1:
        found = " and ".join(chosen) or "none"
        fields.report("", f"a rule has one of {', '.join(TRIGGERS)}; this has {found}")
        return Offline()
    for others in TRIGGERS.values():
        for key in others:
            if key in fields and key not in TRIGGERS[chosen[0]]:
                fields.report(key, f"{key} does not go with {chosen[0]}")
    if chosen[0] == "when":
        return _when(fields)
    if chosen[0] == "silent_for":
        return Silent(fields.duration("silent_for", timedelta(seconds=1)))
    if chosen[0] == "count":
        return _count(fields)
    if chosen[0] == "members":
        return _quorum(fields)
    node = fields.scalar("offline", "bool")
    if node is not None and node.value != "true":
        fields.report("offline", "offline can only be true")
    return Offline()


def _quorum(fields: Fields) -> Quorum:
    members = fields.texts("members")
    if not members:
        fields.report("members", "members is empty", "name the rules whose terminals count")
    return Quorum(
        members,
        fields.whole("at_least", 1, 1_000_000),
        fields.share("share"),
        fields.duration("within", timedelta(seconds=1)) or None,
        fields.whole("level", 0, 20) if "level" in fields else None,
    )


def _count(fields: Fields) -> Count:
    kind = fields.inner("count", COUNTED)
    found: dict[str, str] = {}
    if kind is not None:
        found = {key: kind.text(key) for key in COUNTED if key == "event" or key in kind}
        if "component" in kind:
            kind.choice("component", REPORTED)
        for key, options in (("event_id", EVENT_IDS), ("action", ACTIONS)):
            if key in kind:
                kind.choice(key, options)
    return Count(
        event=found.pop("event", ""),
        at_least=fields.whole("at_least", 1, 1000),
        within=fields.duration("within", timedelta(seconds=1)),
        **found,
    )


def _when(fields: Fields) -> Trigger:
    each = _optional(fields, "each", tuple(EACH))
    condition = _condition(fields, "when", each)
    clear = _condition(fields, "clear_when", each) if "clear_when" in fields else None
    return Offline() if condition is None else When(condition, clear, each)


def _condition(fields: Fields, key: str, each: str | None) -> Condition | None:
    node = fields.scalar(key)
    if node is None:
        return None
    try:
        return compile_condition(node.value.rstrip(), each)
    except ConditionError as error:
        line, column = fields.source.place_inside(node, error.line, error.column)
        fields.source.report(line, column, error.message, error.suggestion)
        return None
