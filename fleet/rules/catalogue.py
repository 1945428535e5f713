"""The catalogue: every rule of a folder of YAML files, refused whole if anything is wrong."""

import hashlib
from dataclasses import dataclass
from pathlib import Path

import msgspec
import yaml

from fleet.rules import duration
from fleet.rules.document import Fields, Source
from fleet.rules.errors import CatalogueError, Problem
from fleet.rules.causes import check_causes
from fleet.rules.reading import COUNTED, Reading, read_rule
from fleet.rules.rule import Count, Offline, Quorum, Rule, Silent, Trigger, When

DEFAULT = Path(__file__).parent / "default"


@dataclass(frozen=True, slots=True)
class Catalogue:
    """The rules in the order of their files, the author's version and a digest of the content."""

    rules: tuple[Rule, ...]
    version: str
    digest: str

    @property
    def identity(self) -> str:
        """What a fault remembers of the catalogue that raised it."""
        return f"{self.version}+{self.digest[:12]}"


def load(folder: Path | None = None) -> Catalogue:
    """The catalogue in a folder's `*.yaml` files, or the one of the package.

    Raises `CatalogueError` with every problem of every file.
    """
    sources = [Source(path) for path in _files(folder or DEFAULT)]
    readings: list[Reading] = []
    versions: dict[str, Fields] = {}
    for source in sources:
        top = Fields(source, source.root, ("version", "rules"))
        if not isinstance(source.root, yaml.MappingNode):
            continue
        versions.setdefault(top.text("version"), top)
        if "rules" not in top:
            top.report("rules", "rules is missing")
        found = (read_rule(source, node) for node in top.members("rules"))
        readings += [one for one in found if one is not None]
    _check_versions(versions)
    _check_names(readings)
    if problems := [problem for source in sources for problem in sorted(source.problems)]:
        raise CatalogueError(problems)
    rules = tuple(one.rule for one in readings if one.rule is not None)
    version = next(iter(versions))
    return Catalogue(rules, version, _digest(version, rules))


def describe(rule: Rule) -> dict[str, object]:
    """The rule in the words of its YAML, with every default spelled out; JSON can hold it."""
    return {
        "name": rule.name,
        "scope": rule.scope,
        "kinds": sorted(rule.kinds),
        **_describe_trigger(rule.trigger),
        "for": duration.render(rule.hold),
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
    }


def _describe_trigger(trigger: Trigger) -> dict[str, object]:
    match trigger:
        case When(condition, clear_when, each):
            clear = None if clear_when is None else clear_when.text
            return {"when": condition.text, "clear_when": clear, "each": each}
        case Silent(after):
            return {"silent_for": duration.render(after)}
        case Offline():
            return {"offline": True}
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


def _files(folder: Path) -> list[Path]:
    """The files of a catalogue in the order of their names."""
    if not folder.is_dir():
        raise CatalogueError([Problem(str(folder), 1, 1, "is not a folder")])
    files = sorted(path for path in folder.iterdir() if path.suffix in (".yaml", ".yml"))
    if not files:
        raise CatalogueError([Problem(str(folder), 1, 1, "holds no rules", "files end in .yaml")])
    return files


def _check_versions(versions: dict[str, Fields]) -> None:
    first, *others = [version for version in versions if version] or [""]
    for version in others:
        versions[version].report("version", f"version {version}, but another file has {first}")


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


def _digest(version: str, rules: tuple[Rule, ...]) -> str:
    """SHA-256 of what the rules say: comments, layout and the split into files do not count."""
    content = [version, *(describe(rule) for rule in sorted(rules, key=lambda rule: rule.name))]
    return hashlib.sha256(msgspec.json.encode(content, order="sorted")).hexdigest()
