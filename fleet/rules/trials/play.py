"""A test told to the engine, in virtual time: snapshots as they arrive, a tick every second."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from uuid import UUID

import msgspec

from fleet.rules.changes import Change, Cleared, Fired, Flapped, Rated, Suppressed, Transition
from fleet.rules.engine import Engine
from fleet.rules.rule import Rule
from fleet.rules.selection import Selection
from fleet.rules.terminal import Terminal
from fleet.rules.trials.story import Fate, Interval, Player, Trial
from fleet.service_state import ServiceState
from fleet.snapshot import Value
from fleet.telemetry import Event, Presence, Telemetry

_T0 = datetime(2026, 1, 1, tzinfo=UTC)
_TICK = timedelta(seconds=1)
_NAMED_BY = {"storage": "id"}


@dataclass(slots=True)
class Seen:
    """What came of a test: the faults by id, and each terminal's service states."""

    faults: dict[UUID, Interval] = field(default_factory=dict)
    states: dict[int, list[tuple[timedelta, ServiceState]]] = field(default_factory=dict)

    def note(self, changes: Iterable[Change]) -> None:
        """Take in what a step of the engine changed."""
        for change in changes:
            match change:
                case Transition():
                    self.states.setdefault(change.terminal_id, []).append(
                        (change.at - _T0, change.state)
                    )
                case Fired():
                    self.faults[change.id] = Interval(
                        fire=change.fired_at - _T0,
                        subject=change.key.subject,
                        rule=change.rule.name,
                        item=change.key.item,
                        start=change.started_at - _T0,
                        clear=None,
                        suppressed_by=self._speaker(change.suppressed_by),
                    )
                case Rated():
                    known = self.faults[change.id]
                    rating = (change.at - _T0, change.severity.value)
                    self.faults[change.id] = replace(known, ratings=(*known.ratings, rating))
                case Cleared():
                    over = change.cleared_at - _T0
                    self.faults[change.id] = replace(self.faults[change.id], clear=over)
                case Flapped():
                    self.faults[change.id] = replace(self.faults[change.id], flapping=True)
                case Suppressed():
                    if by := self._speaker(change.by):
                        self.faults[change.id] = replace(self.faults[change.id], suppressed_by=by)

    def _speaker(self, fault: UUID | None) -> str | None:
        return None if fault is None else self.faults[fault].rule


@dataclass(frozen=True, slots=True)
class _Arrival:
    at: timedelta
    made: timedelta
    player: int
    boot: int
    seq: int
    fate: Fate | None
    """None: an event, no snapshot."""
    number: int


def play(trial: Trial, rules: Sequence[Rule] | Selection) -> Seen:
    """Everything that the engine makes of a test, up to its end."""
    engine = Engine(rules)
    engine.watch(_T0)
    for number, player in enumerate(trial.players):
        who = (player.kind, player.cell, player.vendor, player.model, player.region)
        engine.adopt(Terminal(number, player.name, *who, commissioned_at=_T0))
    seen = Seen()
    now = timedelta()
    made = (each for n, _ in enumerate(trial.players) for each in _arrivals(trial, n))
    arrivals = sorted(made, key=lambda each: (each.at, each.player, each.boot, each.seq))
    for arrival in arrivals:
        now = _pass_time(engine, now, arrival.at)
        _deliver(engine, trial.players[arrival.player], arrival)
        seen.note(engine.take().changes)
    _pass_time(engine, now, trial.until)
    seen.note(engine.take().changes)
    return seen


def _pass_time(engine: Engine, now: timedelta, until: timedelta) -> timedelta:
    while now + _TICK < until:
        now += _TICK
        engine.tick(_T0 + now)
    engine.tick(_T0 + until)
    return until


def _arrivals(trial: Trial, number: int) -> Iterable[_Arrival]:
    player = trial.players[number]
    events = [(at, n) for n, (at, _) in enumerate(player.events)]
    boot, seq = 1, 0
    for n in range(-(-trial.until // trial.interval)):
        sending = player.messages[min(n, len(player.messages) - 1)]
        made = n * trial.interval
        while events and events[0][0] < made:
            at, which = events.pop(0)
            seq += 1
            yield _Arrival(at, at, number, boot, seq, None, which)
        if sending.fate is Fate.BOOT:
            boot, seq = boot + 1, 0
            yield _Arrival(made, made, number, boot, 0, Fate.BOOT, n)
        if sending.fate is Fate.WILL:
            yield _Arrival(made, made, number, boot, 0, Fate.WILL, n)
            continue
        seq += 1
        at = made + sending.delay
        if sending.fate is Fate.LOST or at > trial.until:
            continue
        for _ in range(2 if sending.fate is Fate.TWICE else 1):
            yield _Arrival(at, made, number, boot, seq, Fate.SENT, n)
    for at, which in events:
        seq += 1
        yield _Arrival(at, at, number, boot, seq, None, which)


def _deliver(engine: Engine, player: Player, arrival: _Arrival) -> None:
    terminal, now = engine.terminals[arrival.player], _T0 + arrival.at
    if arrival.fate is None:
        said = player.events[arrival.number][1]
        event = Event(
            ts=now,
            boot=arrival.boot,
            seq=arrival.seq,
            event=said["event"],
            component=said.get("component"),
            event_id=said.get("event_id"),
            action=said.get("action"),
            outcome=said.get("outcome"),
        )
        engine.event(terminal, event, now)
    elif arrival.fate is Fate.SENT:
        engine.telemetry(terminal, _snapshot(player, arrival), now)
    else:
        presence = Presence(now, arrival.boot, arrival.fate is Fate.BOOT)
        engine.presence(terminal, presence, now, retained=False)


def _snapshot(player: Player, arrival: _Arrival) -> Telemetry:
    status, storage, metrics = _tree(player.series, arrival.number)
    return Telemetry(
        ts=_T0 + arrival.made,
        boot=arrival.boot,
        seq=arrival.seq,
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
