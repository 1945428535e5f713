"""A terminal's properties as a flat table: dotted contract path to value.

Members of a list are named by what the contract calls them: `storage.CST1.status`,
`cashDispenser.positions.outDefault.shutter`; `[]` in a request means every member. Four paths are
not the contract's and never on the wire: `offline` while the terminal's line is down, `silent`
while its software hangs, `dark` while it has no power, `elsewhere` with the region for which it
speaks, as if carried there.
"""

import difflib
from collections.abc import Iterable, Mapping
from functools import lru_cache
from typing import NamedTuple

from fleet.snapshot import Value
from fleet.vocabulary import PROPERTIES, Kind, Property, suggest, suggest_value
from simulator.errors import RequestError

OFFLINE = "offline"
SILENT = "silent"
DARK = "dark"
ELSEWHERE = "elsewhere"
PSEUDO = (OFFLINE, SILENT, DARK, ELSEWHERE)
MEMBER_NAMES = {"storage": "id", "positions": "position"}
_KINDS_THERE_ARE = 64

Values = dict[str, Value]


class Trees(NamedTuple):
    """The three parts of a telemetry message, ready for JSON."""

    status: dict[str, object]
    storage: list[dict[str, object]]
    metrics: dict[str, object]


def general(path: str) -> str:
    """The path in the vocabulary's spelling, members as `[]`."""
    steps = path.split(".")
    for place, step in enumerate(steps[:-2]):
        if step in MEMBER_NAMES:
            return ".".join((*steps[:place], f"{step}[]", *steps[place + 2 :]))
    return path


def check(path: str, value: object) -> Value:
    """The value a path may be set to, in its own type, whatever the terminal.

    Raises RequestError, with a suggestion where there is one, for an unknown path or value.
    """
    if path in (OFFLINE, SILENT):
        return _boolean(path, value)
    if path == ELSEWHERE:
        return str(value)
    known = PROPERTIES.get(general(path))
    if known is None:
        raise RequestError(f"no property {path!r} in the contract{_perhaps(suggest(path))}")
    return _checked(known, value)


def resolve(path: str, value: object, present: Iterable[str]) -> Values:
    """What a request to set one path means for a terminal that has the paths in `present`.

    Raises RequestError like `check`, and for a member that the terminal does not have.
    """
    checked = check(path, value)
    root, listed, rest = general(path).partition("[].")
    if not listed:
        return {path: checked}
    members = _members(root, present)
    if "[]" in path:
        if not members:
            raise RequestError(f"this terminal has no {root}")
        return {f"{root}.{member}.{rest}": checked for member in members}
    member = path[len(root) + 1 : -len(rest) - 1]
    if member not in members:
        near = next(iter(difflib.get_close_matches(member, members, n=1)), None)
        raise RequestError(f"this terminal has no {root} {member!r}{_perhaps(near, members)}")
    return {path: checked}


def units(values: Mapping[str, Value]) -> list[dict[str, object]]:
    """The cash units of a flat table, as `trees` has them."""
    return [
        {"id": unit, **{name: values[path] for name, path in properties}}
        for unit, properties in _unit_paths(tuple(values))
    ]


@lru_cache(_KINDS_THERE_ARE)
def _unit_paths(paths: tuple[str, ...]) -> tuple[tuple[str, tuple[tuple[str, str], ...]], ...]:
    """By unit, its properties and their paths; terminals of a kind share the answer."""
    found: dict[str, list[tuple[str, str]]] = {}
    for path in paths:
        if path.startswith("storage."):
            _, unit, name = path.split(".")
            found.setdefault(unit, []).append((name, path))
    return tuple((unit, tuple(each)) for unit, each in found.items())


def trees(values: Mapping[str, Value]) -> Trees:
    """The nested form of a flat table, as the wire contract has it."""
    nested: dict[str, object] = {}
    for path, value in values.items():
        node = nested
        *branches, leaf = path.split(".")
        for branch in branches:
            inner = node.setdefault(branch, {})
            assert isinstance(inner, dict), f"{path}: a value where a group was"  # noqa: S101
            node = inner
        node[leaf] = value
    for path in PSEUDO:
        nested.pop(path, None)
    storage = _listed("id", nested.pop("storage", {}))
    metrics = nested.pop("metrics", {})
    for component in nested.values():
        if isinstance(component, dict) and "positions" in component:
            component["positions"] = _listed("position", component["positions"])
    return Trees(nested, storage, metrics if isinstance(metrics, dict) else {})


def _listed(name: str, members: object) -> list[dict[str, object]]:
    if not isinstance(members, dict):
        return []
    return [{name: member, **properties} for member, properties in members.items()]


def _members(root: str, present: Iterable[str]) -> list[str]:
    prefix = f"{root}."
    names = (path[len(prefix) :].split(".")[0] for path in present if path.startswith(prefix))
    return list(dict.fromkeys(names))


def _checked(known: Property, value: object) -> Value:
    if known.kind is Kind.BOOLEAN:
        return _boolean(known.path, value)
    if known.kind is Kind.STRING:
        text = str(value)
        if known.values and text not in known.values:
            near = suggest_value(known, text)
            raise RequestError(f"{known.path} is never {text!r}{_perhaps(near, known.values)}")
        return text
    number = float if known.kind is Kind.NUMBER else int
    try:
        return number(str(value))
    except ValueError:
        noun = "an integer" if known.kind is Kind.INTEGER else "a number"
        raise RequestError(f"{known.path} is {noun}, not {value!r}") from None


def _boolean(path: str, value: object) -> bool:
    text = str(value).lower()
    if text not in ("true", "false"):
        raise RequestError(f"{path} is true or false, not {value!r}")
    return text == "true"


def _perhaps(near: str | None, allowed: Iterable[str] = ()) -> str:
    if near is not None:
        return f"; did you mean {near!r}?"
    listed = ", ".join(allowed)
    return f"; it is one of {listed}" if listed else ""
