"""Conditions that end by themselves as time goes: what was counted is too old, a rise is long ago.

They end at exactly that instant, in the terminal's time, however late somebody looks.
"""

from collections.abc import Callable
from datetime import datetime

from fleet.rules.faults import SOON, Faults
from fleet.rules.hold import HOLDING, Signal
from fleet.rules.rule import Count, Rate
from fleet.rules.terminal import Terminal
from fleet.rules.timers import Timer, Turn


class Fading:
    """When such conditions end, and the reminders of it: one for each that holds."""

    def __init__(self, faults: Faults, settle: Callable[[Terminal, datetime], None]) -> None:
        self._faults = faults
        self._settle = settle

    def adopt(self, terminal: Terminal) -> None:
        """Go on waiting for what a terminal's conditions wait for."""
        for rule, item in terminal.holds:
            self.wait(terminal, rule, item)

    def wait(self, terminal: Terminal, rule: str, item: str = "") -> None:
        """While such a condition holds there is one reminder of when it ends."""
        end = _end(terminal, rule, item)
        if end is not None and _holds(terminal, rule, item):
            due = end + terminal.lag + self._faults.lateness
            self._faults.timers.put(Timer(due, Turn.COUNT, terminal.code, rule, item))

    def fade(self, terminal: Terminal, at: datetime) -> None:
        """End the conditions that are over by `at`, in their order, each at its own time."""
        if not (terminal.counts or terminal.slopes) or not terminal.holds:
            return
        over = []
        for rule, item in terminal.holds:
            end = _end(terminal, rule, item)
            if end is not None and end <= at and _holds(terminal, rule, item):
                over.append((end, rule, item))
        for end, rule, item in sorted(over):
            self._faults.end(terminal, rule, item, end)
            self._faults.signal(terminal, terminal.plan.rules[rule], item, Signal.CLEAR, end)
            self._settle(terminal, end)

    def goes_on(self, terminal: Terminal, rule: str, item: str, at: datetime) -> bool:
        """Whether such a condition holds at `at` by what is remembered."""
        end = _end(terminal, rule, item)
        return end is not None and end > at

    def look(self, terminal: Terminal, timer: Timer, now: datetime) -> None:
        """The reminder is due: end what is over, or be reminded again."""
        self.fade(terminal, terminal.settled(now, self._faults.lateness))
        end = _end(terminal, timer.rule, timer.item)
        if end is not None and _holds(terminal, timer.rule, timer.item):
            due = end + terminal.lag + self._faults.lateness
            again = max(due, now + SOON)
            self._faults.timers.put(timer._replace(due=again))


def _end(terminal: Terminal, rule: str, item: str) -> datetime | None:
    """When a condition ends if nothing more happens; None for one that time does not end."""
    found = terminal.plan.rules.get(rule)
    trigger = None if found is None else found.trigger
    if isinstance(trigger, Count):
        times = terminal.counts.get(rule, ())
        full = len(times) >= trigger.at_least
        return times[-trigger.at_least] + trigger.within if full else None
    if isinstance(trigger, Rate) and (slope := terminal.slopes.get((rule, item))):
        return slope.steep_until(trigger)
    return None


def _holds(terminal: Terminal, rule: str, item: str) -> bool:
    hold = terminal.holds.get((rule, item))
    return hold is not None and hold.phase in HOLDING
