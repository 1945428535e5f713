"""The catalogue: the rules of a folder of YAML files, refused whole if anything is wrong."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import msgspec
import yaml

from fleet.rules import duration
from fleet.rules.causes import check_causes
from fleet.rules.document import Fields
from fleet.rules.errors import CatalogueError
from fleet.rules.files import DEFAULT, File, gather
from fleet.rules.inputs import EACH
from fleet.rules.overriding import describe as describe_override
from fleet.rules.overriding import read_groups, read_override
from fleet.rules.reading import Reading, read_rule
from fleet.rules.rule import (
    Count,
    Lasting,
    Offline,
    Quorum,
    Rate,
    Rule,
    Silent,
    Stage,
    Trigger,
    Unsaid,
    Unseen,
    When,
)
from fleet.rules.selection import Override, Selection, Where
from fleet.rules.shadows import check_members, check_overridden
from fleet.rules.triggers import COUNTED

Content = Mapping[str, list[dict[str, object]]]
"""What a catalogue says, as JSON keeps it."""


@dataclass(frozen=True, slots=True)
class Catalogue:
    """The rules in the order of their files, what overrides them where, the author's version and
    a digest of the content."""

    rules: tuple[Rule, ...]
    version: str
    digest: str
    overrides: tuple[Override, ...] = ()

    @property
    def identity(self) -> str:
        """What a fault remembers of the catalogue that raised it."""
        return f"{self.version}+{self.digest[:12]}"

    def content(self) -> Content:
        """All that it says, for JSON to keep."""
        return {
            "rules": [describe(rule) for rule in self.rules],
            "overrides": [
                {**describe_override(each), "said": [describe(rule) for rule in each.rules]}
                for each in self.overrides
            ],
        }

    def variants(self) -> tuple[Rule, ...]:
        """The rules, and each as an override makes it."""
        return (*self.rules, *(rule for each in self.overrides for rule in each.rules))

    def selection(self) -> Selection:
        """The rules for an engine: each terminal gets what holds for it."""
        return Selection(self.rules, self.overrides)


def load(folder: Path | None = None) -> Catalogue:
    """The catalogue in a folder's `*.yaml` files and what they include, or that of the package.

    Raises `CatalogueError` with every problem of every file.
    """
    files = gather(folder or DEFAULT)
    readings: list[Reading] = []
    groups: dict[str, Where] = {}
    for file in files:
        found = (read_rule(file.source, node, file.within) for node in file.top.members("rules"))
        readings += [one for one in found if one is not None]
        read_groups(file, groups)
    version = _version(files)
    _check_content(files)
    _check_names(readings)
    named = {one.name: one for one in readings}
    check_members(readings)
    overrides = [
        read_override(file, node, named, groups)
        for file in files
        for node in file.top.members("overrides")
    ]
    check_overridden(files, overrides, readings)
    if problems := [problem for file in files for problem in sorted(file.source.problems)]:
        raise CatalogueError(problems)
    rules = tuple(one.rule for one in readings if one.rule is not None)
    kept = tuple(one for one in overrides if one is not None)
    return Catalogue(rules, version, _digest(version, rules, kept), kept)


def differing(before: Content, after: Content) -> frozenset[str]:
    """The rules of one content of which another says something else, or nothing."""
    was, is_ = _by_rule(before), _by_rule(after)
    return frozenset(name for name in is_ if is_[name] != was.get(name))


def describe(rule: Rule) -> dict[str, object]:
    """The rule in the words of its YAML, with every default spelled out; JSON can hold it."""
    return {
        "name": rule.name,
        "scope": rule.scope,
        "kinds": sorted(rule.kinds),
        "vendors": sorted(rule.vendors),
        "enabled": rule.enabled,
        "shadow": rule.shadow,
        **_describe_trigger(rule.trigger),
        **_describe_hold(rule),
        "clear_for": duration.render(rule.clear_hold),
        "severity": rule.severity.value,
        "impact": rule.impact.value if rule.impact is not None else None,
        "component": rule.component,
        "skill": rule.skill,
        "line": rule.line,
        "title": rule.title,
        "remedy": rule.remedy,
        "parts": list(rule.parts),
        "flapping": {
            "high": rule.flapping.high,
            "low": rule.flapping.low,
            "within": duration.render(rule.flapping.within),
        },
        "caused_by": list(rule.caused_by),
        "schedule": rule.schedule.value if rule.schedule is not None else None,
        "escalate": [_describe_stage(stage) for stage in rule.stages],
    }


def _describe_rate(rate: Rate) -> dict[str, object]:
    of = rate.of if rate.each is None else f"{EACH[rate.each]}.{rate.of}"
    return {
        "rate": {"of": of, "rises" if rate.rises else "falls": rate.by},
        "within": duration.render(rate.within),
        "each": rate.each,
        "given": None if rate.given is None else rate.given.text,
    }


def _describe_stage(stage: Stage) -> dict[str, object]:
    if isinstance(stage.trigger, Lasting):
        return {"to": stage.to.value, "after": duration.render(stage.hold)}
    times = {"for": duration.render(stage.hold), "clear_for": duration.render(stage.clear_hold)}
    said = {key: it for key, it in _describe_trigger(stage.trigger).items() if it is not None}
    said.pop("each", None)  # it is that of the rule
    return {"to": stage.to.value, **said, **times}


def _describe_hold(rule: Rule) -> dict[str, object]:
    name = "silent_for" if isinstance(rule.trigger, Unsaid) else "for"
    return {name: duration.render(rule.hold)}


def _describe_trigger(trigger: Trigger) -> dict[str, object]:
    match trigger:
        case When(condition, clear_when, each):
            clear = None if clear_when is None else clear_when.text
            return {"when": condition.text, "clear_when": clear, "each": each}
        case Silent(after):
            return {"silent_for": duration.render(after)}
        case Unseen(after):
            return {"never_seen_for": duration.render(after)}
        case Unsaid(component):
            return {"of": component}
        case Offline():
            return {"offline": True}
        case Rate():
            return _describe_rate(trigger)
        case Count():
            kind = {name: getattr(trigger, name) for name in COUNTED if getattr(trigger, name)}
            within = duration.render(trigger.within)
            return {"count": kind, "at_least": trigger.at_least, "within": within}
        case Quorum(members, at_least, share, within, level):
            return {
                "members": list(members),
                "at_least": at_least,
                "share": share,
                "within": None if within is None else duration.render(within),
                "level": level,
            }
        case Lasting():
            return {}


def _by_rule(content: Content) -> dict[str, bytes]:
    """All that a content says of each rule, overrides too, to be compared."""
    said: dict[str, list[object]] = {str(rule["name"]): [rule] for rule in content.get("rules", ())}
    for override in content.get("overrides", ()):
        names = msgspec.convert(override["rules"], list[str])
        for name in names:
            said[name].append(override)
    return {name: msgspec.json.encode(all_, order="sorted") for name, all_ in said.items()}


def _version(files: list[File]) -> str:
    """The version that the folder's own files agree on; what they include may have its own."""
    versions: dict[str, Fields] = {}
    for file in files:
        if file.own and isinstance(file.source.root, yaml.MappingNode):
            versions.setdefault(file.top.text("version"), file.top)
    first, *others = [version for version in versions if version] or [""]
    for version in others:
        versions[version].report("version", f"version {version}, but another file has {first}")
    return first


