"""What a message says of a terminal, judged in its turn: conditions, counts, connection, state."""

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta

from fleet import snapshot
from fleet.rules.changes import Transition
from fleet.rules.clock_set import shift
from fleet.rules.counting import Counting
from fleet.rules.fading import Fading
from fleet.rules.faults import SOON, Faults
from fleet.rules.hearing import Hearing
from fleet.rules.hold import HOLDING, Signal
from fleet.rules.parts import Parts, speaks_of
from fleet.rules.record import Jump
from fleet.rules.rule import Count, Rate, Rule, Unsaid, When
from fleet.rules.slopes import Slopes
from fleet.rules.terminal import Terminal, name_of
from fleet.service_state import ServiceState, prevailing
from fleet.snapshot import Measured, Values
from fleet.telemetry import Event, Telemetry


class Judging:
    """Moves a terminal on by a message, and by what holds."""

    def __init__(self, faults: Faults) -> None:
        self._faults = faults
        self.fading = Fading(faults, self.settle)
        self.slopes = Slopes(faults, self.fading)
        self._counting = Counting(faults, self.fading)
        self._parts = Parts(faults)
        self.hearing = Hearing(faults, self.settle)

    def take_snapshot(
        self,
        terminal: Terminal,
        message: Telemetry,
        measured: Measured,
        arrived_at: datetime,
        *,
        live: bool,
    ) -> snapshot.Snapshot | None:
        """Judge a snapshot in its turn; what was read of it, if it says anything new."""
        status, storage = bytes(message.status), bytes(message.storage)
        changed = status != terminal.status or storage != terminal.storage
        read = snapshot.read(status, storage) if changed else None
        at, last = self._proceed(terminal, message, arrived_at, live=live)
        inputs = _differing(terminal.measured.values, measured.values)
        terminal.metrics = bytes(message.metrics)
        if read is not None:
            inputs |= _differing(terminal.values, read.values)
            inputs |= _differing_items(terminal.items, read.items)
            terminal.status, terminal.storage = read.status, read.storage
            terminal.values, terminal.items = read.values, read.items
            self._faults.record.restated.add(terminal.id)
        self._judge(terminal, inputs, at)
        if terminal.plan.rates:
            self.slopes.judge(terminal, inputs, at, last)
        if terminal.plan.parts:
            self._parts.judge(terminal, inputs, at)
        self.settle(terminal, at)
        return read

    def take_event(
        self, terminal: Terminal, message: Event, arrived_at: datetime, *, live: bool
    ) -> None:
        """Count an event in its turn."""
        at, _ = self._proceed(terminal, message, arrived_at, live=live)
        for rule, count in terminal.plan.counts:
            if count.matches(message):
                self._counting.count(terminal, rule, count, at)
        self.settle(terminal, at)

    def _proceed(
        self, terminal: Terminal, message: Telemetry | Event, arrived_at: datetime, *, live: bool
    ) -> tuple[datetime, datetime | None]:
        """Move its time; `live` where the message has only just been heard.

        Returns it, and that of the message before.
        """
        last = terminal.at
        before, set_by = terminal.clock(arrived_at), terminal.moved(message.ts, arrived_at)
        lag = terminal.lag
        at = terminal.advance(message.boot, message.seq, message.ts, arrived_at)
        if set_by is not None:
            self._note_jump(terminal, message, arrived_at, set_by)
            if at > before:
                shift(terminal, at - before, self._faults.record)
                last = None if last is None else last + (at - before)
        if terminal.off != (off := set_by is not None):
            terminal.off = self._faults.record.off[terminal.id] = off
        self.fading.fade(terminal, at)
        self._faults.expire(terminal, at, cut_off=self.hearing.cut_off(terminal, arrived_at))
        self._faults.record.terminals.add(terminal.id)
        if terminal.lag < lag - SOON:
            self.remind(terminal)
        if live:
            terminal.connected = True
            waited = self.hearing.awaited(terminal, "", arrived_at)  # until we heard again
            self.hearing.hear(terminal, arrived_at, at if waited else max(before, at))
        return at, last

    def remind(self, terminal: Terminal) -> None:
        """Set its timers: it is new here, or its time is found to be further than was thought."""
        for (rule, item), hold in terminal.holds.items():
            self._faults.remind(terminal, rule, item, hold)
        self.fading.adopt(terminal)

    def _note_jump(
        self, terminal: Terminal, message: Telemetry | Event, arrived_at: datetime, by: timedelta
    ) -> None:
        if not terminal.off:  # else it is as wrong as it was
            self._faults.record.jumps.append(
                Jump(terminal.id, message.boot, message.seq, message.ts, arrived_at, by)
            )

    def _judge(self, terminal: Terminal, inputs: set[str], at: datetime) -> None:
        """Evaluate the conditions that read one of these inputs; the others' answers stand."""
        if not inputs:
            return
        self.ask(terminal, terminal.plan.touched(inputs), at)
        if terminal.plan.staged and terminal.holds:
            self.ask_stages(terminal, inputs, at)

    def ask_stages(self, terminal: Terminal, inputs: set[str], at: datetime) -> None:
        """Ask the stages that read one of these inputs, of the faults that are there."""
        for name in sorted(inputs & terminal.plan.staged.keys()):
            for rule in terminal.plan.staged[name]:
                for item in [item for held, item in terminal.holds if held == rule.name]:
                    self._faults.ask_stages(terminal, rule, item, at)

    def ask(self, terminal: Terminal, readers: Iterable[tuple[Rule, When]], at: datetime) -> None:
        """Evaluate some conditions."""
        values = {**terminal.values, **terminal.measured.values}
        for rule, trigger in readers:
            if trigger.each is None:
                held = (rule.name, "") in terminal.holds
                self._faults.signal(terminal, rule, "", trigger.verdict(values, held=held), at)
            else:
                self._judge_each(terminal, rule, trigger, terminal.items.get(trigger.each), at)

    def doubt(self, terminal: Terminal, rule: Rule, item: str, at: datetime) -> None:
        """What holds by what a rule said before ends where the rule says otherwise by now, and no
        message need ever tell it so."""
        match rule.trigger:
            case When(each=each) | Rate(each=each) if (each is None) is not (item == ""):
                over = True
            case Count() | Rate():
                over = not self.fading.goes_on(terminal, rule.name, item, at)
            case Unsaid(component):
                over = speaks_of(terminal, component)
            case _:
                over = item != "" and not isinstance(rule.trigger, When)
        if over:
            self._faults.signal(terminal, rule, item, Signal.CLEAR, at)

    def _judge_each(
        self,
        terminal: Terminal,
        rule: Rule,
        trigger: When,
        items: tuple[Values, ...] | None,
        at: datetime,
    ) -> None:
        present = {name_of(number, item): item for number, item in enumerate(items or ())}
        for name, item in present.items():
            held = (rule.name, name) in terminal.holds
            self._faults.signal(terminal, rule, name, trigger.verdict(item, held=held), at)
        # A unit that was taken out has nothing wrong with it; a list not sent says nothing.
        gone = Signal.NEITHER if items is None else Signal.CLEAR
        for name in [item for held, item in terminal.holds if held == rule.name]:
            if name not in present:
                self._faults.signal(terminal, rule, name, gone, at)

    def settle(self, terminal: Terminal, at: datetime) -> None:
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


def _differing(before: Mapping[str, object], after: Mapping[str, object]) -> set[str]:
    if before is after:
        return set()
    other = {name for name, value in after.items() if before.get(name) != value}
    return other | (before.keys() - after.keys())


def _differing_items(
    before: Mapping[str, tuple[Values, ...]], after: Mapping[str, tuple[Values, ...]]
) -> set[str]:
    """Which properties of members differ; the list's own name where its members are others."""
    found: set[str] = set()
    for name in _differing(before, after):
        old, new = before.get(name), after.get(name)
        if old is None or new is None or _names(old) != _names(new):
            found.add(name)
            continue
        for one, other in zip(old, new, strict=True):
            if one != other:
                found.update(f"{name}[].{each}" for each in _differing(one, other))
    return found


def _names(items: tuple[Values, ...]) -> list[str]:
    return [name_of(number, item) for number, item in enumerate(items)]
