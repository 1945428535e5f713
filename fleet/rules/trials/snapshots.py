"""The snapshots of a test: the paths of its series made a tree again."""

from collections.abc import Mapping
from datetime import timedelta

import msgspec

from fleet.rules.trials.story import T0, Player
from fleet.snapshot import Value
from fleet.telemetry import Telemetry

_NAMED_BY = {"storage": "id"}


def snapshot(player: Player, number: int, made: timedelta, boot: int, seq: int) -> Telemetry:
    """A terminal's snapshot of that number."""
    status, storage, metrics = _tree(player.series, number)
    return Telemetry(
        ts=T0 + made,
        boot=boot,
        seq=seq,
        status=msgspec.Raw(msgspec.json.encode(status)),
        storage=msgspec.Raw(msgspec.json.encode(storage)),
        metrics=msgspec.Raw(msgspec.json.encode(metrics)),
    )


def _tree(
    series: Mapping[str, tuple[Value | None, ...]], snapshot: int
) -> tuple[dict[str, object], list[object], dict[str, object]]:
    """Status, storage and metrics of one snapshot: the paths made a tree again."""
    root: dict[str, dict[str, object]] = {}
    lists: dict[str, dict[str, dict[str, object]]] = {"storage": {}}
    for path, row in series.items():
        value = row[min(snapshot, len(row) - 1)]
        before, listed, rest = path.partition("[")
        if listed:
            name, _, inner = rest.partition("].")
            members = lists.setdefault(before, {})
            if value is not None:
                members.setdefault(name, {_NAMED_BY.get(before, "position"): name})[inner] = value
        elif value is not None:
            _put(root, path, value)
    storage: list[object] = list(lists.pop("storage").values())
    for path, members in lists.items():
        _put(root, path, list(members.values()))
    metrics = root.pop("metrics", {})
    return dict(root), storage, metrics


def _put(root: dict[str, dict[str, object]], path: str, value: object) -> None:
    component, *between, name = path.split(".")
    node = root.setdefault(component, {})
    for step in between:
        inner = node.setdefault(step, {})
        if isinstance(inner, dict):
            node = inner
    node[name] = value
