"""Tests of rules from their YAML files, with everything that is wrong noted at its place."""

from collections.abc import Callable, Iterable, Sequence
from datetime import timedelta
from pathlib import Path
from typing import TypeVar

import yaml

from fleet.rules import duration
from fleet.rules.document import Fields, Source, nearest
from fleet.rules.errors import CatalogueError
from fleet.rules.rule import KINDS
from fleet.rules.severity import Severity
from fleet.rules.trials import series, setting
from fleet.rules.trials.story import NO_TICKET, Fate, Interval, Player, Sending, Trial
from fleet.rules.triggers import COUNTED
from fleet.service_state import ServiceState
from fleet.snapshot import Value
from fleet.vocabulary import PROPERTIES, Property, suggest

_WHO = ("kind", "cell", "above", "closed", "vendor", "model", "region")
_PLAYER = (*_WHO, "series", "messages", "events", "states")
_TRIAL = ("name", "rule", "interval", "until", "faults", "terminals", "windows", "blind", *_PLAYER)
_FAULT = ("rule", "subject", "item", "start", "fire", "clear", "suppressed_by")
_TURNS = ("flapping", "severity", "ticket")
_LONE = "ATM-1"
_INTERVAL = timedelta(seconds=10)

_T = TypeVar("_T")


def load(files: Iterable[Path], rules: Sequence[str]) -> tuple[Trial, ...]:
    """The tests in some files or folders of them, for a catalogue with rules of these names.

    Raises `CatalogueError` with every problem of every file.
    """
    sources = [Source(path) for path in _files(files)]
    trials: list[Trial] = []
    for source in sources:
        top = Fields(source, source.root, ("tests",))
        if isinstance(source.root, yaml.MappingNode) and not top.members("tests"):
            top.report("tests", "tests is missing or empty")
        found = (_trial(source, node, rules) for node in top.members("tests"))
        trials += [trial for trial in found if trial is not None]
    if problems := [problem for source in sources for problem in sorted(source.problems)]:
        raise CatalogueError(problems)
    return tuple(trials)


def _files(named: Iterable[Path]) -> list[Path]:
    files: list[Path] = []
    for path in named:
        files += sorted(path.glob("*.y*ml")) if path.is_dir() else [path]
    return files


def _trial(source: Source, node: yaml.Node, rules: Sequence[str]) -> Trial | None:
    fields = Fields(source, node, _TRIAL)
    if not isinstance(node, yaml.MappingNode):
        return None
    least = timedelta(milliseconds=100)
    interval = fields.duration("interval", least) if "interval" in fields else _INTERVAL
    players = _players(fields)
    if not players:
        fields.report("", "a test has a series, or terminals with a series each")
        return None
    longest = max(len(each.messages) for each in players)
    longest = max(longest, *(len(row) for each in players for row in each.series.values()), 1)
    until = fields.duration("until", interval) if "until" in fields else longest * interval
    rule = fields.choice("rule", rules)
    lone = players[0].name if len(players) == 1 else ""
    faults = [_fault(source, each, rule, lone, rules) for each in fields.members("faults")]
    return Trial(
        file=source.name,
        line=node.start_mark.line + 1,
        name=fields.text("name"),
        rule=rule,
        interval=interval,
        until=until,
        players=players,
        windows=setting.windows(fields),
        blind=setting.blind(fields),
        faults=tuple(sorted(faults, key=lambda fault: (fault.fire, fault.subject, fault.rule))),
    )


def _players(fields: Fields) -> tuple[Player, ...]:
    if "terminals" not in fields:
        return (_player(fields, _LONE),) if "series" in fields else ()
    for key in _PLAYER:
        if key in fields:
            fields.report(key, f"{key} stands in each of terminals")
    return tuple(
        _player(Fields(fields.source, node, _PLAYER), str(key.value))
        for key, node in fields.pairs("terminals")
    )


def _player(fields: Fields, name: str) -> Player:
    messages: tuple[Sending, ...] = (Sending(),)
    node = fields.scalar("messages") if "messages" in fields else None
    if node is not None:
        messages = _parsed(fields, "messages", node, series.sendings) or messages
    if messages[0].fate is Fate.BOOT:
        fields.report("messages", "the first snapshot follows a start anyway: begin with sent")
    return Player(
        name=name,
        kind=fields.choice("kind", KINDS) if "kind" in fields else "atm",
        cell=fields.text("cell") if "cell" in fields else "C1",
        vendor=fields.text("vendor") if "vendor" in fields else "",
        model=fields.text("model") if "model" in fields else "",
        region=fields.text("region") if "region" in fields else "",
        series=_series(fields),
        messages=messages,
        events=_events(fields),
        states=_states(fields) if "states" in fields else None,
        above=fields.texts("above"),
        closed=setting.closed(fields),
    )


