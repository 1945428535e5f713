"""When a fault of a test would call somebody: its ticket, held by windows as the api holds it."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from fleet.rules.changes import Cleared, Fired, Rated, Suppressed
from fleet.rules.severity import Severity
from fleet.rules.terminal import Terminal
from fleet.rules.trials.story import T0, Window
from fleet.sla.calendar import Span
from fleet.windows.holding import due


class Call:
    """What is known of one fault: since when it is what, as far as a ticket asks."""

    def __init__(self, fired: Fired) -> None:
        self.fired = fired
        self._turns = [(fired.fired_at, fired.suppressed_by is None, fired.severity)]
        self._over: datetime | None = None

    def note(self, change: Rated | Suppressed | Cleared) -> None:
        """Take in what became of it."""
        _, alone, severity = self._turns[-1]
        match change:
            case Rated():
                self._turns.append((change.at, alone, change.severity))
            case Suppressed():
                self._turns.append((change.at, change.by is None, severity))
            case Cleared():
                self._over = change.at

    def at(self, windows: Sequence[Window], terminal: Terminal | None) -> timedelta | None:
        """The first instant at which it is open, speaks for itself, is no warning and is not held;
        None where there is none."""
        hold = self.fired.rule.hold
        held = [
            Span(T0 + window.stretch.begin, T0 + window.stretch.end)
            for window in windows
            if _about(window, self.fired, terminal)
        ]
        free = due(self.fired.fired_at, hold, held)
        ends = [*(at for at, *_ in self._turns[1:]), self._over]
        for (begin, alone, severity), end in zip(self._turns, ends, strict=True):
            at = max(begin, free)
            if alone and severity is not Severity.WARNING and (end is None or at < end):
                return at - T0
        return None


def _about(window: Window, fired: Fired, terminal: Terminal | None) -> bool:
    """A cell's fault is held by windows about that cell or one above, and by no others."""
    if window.component not in ("", fired.rule.component):
        return False
    if terminal is None:
        return not (window.terminals or window.kinds) and fired.cell in window.cells
    return covers(window, terminal)


def covers(window: Window, terminal: Terminal) -> bool:
    """Whether a window is about a terminal: all that it names must match."""
    return (
        (not window.terminals or terminal.code in window.terminals)
        and (not window.kinds or terminal.kind in window.kinds)
        and (not window.cells or not window.cells.isdisjoint((terminal.cell, *terminal.above)))
    )
