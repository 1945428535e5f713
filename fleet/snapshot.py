"""What a telemetry message says, read out: known values by dotted path, and what was unknown."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, TypeVar

import msgspec

from fleet.components import Metrics, Status, Storage
from fleet.quarantine import Quarantined, Reason
from fleet.vocabulary import Unknown, familiar, unknown

Value = str | float | int | bool
Values = dict[str, Value]

_T = TypeVar("_T")
_REMEMBERED = 2048
"""A fleet says the same few things: so many of the latest statuses are read once for all."""
_SHARED_BYTES = 4096
"""What is longer is remembered nowhere: read, it takes a dozen times as much memory."""


class Measured(msgspec.Struct, frozen=True, gc=False):
    """Read metrics: the known ones by path, and the vendor's own as they came; `plain` are
    temperature, round trip and free disk, where it is all three and nothing else."""

    values: Mapping[str, Value]
    extra: Mapping[str, object]
    plain: tuple[float, float, float] | None = None


NOTHING_MEASURED = Measured({}, {})


@dataclass(frozen=True, slots=True)
class Snapshot:
    """A read status and storage.

    `values` holds every scalar that is present, by path; `items` the lists, each member as its own
    values with paths relative to it (`storage` → `{"id": "CST1", "status": "ok", …}`). `status` and
    `storage` are what was read: the same bytes for all terminals that say the same.
    """

    values: Mapping[str, Value]
    items: Mapping[str, tuple[Values, ...]]
    unknown: tuple[Unknown, ...] = ()
    status: bytes = b""
    storage: bytes = b""


# Deep nesting ends in a RecursionError: an attacker's, not a terminal's.
_NOT_READABLE = (msgspec.DecodeError, UnicodeDecodeError, RecursionError)
_STATUS = msgspec.json.Decoder(Status)


class _Plain(Metrics, frozen=True, forbid_unknown_fields=True):
    """Metrics without a vendor's own."""


_METRICS = msgspec.json.Decoder(Metrics)
_PLAIN = msgspec.json.Decoder(_Plain)
_METRIC_PATHS = tuple((name, f"metrics.{name}") for name in Metrics.__struct_fields__)
_TEMPERATURE, _RTT, _DISK = (path for _, path in _METRIC_PATHS)
_STORAGE = msgspec.json.Decoder(Storage)
_OBJECT = msgspec.json.Decoder(dict[str, object])
_OBJECTS = msgspec.json.Decoder(list[dict[str, object]])


def read(status: bytes | msgspec.Raw, storage: bytes | msgspec.Raw) -> Snapshot:
    """The snapshot in raw status and storage.

    Raises `Quarantined` (malformed) naming the field when a known property has the wrong JSON type.
    """
    text, units_text = bytes(status), bytes(storage)
    said = (_known_status if len(text) <= _SHARED_BYTES else _read_status)(text)
    units = (_known_storage if len(units_text) <= _SHARED_BYTES else _read_storage)(units_text)
    return Snapshot(
        said.values,
        {**said.items, **units.items},
        said.unknown + units.unknown,
        said.status,
        units.storage,
    )


def _read_status(status: bytes) -> Snapshot:
    """What a status says; whoever is given it changes nothing in it: terminals share it."""
    tree = _checked(status, "status", _STATUS, _OBJECT)
    values: Values = {}
    items: dict[str, tuple[Values, ...]] = {}
    for name, component in tree.items():
        _flatten(name, component, values, items)
    return Snapshot(values, items, () if familiar(tree) else tuple(unknown(tree)), status=status)


def _read_storage(storage: bytes) -> Snapshot:
    units = _checked(storage, "storage", _STORAGE, _OBJECTS)
    items = {"storage": tuple({"type": "cassette", **_scalars(unit)} for unit in units)}
    return Snapshot({}, items, tuple(_strange_units(units)), storage=storage)


_known_status = lru_cache(maxsize=_REMEMBERED)(_read_status)
_known_storage = lru_cache(maxsize=_REMEMBERED)(_read_storage)


def _strange_units(units: list[dict[str, object]]) -> Iterator[Unknown]:
    for unit in units:
        if not familiar(unit, unit=True):
            yield from unknown(unit, "storage[]")


def read_metrics(metrics: bytes | msgspec.Raw) -> Measured:
    """The metrics in raw JSON; raises `Quarantined` (malformed) naming the field."""
    try:  # nearly every message comes here: no more than it takes
        plain = _PLAIN.decode(metrics)
    except _NOT_READABLE:
        return _read_metrics(metrics)
    temperature, rtt, disk = plain.temperature_c, plain.rtt_ms, plain.disk_free_pct
    if temperature is None or rtt is None or disk is None:
        return _read_metrics(metrics)
    values: Values = {_TEMPERATURE: temperature, _RTT: rtt, _DISK: disk}
    return Measured(values, NOTHING_MEASURED.extra, (temperature, rtt, disk))


def _read_metrics(metrics: bytes | msgspec.Raw) -> Measured:
    """Where some are absent, a vendor has its own, or something is wrong."""
    try:
        known = _METRICS.decode(metrics)
        extra = _OBJECT.decode(metrics)
    except _NOT_READABLE as error:
        raise Quarantined(Reason.MALFORMED, _located(str(error), "metrics")) from None
    values: Values = {}
    for name, path in _METRIC_PATHS:
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
