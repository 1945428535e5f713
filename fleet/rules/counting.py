"""Rules that count: so many events within a while, until there are fewer again."""

from datetime import datetime

from fleet.rules.fading import Fading
from fleet.rules.faults import Faults
from fleet.rules.hold import Signal
from fleet.rules.rule import Count, Rule
from fleet.rules.terminal import Terminal


class Counting:
    """The times of a terminal's events, by rule; only the newest matter, as many as it takes."""

    def __init__(self, faults: Faults, fading: Fading) -> None:
        self._faults = faults
        self._fading = fading

    def count(self, terminal: Terminal, rule: Rule, count: Count, at: datetime) -> None:
        """One event more; only the newest matter, as many as it takes."""
        times = (*terminal.counts.get(rule.name, ()), at)[-count.at_least :]
        terminal.counts[rule.name] = times
        self._faults.record.counts[terminal.code, rule.name] = times
        if len(times) >= count.at_least and at - times[0] < count.within:
            awaited = terminal.holding(rule.name)
            self._faults.signal(terminal, rule, "", Signal.RAISE, at)
            if not awaited:
                self._fading.wait(terminal, rule.name)
