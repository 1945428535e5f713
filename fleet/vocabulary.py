"""The vocabulary as a table: every dotted path of the contract, its kind and its known values.

Made once from the structs of `fleet.components`, so that decoder, rules, simulator and JSON Schema
speak of the same things. A path names list members with `[]`: `cashDispenser.positions[].shutter`,
`storage[].status`.
"""

import difflib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import Enum
from types import MappingProxyType, NoneType, UnionType
from typing import Annotated, Union, get_args, get_origin, get_type_hints

import msgspec

from fleet.components import Metrics, OneOf, Status, StorageUnit


class Kind(Enum):
    """What a property's value is in JSON."""

    STRING = "string"
    NUMBER = "number"
    INTEGER = "integer"
    BOOLEAN = "boolean"


_KINDS = {str: Kind.STRING, float: Kind.NUMBER, int: Kind.INTEGER, bool: Kind.BOOLEAN}


@dataclass(frozen=True, slots=True)
class Property:
    """One property of the contract; `values` is empty where any text or number may stand."""

    path: str
    kind: Kind
    values: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Unknown:
    """Something a vendor sent that the vocabulary does not name: kept, counted, never fatal."""

    path: str
    what: str


def _members(kind: type[msgspec.Struct]) -> Iterator[tuple[str, object]]:
    hints = get_type_hints(kind, include_extras=True)
    for field in msgspec.structs.fields(kind):
        yield field.encode_name, hints[field.name]


def _walk(path: str, hint: object) -> Iterator[Property]:
    values: tuple[str, ...] = ()
    if get_origin(hint) is Annotated:
        hint, *marks = get_args(hint)
        values = next((mark.values for mark in marks if isinstance(mark, OneOf)), ())
    if get_origin(hint) in (Union, UnionType):
        hint = next(arm for arm in get_args(hint) if arm is not NoneType)
        if get_origin(hint) is Annotated:
            hint = get_args(hint)[0]
    if get_origin(hint) is tuple:
        path, hint = f"{path}[]", get_args(hint)[0]
    if isinstance(hint, type) and issubclass(hint, msgspec.Struct):
        for name, inner in _members(hint):
            yield from _walk(f"{path}.{name}" if path else name, inner)
    elif isinstance(hint, type):
        yield Property(path, _KINDS[hint], values)


def _table() -> dict[str, Property]:
    roots: tuple[tuple[str, type[msgspec.Struct]], ...] = (
        ("", Status),
        ("storage[]", StorageUnit),
        ("metrics", Metrics),
    )
    return {found.path: found for root, kind in roots for found in _walk(root, kind)}


PROPERTIES: Mapping[str, Property] = MappingProxyType(_table())
COMPONENTS: tuple[str, ...] = tuple(name for name, _ in _members(Status))
_INNER = frozenset(
    path.rsplit(".", depth)[0].removesuffix("[]")
    for path in PROPERTIES
    for depth in range(1, path.count(".") + 1)
)


def suggest(path: str) -> str | None:
    """The known path nearest to a misspelt one, or None."""
    return next(iter(difflib.get_close_matches(path, PROPERTIES, n=1, cutoff=0.6)), None)


def suggest_value(known: Property, value: str) -> str | None:
    """The known value of a property nearest to a misspelt one, or None."""
    return next(iter(difflib.get_close_matches(value, known.values, n=1, cutoff=0.5)), None)


def unknown(tree: Mapping[str, object], root: str = "") -> Iterator[Unknown]:
    """Everything in a decoded status, storage unit or metrics that the vocabulary does not name.

    `root` is "" for a status, "storage[]" for a unit, "metrics" for the metrics.
    """
    for name, value in tree.items():
        path = f"{root}.{name}" if root else name
        if value is not None:
            yield from _unknown_at(path, value)


def _unknown_at(path: str, value: object) -> Iterator[Unknown]:
    known = PROPERTIES.get(path)
    if known is not None:
        if known.values and value not in known.values:
            yield Unknown(path, "value")
    elif path not in _INNER:
        yield Unknown(path, "property" if "." in path else "component")
    elif isinstance(value, dict):
        yield from unknown(value, path)
    elif isinstance(value, list):
        for item in value:
            yield from unknown(item, f"{path}[]") if isinstance(item, dict) else ()


_Branch = dict[str, "Property | _Branch"]


def _tree() -> _Branch:
    """The table as a tree; a list's members are under `[]`."""
    root: _Branch = {}
    for path, known in PROPERTIES.items():
        *between, name = path.replace("[]", ".[]").split(".")
        branch = root
        for step in between:
            inner = branch.setdefault(step, {})
            if isinstance(inner, dict):
                branch = inner
        branch[name] = known
    return root


_TREE = _tree()


def familiar(tree: Mapping[str, object], *, unit: bool = False) -> bool:
    """Whether a decoded status (or storage unit) surely holds nothing unknown; quicker than asking
    `unknown`, which most messages need not be asked."""
    storage = _TREE["storage"]
    branch = storage["[]"] if unit and isinstance(storage, dict) else _TREE
    return isinstance(branch, dict) and _familiar(tree, branch)


def _familiar(tree: Mapping[str, object], branch: _Branch) -> bool:
    for name, value in tree.items():
        known = branch.get(name)
        if value is None:
            continue
        if isinstance(known, Property):
            if known.values and value not in known.values:
                return False
        elif known is None or not _familiar_inside(value, known):
            return False
    return True


def _familiar_inside(value: object, branch: _Branch) -> bool:
    if isinstance(value, dict):
        return _familiar(value, branch)
    if isinstance(value, list):
        member = branch.get("[]")
        return isinstance(member, dict) and all(
            not isinstance(item, dict) or _familiar(item, member) for item in value
        )
    return True
