"""What a telemetry message says, read out: known values by dotted path, and what was unknown."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import msgspec

from fleet.components import Metrics, Status, StorageUnit
from fleet.quarantine import Quarantined, Reason
from fleet.vocabulary import Unknown, familiar, unknown

Value = str | float | int | bool
Values = dict[str, Value]


@dataclass(frozen=True, slots=True)
class Measured:
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
_STORAGE = msgspec.json.Decoder(tuple[StorageUnit, ...])
_OBJECT = msgspec.json.Decoder(dict[str, object])
_OBJECTS = msgspec.json.Decoder(list[dict[str, object]])


def read(status: bytes | msgspec.Raw, storage: bytes | msgspec.Raw) -> Snapshot:
    """The snapshot in raw status and storage.

    Raises `Quarantined` (malformed) naming the field when a known property has the wrong JSON type.
    """
    tree, units = _checked(status, storage)
    values: Values = {}
    items: dict[str, tuple[Values, ...]] = {}
    for name, component in tree.items():
        _flatten(name, component, values, items)
    items["storage"] = tuple({"type": "cassette", **_scalars(unit)} for unit in units)
    return Snapshot(values, items, tuple(_strange(tree, units)))


def _strange(tree: dict[str, object], units: list[dict[str, object]]) -> Iterator[Unknown]:
    if not familiar(tree):
        yield from unknown(tree)
    for unit in units:
        if not familiar(unit, unit=True):
            yield from unknown(unit, "storage[]")


def read_metrics(metrics: bytes | msgspec.Raw) -> Measured:
    """The metrics in raw JSON; raises `Quarantined` (malformed) naming the field."""
    try:
        known = _METRICS.decode(metrics)
        tree = _OBJECT.decode(metrics)
    except _NOT_READABLE as error:
        raise Quarantined(Reason.MALFORMED, _located(str(error), "metrics")) from None
    names = known.__struct_fields__
    named = ((f"metrics.{name}", getattr(known, name)) for name in names)
    values: Values = {path: value for path, value in named if value is not None}
    return Measured(values, {name: value for name, value in tree.items() if name not in names})


def _checked(
    status: bytes | msgspec.Raw, storage: bytes | msgspec.Raw
) -> tuple[dict[str, object], list[dict[str, object]]]:
    for field, raw, typed in (("status", status, _STATUS), ("storage", storage, _STORAGE)):
        try:
            typed.decode(raw)
        except _NOT_READABLE as error:
            raise Quarantined(Reason.MALFORMED, _located(str(error), field)) from None
    try:
        return _OBJECT.decode(status), _OBJECTS.decode(storage)
    except _NOT_READABLE as error:
        raise Quarantined(Reason.MALFORMED, f"status or storage: {error}") from None


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