def _check_content(files: list[File]) -> None:
    """A file without rules is a mistake, unless it is there for something else."""
    for file in files:
        if isinstance(file.source.root, yaml.MappingNode) and not any(
            key in file.top for key in ("rules", "include", "groups", "overrides")
        ):
            file.top.report("rules", "rules is missing")


def _check_names(readings: list[Reading]) -> None:
    """No name twice, and the members of a quorum are rules about single terminals."""
    seen: dict[str, str] = {}
    for one in readings:
        if one.name in seen:
            one.fields.report("name", f"{one.name} is already a rule of {seen[one.name]}")
        seen.setdefault(one.name, one.fields.source.name)
    terminal_rules = [one.name for one in readings if one.scope == "terminal"]
    for one in readings:
        one.fields.refuse_others("members", terminal_rules)
        one.fields.refuse_others("caused_by", terminal_rules)
    check_causes(readings)


def _digest(version: str, rules: tuple[Rule, ...], overrides: tuple[Override, ...]) -> str:
    """SHA-256 of what the rules say: comments, layout and the split into files do not count."""
    content: list[object] = [version, *map(describe, sorted(rules, key=lambda rule: rule.name))]
    content += [[describe_override(each), *map(describe, each.rules)] for each in overrides]
    return hashlib.sha256(msgspec.json.encode(content, order="sorted")).hexdigest()
