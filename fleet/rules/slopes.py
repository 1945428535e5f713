"""Rules about how fast a value moves, of the terminal or of each member of a list."""

from collections.abc import Iterable, Mapping
from datetime import datetime

from fleet.rules.fading import Fading
from fleet.rules.faults import Faults
from fleet.rules.hold import Signal
from fleet.rules.rule import Rate, Rule
from fleet.rules.slope import Slope
from fleet.rules.terminal import Terminal, name_of
from fleet.snapshot import Value


class Slopes:
    """Notes the values that rates are about, and judges them."""

    def __init__(self, faults: Faults, fading: Fading) -> None:
        self._faults = faults
        self._fading = fading

    def judge(
        self, terminal: Terminal, inputs: set[str], at: datetime, last: datetime | None
    ) -> None:
        """Judge the rates that read one of these inputs; `last` is the message before."""
        rates = terminal.plan.rates
        asked = {rule.name: (rule, rate) for i in inputs for rule, rate in rates.get(i, ())}
        for _, (rule, rate) in sorted(asked.items()):
            given: bool | None = True
            if rate.given is not None:
                given = rate.given.evaluate(terminal.read(None, ""))
            if given is False:
                for item in [item for name, item in terminal.slopes if name == rule.name]:
                    self._end(terminal, rule, item, at)
                continue
            for item, value in self._values(terminal, rule, rate, at):
                self._judge(terminal, rule, rate, item, value if given else None, at, last)

    def forget(self, terminal: Terminal, rule: str, item: str) -> None:
        """Begin anew with the next value."""
        if terminal.slopes.pop((rule, item), None) is not None:
            self._faults.record.slopes[terminal.code, rule, item] = None

    def _end(self, terminal: Terminal, rule: Rule, item: str, at: datetime) -> None:
        self.forget(terminal, rule.name, item)
        self._faults.signal(terminal, rule, item, Signal.CLEAR, at)

    def _values(
        self, terminal: Terminal, rule: Rule, rate: Rate, at: datetime
    ) -> Iterable[tuple[str, float | None]]:
        """The value of the terminal, or of each member: those that are gone are forgotten."""
        if rate.each is None:
            return [("", _number({**terminal.values, **terminal.measured.values}, rate.of))]
        members = terminal.items.get(rate.each)
        known = [item for name, item in terminal.slopes if name == rule.name]
        if members is None:
            return [(item, None) for item in known]
        present = {name_of(n, each): each for n, each in enumerate(members)}
        for item in known:
            if item not in present:
                self._end(terminal, rule, item, at)
        return [(item, _number(each, rate.of)) for item, each in present.items()]

    def _judge(
        self,
        terminal: Terminal,
        rule: Rule,
        rate: Rate,
        item: str,
        value: float | None,
        at: datetime,
        last: datetime | None,
    ) -> None:
        key = (rule.name, item)
        slope = terminal.slopes.get(key)
        if slope is None:
            if value is None:
                return
            slope = terminal.slopes[key] = Slope()
        if slope.note(rate, value, at, last):
            self._faults.record.slopes[terminal.code, *key] = slope
        if value is None:
            self._faults.signal(terminal, rule, item, Signal.NEITHER, at)
            return
        until = slope.steep_until(rate)
        steep = until is not None and until > at
        awaited = key in terminal.holds
        self._faults.signal(terminal, rule, item, Signal.RAISE if steep else Signal.CLEAR, at)
        if steep and not awaited:
            self._fading.wait(terminal, *key)


def _number(said: Mapping[str, Value], name: str) -> float | None:
    value = said.get(name)
    return float(value) if isinstance(value, int | float) else None
