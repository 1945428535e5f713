"""What was heard once, judged once more by the same engine, from a known beginning on. Pure."""

from collections import defaultdict, deque
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from types import MappingProxyType
from typing import NamedTuple
from uuid import UUID

from fleet.quarantine import Quarantined
from fleet.rules.changes import Change, Cleared, Fired, HoldKey, Rated, Suppressed
from fleet.rules.engine import Engine
from fleet.rules.hold import Hold
from fleet.rules.past import Past
from fleet.rules.rule import Count, Rate, Rule, Silent
from fleet.rules.selection import Selection
from fleet.rules.severity import Severity, worst
from fleet.rules.terminal import Terminal
from fleet.telemetry import Event, Presence, Telemetry

_TICK = timedelta(milliseconds=500)
_LEAST = timedelta(hours=1)
_CLOSED = timedelta(days=4)  # a long weekend


class Blind(NamedTuple):
    """When nobody listened; `broker`: the terminals were cut off too, and had to come back; or
    nobody knows it, for we were not there: `alone`."""

    since: datetime
    until: datetime
    broker: bool | None = None
    alone: bool = False


class Successor(NamedTuple):
    """Other rules from a time on; `changed` are those that say something else than before."""

    since: datetime
    rules: Selection
    changed: frozenset[str]


@dataclass(frozen=True, slots=True)
class Heard:
    """A message as it arrived."""

    at: datetime
    terminal_id: int
    message: Telemetry | Event | Presence
    retained: bool | None = None


@dataclass(frozen=True, slots=True)
class Course:
    """A fault as it came: `alone` where it spoke for itself at some time while it was open,
    `severity` the worst that it came to."""

    key: HoldKey
    cell: str
    severity: Severity
    started_at: datetime
    fired_at: datetime
    cleared_at: datetime | None
    alone: bool
    component: str = ""
    terminal_id: int | None = None
    ended_at: datetime | None = None
    """When its end was decided."""
    held: bool = False
    """Windows kept it from calling anybody for as long as it was true."""

    @property
    def calls(self) -> bool:
        """Whether it asks for a ticket."""
        return self.alone and not self.held and self.severity is not Severity.WARNING


