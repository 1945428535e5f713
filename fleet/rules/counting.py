"""Rules that count: so many events within a while, and when there are fewer again."""

from collections.abc import Callable
from datetime import datetime, timedelta

from fleet.rules.faults import Faults
from fleet.rules.hold import Signal
from fleet.rules.rule import Count, Rule
from fleet.rules.terminal import Terminal
from fleet.rules.timers import Timer, Turn


class Counting:
    """The times of a terminal's events, by rule; only the newest matter, as many as it takes."""

    def __init__(self, faults: Faults, settle: Callable[[Terminal, datetime], None]) -> None:
        self._faults = faults
        self._settle = settle

    def count(self, terminal: Terminal, rule: Rule, count: Count, at: datetime) -> None:
        """One event more; only the newest matter, as many as it takes."""
        times = (*terminal.counts.get(rule.name, ()), at)[-count.at_least :]
        terminal.counts[rule.name] = times
        self._faults.record.counts[terminal.code, rule.name] = times
        if _full(times, count, at):
            awaited = terminal.holding(rule.name)
            self._faults.signal(terminal, rule, "", Signal.RAISE, at)
            if not awaited:
                self.await_fewer(terminal, rule, count)

    def count_down(self, terminal: Terminal, at: datetime) -> None:
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

    def await_fewer(self, terminal: Terminal, rule: Rule, count: Count) -> None:
        """While a count is full there is one reminder of when its oldest event is too old."""
        times = terminal.counts.get(rule.name)
        if times and terminal.holding(rule.name):
            due = _too_old_at(times, count) + terminal.lag + self._faults.lateness
            self._faults.timers.put(Timer(due, Turn.COUNT, terminal.code, rule.name))

    def fewer(self, terminal: Terminal, timer: Timer, now: datetime) -> None:
        """The reminder is due: end what is over, or be reminded again."""
        self.count_down(terminal, terminal.settled(now, self._faults.lateness))
        rule = terminal.plan.rules.get(timer.rule)
        count = rule.trigger if rule else None
        if isinstance(count, Count) and terminal.holding(timer.rule):
            due = (
                _too_old_at(terminal.counts[timer.rule], count)
                + terminal.lag
                + self._faults.lateness
            )
            again = max(due, now + timedelta(milliseconds=100))
            self._faults.timers.put(timer._replace(due=again))


def _full(times: tuple[datetime, ...], count: Count, at: datetime) -> bool:
    return len(times) >= count.at_least and at - times[-count.at_least] < count.within


def _too_old_at(times: tuple[datetime, ...], count: Count) -> datetime:
    return times[-count.at_least :][0] + count.within
