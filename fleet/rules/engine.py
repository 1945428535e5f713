"""The rule engine: pure, one step at a time.

`telemetry`, `event`, `presence` and `tick` each take what happened and when it arrived, move the
state of terminals and cells, and leave behind what changed (`take`): service-state transitions,
faults, holds. Nothing here reads a clock or writes anywhere. Time is the terminal's own
(`fleet.rules.terminal`), for silence and for cells it is ours. A hold that is over ends at exactly
`since + for`, however late the step that notices it: a restart shifts nothing.
"""

from collections.abc import Container, Iterable, Mapping
from datetime import datetime, timedelta
from types import MappingProxyType

import msgspec

from fleet import snapshot
from fleet.rules.cells import Cell
from fleet.rules.changes import Transition
from fleet.rules.faults import Faults
from fleet.rules.flapping import Transitions
from fleet.rules.hold import HOLDING, Hold, Signal
from fleet.rules.record import Record
from fleet.rules.rule import Count, Rule, When
from fleet.rules.selection import Selection
from fleet.rules.terminal import Terminal
from fleet.rules.timers import Timer, Turn
from fleet.service_state import ServiceState, prevailing
from fleet.snapshot import NOTHING_MEASURED, Measured, Values
from fleet.telemetry import Event, Presence, Telemetry
from fleet.vocabulary import Unknown

RETURN = timedelta(minutes=1)
"""How long terminals have to come back after the broker did; twice the longest back-off."""
_LOOK_AGAIN = timedelta(seconds=1)
_NONE: Mapping[str, timedelta] = MappingProxyType({})

Cells = tuple[str, ...]
"""Codes of the cells above another."""


class Outcome(msgspec.Struct, frozen=True, gc=False):
    """What became of a message: `late` ones are stored and judged no more."""

    late: bool = False
    changed: bool = False
    measured: Measured = NOTHING_MEASURED
    unknown: tuple[Unknown, ...] = ()


