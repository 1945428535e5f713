"""What a telemetry message says, read out: known values by dotted path, and what was unknown."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, TypeVar

import msgspec

from fleet.components import Metrics, Status, StorageUnit
from fleet.quarantine import Quarantined, Reason
from fleet.vocabulary import Unknown, familiar, unknown

Value = str | float | int | bool
Values = dict[str, Value]

_T = TypeVar("_T")
_REMEMBERED = 2048
"""A fleet says the same few things: so many of the latest statuses are read once for all."""


class Measured(msgspec.Struct, frozen=True, gc=False):
    """Read metrics: the known ones by path, and the vendor's own as they came."""

    values: Mapping[str, Value]
    extra: Mapping[str, object]


NOTHING_MEASURED = Measured({}, {})


@dataclass(frozen=True, slots=True)
class Snapshot:
    """A read status and storage.

    `values` holds every scalar that is present, by path; `items` the lists, each member as its own
    values with paths relative to it (`storage` → `{"id": "CST1", "status": "ok", …}`).
    """

    values: Mapping[str, Value]
    items: Mapping[str, tuple[Values, ...]]
    unknown: tuple[Unknown, ...] = ()


# Deep nesting ends in a RecursionError: an attacker's, not a terminal's.
_NOT_READABLE = (msgspec.DecodeError, UnicodeDecodeError, RecursionError)
_STATUS = msgspec.json.Decoder(Status)
_METRICS = msgspec.json.Decoder(Metrics)
_METRIC_PATHS = tuple((name, f"metrics.{name}") for name in Metrics.__struct_fields__)
_STORAGE = msgspec.json.Decoder(tuple[StorageUnit, ...])
_OBJECT = msgspec.json.Decoder(dict[str, object])
_OBJECTS = msgspec.json.Decoder(list[dict[str, object]])


def read(status: bytes | msgspec.Raw, storage: bytes | msgspec.Raw) -> Snapshot:
    """The snapshot in raw status and storage.

    Raises `Quarantined` (malformed) naming the field when a known property has the wrong JSON type.
    """
    said, units = _read_status(bytes(status)), _read_storage(bytes(storage))
    return Snapshot(said.values, {**said.items, **units.items}, said.unknown + units.unknown)


@lru_cache(maxsize=_REMEMBERED)
def _read_status(status: bytes) -> Snapshot:
    """What a status says; whoever is given it changes nothing in it: terminals share it."""
    tree = _checked(status, "status", _STATUS, _OBJECT)
    values: Values = {}
    items: dict[str, tuple[Values, ...]] = {}
    for name, component in tree.items():
        _flatten(name, component, values, items)
    return Snapshot(values, items, () if familiar(tree) else tuple(unknown(tree)))


@lru_cache(maxsize=_REMEMBERED)
def _read_storage(storage: bytes) -> Snapshot:
    units = _checked(storage, "storage", _STORAGE, _OBJECTS)
    items = {"storage": tuple({"type": "cassette", **_scalars(unit)} for unit in units)}
    return Snapshot({}, items, tuple(_strange_units(units)))


def _strange_units(units: list[dict[str, object]]) -> Iterator[Unknown]:
    for unit in units:
        if not familiar(unit, unit=True):
            yield from unknown(unit, "storage[]")


def read_metrics(metrics: bytes | msgspec.Raw) -> Measured:
    """The metrics in raw JSON; raises `Quarantined` (malformed) naming the field."""
    try:
        known = _METRICS.decode(metrics)
        extra = _OBJECT.decode(metrics)
    except _NOT_READABLE as error:
        raise Quarantined(Reason.MALFORMED, _located(str(error), "metrics")) from None
    values: Values = {}
    for name, path in _METRIC_PATHS:  # nearly every message comes here: no more than it takes
        if extra.pop(name, None) is not None:
            values[path] = getattr(known, name)
    return Measured(values, extra)


def _checked(
    raw: bytes, field: str, typed: msgspec.json.Decoder[Any], plain: msgspec.json.Decoder[_T]
) -> _T:
    try:
        typed.decode(raw)
        return plain.decode(raw)
    except _NOT_READABLE as error:
        raise Quarantined(Reason.MALFORMED, _located(str(error), field)) from None


def _located(message: str, field: str) -> str:
    if "`$" in message:
        return message.replace("`$", f"`$.{field}", 1)
    return f"{message} - at `$.{field}`"


def _flatten(path: str, node: object, values: Values, items: dict[str, tuple[Values, ...]]) -> None:
    if isinstance(node, dict):
        for name, inner in node.items():
            _flatten(f"{path}.{name}", inner, values, items)
    elif isinstance(node, list):
        items[path] = tuple(_scalars(member) for member in node if isinstance(member, dict))
    elif isinstance(node, str | int | float | bool):
        values[path] = node


def _scalars(member: dict[str, object]) -> Values:
    return {name: value for name, value in member.items() if isinstance(value, str | int | float)}