class Replay:
    """One region's engine, fed from what is stored; `blind` are the times when nobody listened."""

    def __init__(
        self,
        rules: Selection,
        terminals: Sequence[Terminal],
        since: datetime,
        region: str = "",
        blind: Sequence[Blind] = (),
        lateness: timedelta = timedelta(),
        past: Past | None = None,
        cells: Mapping[str, dict[tuple[str, str], Hold]] = MappingProxyType({}),
        successors: Sequence[Successor] = (),
    ) -> None:
        """`past` is what the grid and the windows were; without it, they were always as now.
        `cells` are the holds of cells at the beginning, as terminals bring theirs."""
        self._region = region
        self._lateness = lateness
        self.engine = Engine(rules, region, lateness)
        self.courses: dict[UUID, Course] = {}
        self.messages = 0
        self._blind = list(blind)
        self._listening = True
        self._watching_since: datetime | None = None
        self._ticked = since
        self._past = past or Past()
        self._successors = deque(successors)
        changes = {each.since for each in successors}
        self._edges = deque(sorted(changes.union(self._past.edges(since))))
        self._watch(since)
        for terminal in terminals:
            if past is not None:
                terminal.cell, terminal.above, terminal.in_service = past.place(terminal, since)
            self.engine.adopt(terminal)
        for code, holds in cells.items():
            self.engine.adopt_cell(code, holds, {})
        # What was so at the beginning is asked, for nothing need change for it to be a fault.
        self.engine.retire(since, frozenset(rules.rules))
        self._note()

    def hear(self, heard: Heard) -> None:
        """One message more; time passes up to it first."""
        self.pass_time(heard.at)
        terminal = self.engine.terminals.get(heard.terminal_id)
        if terminal is None:  # it was decommissioned, and talked on
            return
        self.messages += 1
        match heard.message:
            case Telemetry():
                try:
                    self.engine.telemetry(terminal, heard.message, heard.at)
                except Quarantined:  # the contract was another one when it was stored
                    return
            case Event():
                self.engine.event(terminal, heard.message, heard.at)
            case Presence():
                retained = bool(heard.retained)
                self.engine.presence(terminal, heard.message, heard.at, retained=retained)
        self._note()

    def hear_up_to(self, until: datetime, heard: Heard) -> None:
        """One message more of those that tell what was so `until` then: it may come later, if it
        was written by then. A will or a birth is written when it comes."""
        if min(heard.message.ts, heard.at) <= until:
            if heard.at > until:
                self._close(until)
            self.hear(heard)

    def _close(self, until: datetime) -> None:
        """What comes from here on is late; nobody is silent while it is waited for."""
        self.pass_time(until)
        self._watch(None)
        self._blind.clear()

    def pass_time(self, until: datetime) -> None:
        """Let time pass: holds end, silences are noticed, the grid and the windows change."""
        while self._edges and self._edges[0] <= until:
            at = self._edges.popleft()
            self._listen(at)
            self._change(at)
        self._listen(until)

    def _change(self, at: datetime) -> None:
        """Put every terminal where it is from here on, under the rules of then."""
        while self._successors and self._successors[0].since <= at:
            self._go_over(self._successors.popleft())
        for terminal in list(self.engine.terminals.values()):
            gone = self._past.gone.get(terminal.id)
            if gone is not None and gone <= at:
                self.engine.remove(terminal, at)
                continue
            cell, above, serves = self._past.place(terminal, at)
            if serves is not terminal.in_service:
                self.engine.serve(terminal, at, in_service=serves)
            if (cell, above) != (terminal.cell, terminal.above):
                self.engine.move(terminal, cell, at, above)
        self._note()

    def _go_over(self, to: Successor) -> None:
        """Another catalogue: a restart in place, as the collector does it."""
        before = self.engine
        self.engine = Engine(to.rules, self._region, self._lateness)
        self.engine.watch(self._watching_since)
        for again in before.returns:
            self.engine.returned(again.at, again.patience, alone=again.alone)
        for terminal in before.terminals.values():
            self.engine.adopt(terminal)
        for code, cell in before.cells.items():
            self.engine.adopt_cell(code, cell.holds, cell.transitions)
        self.engine.retire(to.since, to.changed)

    def _watch(self, since: datetime | None) -> None:
        self._watching_since = since
        self.engine.watch(since)

    def _listen(self, until: datetime) -> None:
        """Holds end, silences are noticed, except while nobody listened."""
        while self._blind and self._edge() <= until:
            self._tick(self._edge())
            if self._listening:
                self._watch(None)
            else:
                over = self._blind.pop(0)
                self._watch(over.until)
                if over.broker:
                    self.engine.returned(over.until, alone=over.alone)
            self._listening = not self._listening
        self._tick(until)
        self._note()

    def _tick(self, until: datetime) -> None:
        """Let time pass as it does live, little by little: where all are silent nobody's message
        comes for hours, and what falls due meanwhile is for cells to hear when it does."""
        while self.engine.is_due(until) and (due := self.engine.next_due()) is not None:
            now = max(due, self._ticked + _TICK)
            if now >= until:
                break
            self.engine.tick(now)
            self._ticked = now
        self.engine.tick(until)
        self._ticked = until

    def finish(self, until: datetime) -> None:
        """Nothing more comes: what may have been late is late no more, and nobody is silent."""
        self._close(until)
        self.engine.conclude(until)
        self._note()

    def _edge(self) -> datetime:
        """When listening ends or begins next."""
        return self._blind[0].since if self._listening else self._blind[0].until

    def _note(self) -> None:
        for change in self.engine.take().changes:
            self._take(change)

    def _take(self, change: Change) -> None:
        match change:
            case Rated() | Cleared() | Suppressed() if change.id not in self.courses:
                pass  # of a fault that was there at the beginning
            case Fired():
                self.courses[change.id] = Course(
                    change.key,
                    change.cell,
                    change.severity,
                    change.started_at,
                    change.fired_at,
                    None,
                    alone=change.suppressed_by is None,
                    component=change.rule.component,
                    terminal_id=change.terminal_id,
                )
            case Rated():
                known = self.courses[change.id]
                came_to = worst(known.severity, change.severity)
                self.courses[change.id] = replace(known, severity=came_to)
            case Cleared():
                over = replace(
                    self.courses[change.id], cleared_at=change.cleared_at, ended_at=change.at
                )
                self.courses[change.id] = over
            case Suppressed(by=None):
                self.courses[change.id] = replace(self.courses[change.id], alone=True)
            case _:
                pass


def lead(rules: Iterable[Rule]) -> timedelta:
    """How long before a time a replay begins so that its holds stand as they stood then."""
    variants: dict[str, list[Rule]] = defaultdict(list)
    for rule in rules:
        variants[rule.name].append(rule)
    return max(map(_memory, variants.values()), default=_LEAST) + _LEAST


def _memory(variants: Sequence[Rule]) -> timedelta:
    """Of one rule as overrides make it: several may set a part each where they meet."""
    held = max(rule.hold for rule in variants) + max(rule.clear_hold for rule in variants)
    if any(rule.schedule is not None for rule in variants):
        held += _CLOSED
    return held + max(_looks_back(rule) for rule in variants)


def _looks_back(rule: Rule) -> timedelta:
    match rule.trigger:
        case Silent(after):
            return after
        case Count(within=within) | Rate(within=within):
            return within
        case _:
            return timedelta()