class Engine:
    """The state of the terminals and cells of one region, and the rules that judge them."""

    def __init__(self, rules: Iterable[Rule] | Selection, region: str = "") -> None:
        self._selection = rules if isinstance(rules, Selection) else Selection(rules)
        self._faults = Faults(self._selection, region)
        self._watching_since: datetime | None = None
        self._returned_at: datetime | None = None
        self._by_code: dict[str, Terminal] = {}
        self.terminals: dict[int, Terminal] = {}

    @property
    def cells(self) -> Mapping[str, Cell]:
        """The cells that have members here, by code."""
        return self._faults.cells

    def take(self) -> Record:
        """What changed since the last call, to be written down in one transaction."""
        record, self._faults.record = self._faults.record, Record()
        return record

    # -- who is there ------------------------------------------------------------------------

    def adopt(self, terminal: Terminal) -> None:
        """Take on a terminal, new or as it was stored, with its holds."""
        terminal.plan = self._selection.plan(terminal)
        self.terminals[terminal.id] = terminal
        self._by_code[terminal.code] = terminal
        self._faults.join(terminal)
        for (rule, item), hold in terminal.holds.items():
            self._faults.remind(terminal, rule, item, hold)
        self._await_silence(terminal)
        for counting, count in terminal.plan.counts:
            self._await_fewer(terminal, counting, count)

    def adopt_cell(
        self,
        code: str,
        holds: dict[tuple[str, str], Hold],
        transitions: dict[tuple[str, str], Transitions],
    ) -> None:
        """Take on a cell's stored holds."""
        cell = self._faults.cells.setdefault(code, Cell(code))
        cell.holds.update(holds)
        cell.transitions.update(transitions)
        self._faults.touch(code)
        for (rule, item), hold in holds.items():
            self._faults.remind(cell, rule, item, hold)

    def serve(self, terminal: Terminal, now: datetime, *, in_service: bool) -> None:
        """A terminal goes into maintenance or comes out of it: a quorum counts it or does not."""
        terminal.in_service = in_service
        self._faults.recount(terminal)
        self._faults.judge_cells(now)

    def move(self, terminal: Terminal, cell: str, now: datetime, above: Cells = ()) -> None:
        """The grid changed: a terminal belongs to another cell, or its cell to others."""
        self._faults.leave(terminal)
        terminal.cell, terminal.above = cell, above
        self._faults.join(terminal)
        before, terminal.plan = terminal.plan, self._selection.plan(terminal)
        if terminal.plan is not before:
            rules = terminal.plan.rules
            changed = {name for name in rules if rules[name] != before.rules.get(name)}
            self._reconsider(terminal, changed, now)
            for (rule, item), hold in terminal.holds.items():
                self._faults.remind(terminal, rule, item, hold)
            self._await_silence(terminal, besides=before.silent)
        self._faults.judge_cells(now)
        self._faults.respeak(terminal, terminal.clock(now))

    def remove(self, terminal: Terminal, now: datetime) -> None:
        """A terminal was decommissioned: its faults end."""
        for rule, item in list(terminal.holds):
            self._faults.drop(terminal, rule, item, now)
        self._faults.leave(terminal)
        del self.terminals[terminal.id], self._by_code[terminal.code]
        self._faults.judge_cells(now)

    def retire(self, now: datetime, changed: Container[str] = ()) -> None:
        """Go over to another catalogue: end what its rules no longer say, and ask those that
        changed, for nothing need happen to a terminal before a new rule is right about it."""
        for cell in self._faults.cells.values():
            self._drop_strange(cell, self._faults.rules, now)
        for terminal in self.terminals.values():
            self._reconsider(terminal, changed, now)
        for cell in self._faults.cells.values():
            self._faults.respeak(cell, now)
        for terminal in self.terminals.values():
            self._faults.respeak(terminal, terminal.clock(now))

    def _reconsider(self, terminal: Terminal, changed: Container[str], now: datetime) -> None:
        gone = self._drop_strange(terminal, terminal.plan.rules, now)
        names = [name for name in terminal.plan.rules if name in changed]
        if not gone and not names:
            return
        at = terminal.clock(now)
        if terminal.at is not None:
            readers = [each for each in terminal.plan.conditions if each[0].name in changed]
            self._ask(terminal, readers, at)
        for rule in terminal.plan.offline:
            if rule.name in changed and terminal.connected is False:
                self._faults.signal(terminal, rule, "", Signal.RAISE, at)
        self._settle(terminal, at)
        self._faults.judge_cells(now)

    def _drop_strange(self, subject: Terminal | Cell, known: Container[str], now: datetime) -> bool:
        gone = [
            key for key in subject.holds if key[0] not in known or self._is_foreign(subject, key)
        ]
        for rule, item in gone:
            self._faults.drop(subject, rule, item, now)
        return bool(gone)

    def _is_foreign(self, subject: Terminal | Cell, key: tuple[str, str]) -> bool:
        """A cell that reaches into several regions has a hold in each, by the region's code."""
        return isinstance(subject, Cell) and key[1] != self._faults.region

    def watch(self, since: datetime | None) -> None:
        """From when on we hear everything; None while we are blind: then nobody is silent."""
        self._watching_since = since

    def returned(self, at: datetime) -> None:
        """The broker was away, for us and for the terminals: each has `RETURN` to speak again.

        Until then a will says only that the broker ended, and a hold is not over by time alone:
        what ended it may still wait at the terminal.
        """
        self._returned_at = at

    # -- what happens ------------------------------------------------------------------------

    def telemetry(self, terminal: Terminal, message: Telemetry, arrived_at: datetime) -> Outcome:
        """Judge a snapshot. Raises `Quarantined`, with nothing changed, when it cannot be read."""
        metrics = bytes(message.metrics)
        same = metrics == terminal.metrics
        measured = terminal.measured if same else snapshot.read_metrics(metrics)
        status, storage = bytes(message.status), bytes(message.storage)
        changed = status != terminal.status or storage != terminal.storage
        if not changed and self._goes_on(terminal, message, measured, arrived_at):
            terminal.metrics, terminal.measured = metrics, measured
            return Outcome(measured=measured)
        if not terminal.is_next(message.boot, message.seq, message.ts, arrived_at):
            snapshot.read(status, storage)
            self._hear(terminal, arrived_at)
            return Outcome(late=True, measured=measured)
        read = snapshot.read(status, storage) if changed else None
        at = self._proceed(terminal, message, arrived_at)
        inputs = _differing(terminal.measured.values, measured.values)
        terminal.metrics, terminal.measured = metrics, measured
        if read is not None:
            inputs |= _differing(terminal.values, read.values)
            inputs |= _differing(terminal.items, read.items)
            terminal.status, terminal.storage = status, storage
            terminal.values, terminal.items = read.values, read.items
        self._judge(terminal, inputs, at)
        self._settle(terminal, at)
        self._faults.judge_cells(arrived_at)
        unknown = read.unknown if read else ()
        return Outcome(changed=changed, measured=measured, unknown=unknown)

    def event(self, terminal: Terminal, message: Event, arrived_at: datetime) -> Outcome:
        """Count an event that came; events move the terminal's clock and end its silence."""
        if not terminal.is_next(message.boot, message.seq, message.ts, arrived_at):
            self._hear(terminal, arrived_at)
            return Outcome(late=True)
        at = self._proceed(terminal, message, arrived_at)
        for rule, count in terminal.plan.counts:
            if count.matches(message):
                self._count(terminal, rule, count, at)
        self._settle(terminal, at)
        self._faults.judge_cells(arrived_at)
        return Outcome()

    def presence(
        self, terminal: Terminal, message: Presence, arrived_at: datetime, *, retained: bool
    ) -> Outcome:
        """Judge a birth message or last will.

        A will was written when the terminal connected, so it says nothing of when it went: that is
        its arrival. A `retained` delivery is the broker's memory, not a sign of life.
        """
        if message.boot < terminal.boot:
            return Outcome(late=True)
        terminal.connected = message.online
        self._faults.record.terminals.add(terminal.id)
        if message.online and not retained:
            self._hear(terminal, arrived_at)
        if not message.online and (until := self._awaited(terminal, "", arrived_at)):
            self._faults.timers.put(Timer(until, Turn.RETURN, terminal.code, ""))
            return Outcome()
        self._judge_connection(terminal, terminal.clock(arrived_at))
        self._settle(terminal, terminal.clock(arrived_at))
        self._faults.judge_cells(arrived_at)
        return Outcome()

    def tick(self, now: datetime) -> None:
        """Let time pass: silences are noticed, holds end, cells before their members."""
        self._faults.judge_cells(now)
        while due := self._faults.timers.take(now):
            self._fall_due_together(due, now)
        # What waited for a decision goes on as soon as that is made.
        while waited := self._faults.take_waiting():
            self._fall_due_together(waited, now)
            if len(self._faults.waiting) == len(waited):
                break
        self._faults.wait(now)

    def _fall_due_together(self, due: list[Timer], now: datetime) -> None:
        for turn in Turn:
            for timer in due:
                if timer.turn is turn:
                    self._fall_due(timer, now)
            self._faults.judge_cells(now)

    # -- conditions --------------------------------------------------------------------------

    def _goes_on(
        self, terminal: Terminal, message: Telemetry, measured: Measured, arrived_at: datetime
    ) -> bool:
        """The short way of nearly every message: all is well, and this says so once more."""
        if (
            not terminal.is_well()
            or terminal.plan.raises(terminal.measured.values, measured.values)
            or not terminal.goes_on(message.boot, message.seq, message.ts, arrived_at)
        ):
            return False
        self._faults.record.terminals.add(terminal.id)
        return True

    def _proceed(
        self, terminal: Terminal, message: Telemetry | Event, arrived_at: datetime
    ) -> datetime:
        at = terminal.advance(message.boot, message.seq, message.ts, arrived_at)
        self._count_down(terminal, at)
        self._faults.expire(terminal, at)
        terminal.connected = True
        self._hear(terminal, arrived_at)
        return at

    def _hear(self, terminal: Terminal, arrived_at: datetime) -> None:
        first = terminal.heard_at is None
        terminal.heard_at = max(arrived_at, terminal.heard_at or arrived_at)
        self._faults.record.terminals.add(terminal.id)
        if first:
            self._await_silence(terminal)
        if terminal.holds:
            self._judge_connection(terminal, terminal.clock(arrived_at))

    def _judge_connection(self, terminal: Terminal, at: datetime) -> None:
        """What was offline or silent is so no more, or the will has just said that it is."""
        rules = terminal.plan
        gone = terminal.connected is False
        for rule in rules.offline:
            self._faults.signal(terminal, rule, "", Signal.RAISE if gone else Signal.CLEAR, at)
        for name in rules.silent:
            self._faults.signal(terminal, rules.rules[name], "", Signal.CLEAR, at)

    def _judge(self, terminal: Terminal, inputs: set[str], at: datetime) -> None:
        """Evaluate the conditions that read one of these inputs; the others' answers stand."""
        if not inputs:
            return
        self._ask(terminal, terminal.plan.touched(inputs), at)

    def _ask(self, terminal: Terminal, readers: Iterable[tuple[Rule, When]], at: datetime) -> None:
        values = {**terminal.values, **terminal.measured.values}
        for rule, trigger in readers:
            if trigger.each is None:
                held = (rule.name, "") in terminal.holds
                self._faults.signal(terminal, rule, "", _verdict(trigger, values, held=held), at)
            else:
                self._judge_each(terminal, rule, trigger, terminal.items.get(trigger.each), at)

    def _judge_each(
        self,
        terminal: Terminal,
        rule: Rule,
        trigger: When,
        items: tuple[Values, ...] | None,
        at: datetime,
    ) -> None:
        present = {_name(number, item): item for number, item in enumerate(items or ())}
        for name, item in present.items():
            held = (rule.name, name) in terminal.holds
            self._faults.signal(terminal, rule, name, _verdict(trigger, item, held=held), at)
        # A unit that was taken out has nothing wrong with it; a list not sent says nothing.
        gone = Signal.NEITHER if items is None else Signal.CLEAR
        for name in [item for held, item in terminal.holds if held == rule.name]:
            if name not in present:
                self._faults.signal(terminal, rule, name, gone, at)

    def _count(self, terminal: Terminal, rule: Rule, count: Count, at: datetime) -> None:
        """One event more; only the newest matter, as many as it takes."""
        times = (*terminal.counts.get(rule.name, ()), at)[-count.at_least :]
        terminal.counts[rule.name] = times
        self._faults.record.counts[terminal.code, rule.name] = times
        if _full(times, count, at):
            awaited = terminal.holding(rule.name)
            self._faults.signal(terminal, rule, "", Signal.RAISE, at)
            if not awaited:
                self._await_fewer(terminal, rule, count)

    def _count_down(self, terminal: Terminal, at: datetime) -> None:
        """End the conditions whose events are too old, in their order, each at its own time."""
        if not terminal.counts:
            return
        over = []
        for rule, count in terminal.plan.counts:
            times = terminal.counts.get(rule.name)
            if times and terminal.holding(rule.name) and not _full(times, count, at):
                over.append((min(_too_old_at(times, count), at), rule.name))
        for end, name in sorted(over):
            self._faults.end(terminal, name, "", end)
            self._faults.signal(terminal, terminal.plan.rules[name], "", Signal.CLEAR, end)
            self._settle(terminal, end)

    def _await_fewer(self, terminal: Terminal, rule: Rule, count: Count) -> None:
        """While a count is full there is one reminder of when its oldest event is too old."""
        times = terminal.counts.get(rule.name)
        if times and terminal.holding(rule.name):
            due = _too_old_at(times, count) + terminal.lag
            self._faults.timers.put(Timer(due, Turn.COUNT, terminal.code, rule.name))

    def _settle(self, terminal: Terminal, at: datetime) -> None:
        """The service state follows from what holds now."""
        if not terminal.holds and terminal.state is ServiceState.IN_SERVICE:
            return
        impacts = terminal.plan.impacts
        holding = {
            rule: impacts[rule]
            for (rule, _), hold in terminal.holds.items()
            if rule in impacts and hold.phase in HOLDING
        }
        state = prevailing(holding.values())
        if terminal.at is None:
            state = ServiceState.UNKNOWN
        if state is not terminal.state:
            since = max(at, terminal.state_since or at)
            causes = tuple(sorted(rule for rule, impact in holding.items() if impact is state))
            terminal.state, terminal.state_since = state, since
            self._faults.record.terminals.add(terminal.id)
            self._faults.record.changes.append(Transition(terminal.id, state, since, causes))

    # -- time --------------------------------------------------------------------------------

    def _fall_due(self, timer: Timer, now: datetime) -> None:
        subject: Terminal | Cell | None = self._by_code.get(timer.subject)
        if timer.turn is Turn.CELL:
            subject = self._faults.cells.get(timer.subject)
        if subject is not None and (until := self._awaited(subject, timer.rule, now)):
            again = min(until, max(now, timer.due) + _LOOK_AGAIN)
            self._faults.timers.put(timer._replace(due=again))
        elif isinstance(subject, Terminal) and timer.turn is Turn.RETURN:
            self._judge_connection(subject, subject.clock(timer.due))
            self._settle(subject, subject.clock(timer.due))
        elif isinstance(subject, Terminal) and timer.turn is Turn.SILENCE:
            self._fall_silent(subject, timer, now)
        elif isinstance(subject, Terminal) and timer.turn is Turn.COUNT:
            self._fewer(subject, timer, now)
        elif subject is not None:
            clock = subject.clock(now) if isinstance(subject, Terminal) else now
            if not self._faults.end(subject, timer.rule, timer.item, clock):
                self._faults.put_off(subject, timer, now)

    def _awaited(self, subject: Terminal | Cell, rule: str, now: datetime) -> datetime | None:
        """Until when what was cut off with us may come back; a cell waits for its members."""
        since = self._returned_at
        if since is None or now >= since + RETURN:
            return None
        members: Iterable[Terminal] = (subject,) if isinstance(subject, Terminal) else ()
        if isinstance(subject, Cell) and (gathering := subject.gatherings.get(rule)):
            members = gathering.members.values()
        back = all(each.heard_at and each.heard_at >= since for each in members)
        return None if back else since + RETURN

    def _await_silence(self, terminal: Terminal, besides: Mapping[str, timedelta] = _NONE) -> None:
        """From the first time it is heard a terminal has one reminder for each rule of silence."""
        if terminal.heard_at is not None:
            for name, after in terminal.plan.silent.items():
                if besides.get(name) != after:
                    due = terminal.heard_at + after
                    self._faults.timers.put(
                        Timer(due, Turn.SILENCE, terminal.code, name, str(after))
                    )

    def _fewer(self, terminal: Terminal, timer: Timer, now: datetime) -> None:
        self._count_down(terminal, terminal.clock(now))
        rule = terminal.plan.rules.get(timer.rule)
        count = rule.trigger if rule else None
        if isinstance(count, Count) and terminal.holding(timer.rule):
            due = _too_old_at(terminal.counts[timer.rule], count) + terminal.lag
            again = max(due, now + timedelta(milliseconds=100))
            self._faults.timers.put(timer._replace(due=again))

    def _fall_silent(self, terminal: Terminal, timer: Timer, now: datetime) -> None:
        after = terminal.plan.silent.get(timer.rule)
        if (
            after is None or str(after) != timer.item
        ):  # its cell has changed since, and what is said there
            return
        rule = terminal.plan.rules[timer.rule]
        again = now + after
        if terminal.heard_at is not None and self._watching_since is not None:
            due = max(terminal.heard_at, self._watching_since) + after
            if now < due:
                again = due
            elif terminal.connected is not False:
                at = terminal.clock(due)
                self._faults.signal(terminal, rule, "", Signal.RAISE, at)
                self._settle(terminal, at)
        self._faults.timers.put(timer._replace(due=again))


def _differing(before: Mapping[str, object], after: Mapping[str, object]) -> set[str]:
    if before is after:
        return set()
    other = {name for name, value in after.items() if before.get(name) != value}
    return other | (before.keys() - after.keys())


def _full(times: tuple[datetime, ...], count: Count, at: datetime) -> bool:
    return len(times) >= count.at_least and at - times[-count.at_least] < count.within


def _too_old_at(times: tuple[datetime, ...], count: Count) -> datetime:
    return times[-count.at_least :][0] + count.within


def _name(number: int, item: Values) -> str:
    """What an item is called: its id, its position's name, or its place in the list."""
    return str(item.get("id") or item.get("position") or number)


def _verdict(trigger: When, values: Values, *, held: bool) -> Signal:
    raised = trigger.condition.evaluate(values)
    if raised:
        return Signal.RAISE
    if not held:  # idle answers all else alike: whether it clears need not be asked
        return Signal.NEITHER
    if trigger.clear_when is not None:
        return Signal.CLEAR if trigger.clear_when.evaluate(values) else Signal.NEITHER
    return Signal.NEITHER if raised is None else Signal.CLEAR
