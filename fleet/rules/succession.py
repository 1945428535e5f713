"""From one set of rules to another: a catalogue that is new, a terminal that moved."""

from collections.abc import Container, Iterable
from datetime import datetime

from fleet.rules.cells import Cell
from fleet.rules.faults import Faults
from fleet.rules.hold import Signal
from fleet.rules.judging import Judging
from fleet.rules.selection import Selection
from fleet.rules.terminal import Terminal


class Succession:
    """Ends what the rules no longer say, and asks those that say something new."""

    def __init__(self, faults: Faults, judging: Judging, selection: Selection) -> None:
        self._faults = faults
        self._judging = judging
        self._selection = selection

    def replan(self, terminal: Terminal, now: datetime) -> None:
        """A terminal is another's, or elsewhere: other rules may hold for it."""
        before, terminal.plan = terminal.plan, self._selection.plan(terminal)
        if terminal.plan is not before:
            rules = terminal.plan.rules
            changed = {name for name in rules if rules[name] != before.rules.get(name)}
            self._reconsider(terminal, changed, now)
            for (rule, item), hold in terminal.holds.items():
                self._faults.remind(terminal, rule, item, hold)
            self._judging.hearing.await_silence(
                terminal, besides={**before.silent, **before.unseen}
            )
        self._faults.judge_cells(now)
        self._faults.telling.respeak_all(terminal, terminal.clock(now))

    def retire(self, terminals: Iterable[Terminal], now: datetime, changed: Container[str]) -> None:
        """Another catalogue is in force: the rules that `changed` are asked of every terminal."""
        cells = self._faults.quorums.cells
        for cell in cells.values():
            self._drop_strange(cell, now)
        for terminal in terminals:
            self._reconsider(terminal, changed, now)
        for cell in cells.values():
            self._faults.telling.respeak_all(cell, now)
        for terminal in terminals:
            self._faults.telling.respeak_all(terminal, terminal.clock(now))

    def _reconsider(self, terminal: Terminal, changed: Container[str], now: datetime) -> None:
        gone = self._drop_strange(terminal, now)
        for name, item in list(terminal.slopes):
            if name in changed or name not in terminal.plan.rules:
                self._judging.slopes.forget(terminal, name, item)
        names = [name for name in terminal.plan.rules if name in changed]
        if not gone and not names:
            return
        at = terminal.clock(now)
        if terminal.at is not None:
            readers = [each for each in terminal.plan.conditions if each[0].name in changed]
            self._judging.ask(terminal, readers, at)
        for name, item in [key for key in terminal.holds if key[0] in changed]:
            self._judging.doubt(terminal, terminal.plan.rules[name], item, at)
        for name, item in list(terminal.holds):
            if name in changed:
                rule = terminal.plan.rules[name]
                self._faults.ask_stages(terminal, rule, item, at)
                self._faults.restage(terminal, rule, item, at)
        for rule in terminal.plan.offline:
            if rule.name in changed and terminal.connected is False:
                self._faults.signal(terminal, rule, "", Signal.RAISE, at)
        self._judging.settle(terminal, at)
        self._faults.judge_cells(now)

    def _drop_strange(self, subject: Terminal | Cell, now: datetime) -> bool:
        gone = [
            key
            for key, hold in subject.holds.items()
            if self._faults.rule_of(subject, key[0]) is None
            or self._is_foreign(subject, key)
            or self._faults.goes_live(subject, key[0], hold)
        ]
        for rule, item in gone:
            self._faults.drop(subject, rule, item, now)
        return bool(gone)

    def _is_foreign(self, subject: Terminal | Cell, key: tuple[str, str]) -> bool:
        """A cell that reaches into several regions has a hold in each, by the region's code."""
        return isinstance(subject, Cell) and key[1] != self._faults.region