def _series(fields: Fields) -> dict[str, tuple[Value | None, ...]]:
    found: dict[str, tuple[Value | None, ...]] = {}
    for key, node in fields.pairs("series"):
        path = str(key.value)
        known = _property(path)
        if known is None:
            near = suggest(path)
            hint = f"did you mean {near}?" if near else None
            fields.source.report_at(key, f"{path} is not a property of the contract", hint)
        elif isinstance(node, yaml.ScalarNode):

            def read(text: str, known: Property = known) -> tuple[Value | None, ...]:
                return series.values(text, known)

            found[path] = _parsed(fields, path, node, read) or (None,)
        else:
            fields.source.report_at(node, f"{path} must be values apart by blanks")
    return found


def _event(source: Source, node: yaml.Node) -> tuple[timedelta, dict[str, str]]:
    fields = Fields(source, node, ("at", *COUNTED))
    said = {key: fields.text(key) for key in COUNTED if key == "event" or key in fields}
    return fields.duration("at"), said


def _events(fields: Fields) -> tuple[tuple[timedelta, dict[str, str]], ...]:
    found = (_event(fields.source, node) for node in fields.members("events"))
    return tuple(sorted(found, key=lambda event: event[0]))


def _property(path: str) -> Property | None:
    """The property of a path; a member of a list is named in brackets: `storage[CST1].status`."""
    before, opened, rest = path.partition("[")
    name, closed, after = rest.partition("]")
    if opened and not (name and closed):
        return None
    return PROPERTIES.get(f"{before}[]{after}" if opened else before)


def _timed(fields: Fields, name: str, known: Sequence[str]) -> tuple[tuple[timedelta, str], ...]:
    """A mapping of times to one of the texts that are known."""
    found = []
    for key, node in fields.pairs(name):
        at = _parsed(fields, name, key, duration.parse)
        if node.value not in known:
            hint = nearest(str(node.value), known)
            fields.source.report_at(node, f"{name} cannot have {node.value}", hint)
        elif at is not None:
            found.append((at, str(node.value)))
    return tuple(found)


def _states(fields: Fields) -> tuple[tuple[timedelta, ServiceState], ...]:
    said = _timed(fields, "states", tuple(ServiceState))
    return tuple((at, ServiceState(state)) for at, state in said)


def _fault(source: Source, node: yaml.Node, rule: str, lone: str, rules: Sequence[str]) -> Interval:
    fields = Fields(source, node, (*_FAULT, *_TURNS))
    if isinstance(node, yaml.MappingNode):
        for key in ("start", "fire", *(() if lone else ("subject",))):
            if key not in fields:
                fields.report(key, f"{key} is missing")
    by = fields.choice("suppressed_by", rules) if "suppressed_by" in fields else None
    return Interval(
        fire=fields.duration("fire"),
        subject=fields.text("subject") if "subject" in fields else lone,
        rule=fields.choice("rule", rules) if "rule" in fields else rule,
        item=fields.text("item") if "item" in fields else "",
        start=fields.duration("start"),
        clear=fields.duration("clear") if "clear" in fields else None,
        suppressed_by=by,
        flapping=_is_true(fields, "flapping"),
        ticket=_ticket(fields),
        ratings=_timed(fields, "severity", tuple(Severity)) if "severity" in fields else (),
    )


def _ticket(fields: Fields) -> str:
    """When the fault calls somebody, as it would be written; nothing where it is not said."""
    if "ticket" not in fields:
        return ""
    if fields.text("ticket") == NO_TICKET:
        return NO_TICKET
    return duration.render(fields.duration("ticket"))


def _is_true(fields: Fields, key: str) -> bool:
    node = fields.scalar(key, "bool") if key in fields else None
    return node is not None and node.value == "true"


def _parsed(fields: Fields, key: str, node: yaml.Node, read: Callable[[str], _T]) -> _T | None:
    try:
        return read(str(node.value))
    except ValueError as error:
        fields.source.report_at(node, f"{key}: {error}")
        return None
