"""The order in which messages were written: those that come too soon wait for those before them."""

from datetime import datetime

from fleet import snapshot
from fleet.rules.faults import Faults
from fleet.rules.judging import Judging
from fleet.rules.terminal import Kept, Terminal
from fleet.rules.timers import Timer, Turn
from fleet.telemetry import Event, Telemetry


class Ordering:
    """Keeps messages for as long as others before them may be late, and judges them in turn."""

    def __init__(self, faults: Faults, judging: Judging) -> None:
        self._faults = faults
        self._lateness = faults.lateness
        self._judging = judging
        self._reminded: set[int] = set()
        """Terminals of which the longest waiting message has a reminder: thousands may wait."""

    def adopt(self, terminal: Terminal) -> None:
        """Go on waiting for what a terminal's kept messages wait for."""
        self._reminded.discard(terminal.id)
        self._await_missing(terminal)

    def waits(self, terminal: Terminal, message: Telemetry | Event) -> bool:
        """Whether messages before this one are missing that may come yet."""
        key = (message.boot, message.seq)
        behind = key > (terminal.boot, terminal.seq)
        return behind and bool(self._lateness) and not terminal.follows(*key)

    def keep(self, terminal: Terminal, message: Telemetry | Event, arrived_at: datetime) -> None:
        """Let it wait for those before it, as long as they may be late; it is heard already."""
        key = (message.boot, message.seq)
        terminal.connected = True
        self._judging.hearing.hear(terminal, arrived_at)
        if key not in terminal.kept:
            terminal.kept[key] = Kept(message, arrived_at)
            self._faults.record.kept[terminal.id, *key] = terminal.kept[key]
            self._await_missing(terminal)

    def catch_up(self, terminal: Terminal) -> None:
        """Judge what waited for the message that has just been judged."""
        while kept := terminal.kept.get((terminal.boot, terminal.seq + 1)):
            self._judge(terminal, kept)

    def miss_no_longer(self, terminal: Terminal, now: datetime) -> None:
        """What is missing before a message that has waited long enough will not come in time."""
        self._reminded.discard(terminal.id)
        over = [k for k, kept in terminal.kept.items() if kept.arrived_at + self._lateness <= now]
        for key in sorted(terminal.kept):
            if over and key <= max(over):
                self._judge(terminal, terminal.kept[key])
        self.catch_up(terminal)
        self._await_missing(terminal)
        self._faults.judge_cells(now)

    def _await_missing(self, terminal: Terminal) -> None:
        if not terminal.kept or terminal.id in self._reminded:
            return
        self._reminded.add(terminal.id)
        due = min(kept.arrived_at for kept in terminal.kept.values()) + self._lateness
        self._faults.timers.put(Timer(due, Turn.KEPT, terminal.code, ""))

    def _judge(self, terminal: Terminal, kept: Kept) -> None:
        message, arrived_at = kept
        key = (message.boot, message.seq)
        del terminal.kept[key]
        self._faults.record.kept[terminal.id, *key] = None
        if key <= (terminal.boot, terminal.seq):  # another boot has taken over meanwhile
            return
        if isinstance(message, Event):
            self._judging.take_event(terminal, message, arrived_at, live=False)
        else:
            measured = snapshot.read_metrics(message.metrics)
            self._judging.take_snapshot(terminal, message, measured, arrived_at, live=False)
