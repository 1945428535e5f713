"""The rule engine: pure, one step at a time.

`telemetry`, `event`, `presence` and `tick` each take what happened and when it arrived, move the
state of terminals and cells, and leave behind what changed (`take`): service-state transitions,
faults, holds. Nothing here reads a clock or writes anywhere. Time is the terminal's own
(`fleet.rules.terminal`), for silence it is ours, for cells that of what they count
(`fleet.rules.untold`). A hold that is over ends at exactly `since + for`, however late the step
that notices it: a restart shifts nothing.
"""

from collections.abc import Container, Iterable, Mapping
from datetime import datetime, timedelta
from itertools import groupby
from operator import attrgetter

import msgspec

from fleet import snapshot
from fleet.heartbeat import Heartbeat, Refrain
from fleet.rules.births import Births
from fleet.rules.cells import Cell
from fleet.rules.faults import Faults
from fleet.rules.flapping import Transitions
from fleet.rules.hearing import RETURN, Return
from fleet.rules.hold import Hold
from fleet.rules.judging import Judging
from fleet.rules.ordering import Ordering
from fleet.rules.record import Record
from fleet.rules.rule import Rule
from fleet.rules.selection import Selection
from fleet.rules.sequence import Sequence
from fleet.rules.succession import Succession
from fleet.rules.terminal import Terminal
from fleet.rules.timers import Timer, Turn
from fleet.snapshot import NOTHING_MEASURED, Measured
from fleet.telemetry import Event, Presence, Telemetry
from fleet.vocabulary import Unknown
from fleet.windows.hours import Hours

_LOOK_AGAIN = timedelta(seconds=1)
_TURN = attrgetter("turn")

Cells = tuple[str, ...]
"""Codes of the cells above another."""


class Outcome(msgspec.Struct, frozen=True, gc=False):
    """What became of a message: `late` ones are stored and judged no more, `kept` ones wait for
    others that are missing; `changed` ones may say something else than the one before."""

    late: bool = False
    kept: bool = False
    changed: bool = False
    measured: Measured = NOTHING_MEASURED
    unknown: tuple[Unknown, ...] = ()


class Engine:
    """The state of the terminals and cells of one region, and the rules that judge them."""

    def __init__(
        self,
        rules: Iterable[Rule] | Selection,
        region: str = "",
        lateness: timedelta = timedelta(),
    ) -> None:
        """`region` names its part of a cell; `lateness` is how late a message may come and still
        be judged in its place."""
        self._selection = rules if isinstance(rules, Selection) else Selection(rules)
        self._faults = Faults(self._selection, region, lateness)
        self._lateness = lateness
        self._judging = Judging(self._faults)
        self._hearing = self._judging.hearing
        self._ordering = Ordering(self._faults, self._judging)
        self._sequence = Sequence(self._faults, self._hearing)
        self._succession = Succession(self._faults, self._judging, self._selection)
        self._births = Births()
        self._by_code: dict[str, Terminal] = {}
        self.terminals: dict[int, Terminal] = {}

    @property
    def cells(self) -> Mapping[str, Cell]:
        """The cells that have members here, by code."""
        return self._faults.quorums.cells

    @property
    def has_decided(self) -> bool:
        """Whether there are changes for `take`."""
        return bool(self._faults.record.changes)

    def is_due(self, now: datetime) -> bool:
        """Whether time alone brings anything about by `now`."""
        return self._faults.is_due(now)

    def next_due(self) -> datetime | None:
        """When time alone may bring something about next."""
        return self._faults.next_due()

    def take(self) -> Record:
        """What changed since the last call, to be written down in one transaction."""
        self._faults.settle_cells()
        return self._faults.record.taken()

    # -- who is there ------------------------------------------------------------------------

    def adopt(self, terminal: Terminal) -> None:
        """Take on a terminal, new or as it was stored, with its holds."""
        terminal.plan = self._selection.plan(terminal)
        self.terminals[terminal.id] = terminal
        self._by_code[terminal.code] = terminal
        self._sequence.adopt(terminal)
        self._faults.quorums.join(terminal)
        self._hearing.await_silence(terminal)
        self._hearing.await_return(terminal)
        self._ordering.adopt(terminal)
        self._judging.remind(terminal)

    def adopt_cell(
        self,
        code: str,
        holds: dict[tuple[str, str], Hold],
        transitions: dict[tuple[str, str], Transitions],
    ) -> None:
        """Take on a cell's stored holds."""
        cell = self._faults.quorums.cells.setdefault(code, Cell(code))
        cell.holds.update(holds)
        cell.transitions.update(transitions)
        self._faults.quorums.touch(code)
        for (rule, item), hold in holds.items():
            self._faults.remind(cell, rule, item, hold)

    def recall_birth(self, terminal_id: int, said: Presence, arrived_at: datetime) -> None:
        """A connection had begun before all was read back: an older will may come after it."""
        self._births.note(terminal_id, said, arrived_at)

    def serve(self, terminal: Terminal, now: datetime, *, in_service: bool) -> None:
        """A terminal goes into maintenance or comes out of it: a quorum counts it or does not."""
        self._reach(now)
        terminal.in_service = in_service
        self._faults.quorums.recount(terminal)
        self._faults.untold.serve(terminal, now)

    def schedule(self, terminal: Terminal, hours: Hours) -> None:
        """Other hours hold for a terminal: what waits for them waits for these."""
        terminal.hours = hours
        for (rule, item), hold in terminal.holds.items():
            self._faults.remind(terminal, rule, item, hold)

    def move(self, terminal: Terminal, cell: str, now: datetime, above: Cells = ()) -> None:
        """The grid changed: a terminal belongs to another cell, or its cell to others."""
        self._reach(now)
        self._sequence.flush(terminal)
        self._faults.quorums.leave(terminal)
        terminal.cell, terminal.above = cell, above
        self._faults.quorums.join(terminal)
        self._succession.replan(terminal, now)
        self._faults.look_again()
        self._sequence.look_again(now)

    def remove(self, terminal: Terminal, now: datetime) -> None:
        """A terminal was decommissioned: its faults end."""
        self._reach(now)
        for rule, item in list(terminal.holds):
            self._faults.drop(terminal, rule, item, now)
        self._take_out(terminal)
        self._sequence.look_again(now)

    def let_go(self, terminal: Terminal, now: datetime) -> None:
        """A terminal belongs to another region: who serves that goes on with its holds."""
        self._reach(now)
        self._take_out(terminal)
        self._sequence.look_again(now)

    def _take_out(self, terminal: Terminal) -> None:
        self._sequence.flush(terminal)
        self._faults.quorums.leave(terminal)
        self._faults.untold.forget(terminal)
        del self.terminals[terminal.id], self._by_code[terminal.code]

    def retire(
        self, now: datetime, changed: Container[str] = (), left: Iterable[Terminal] = ()
    ) -> None:
        """Go over to another catalogue: end what its rules no longer say, and ask those that
        changed, for nothing need happen to a terminal before a new rule is right about it.

        Those that `left` while nobody looked are no more: their faults end.
        """
        self._faults.begin(now)
        for terminal in left:
            for rule, item in list(terminal.holds):
                self._faults.drop(terminal, rule, item, now)
            self._take_out(terminal)
        for terminal in self.terminals.values():
            if self._faults.untold.is_strange(terminal):
                self._sequence.flush(terminal)
        self._succession.retire(self.terminals.values(), now, changed)
        self._faults.look_again()
        self._sequence.look_again(now)

    def watch(self, since: datetime | None) -> None:
        """From when on we hear everything; None while we are blind: then nobody is silent."""
        self._hearing.watching_since = since

    @property
    def returns(self) -> tuple[Return, ...]:
        """From when on we heard again, last: what another engine is to be told that goes on."""
        return self._hearing.returns

    def returned(self, at: datetime, patience: timedelta = RETURN, *, alone: bool = False) -> None:
        """We hear again since `at`; each terminal has `patience` to be heard.

        Until it is, a will says only that the broker ended, and a hold is not over by time alone:
        what ended it may still wait, at the broker or at the terminal. `alone`: so far as we know
        the terminals could reach the broker, and were as silent as they seem.
        """
        self._hearing.returned(at, patience, alone=alone)

    # -- what happens ------------------------------------------------------------------------

    def telemetry(self, terminal: Terminal, message: Telemetry, arrived_at: datetime) -> Outcome:
        """Judge a snapshot. Raises `Quarantined`, with nothing changed, when it cannot be read."""
        metrics = bytes(message.metrics)
        measured = snapshot.read_metrics(metrics)
        status, storage = bytes(message.status), bytes(message.storage)
        changed = status != terminal.status or storage != terminal.storage
        if (
            not changed
            and not self.is_due(arrived_at)
            and self._goes_on(terminal, message, metrics, measured, arrived_at)
        ):
            self._faults.record.terminals.add(terminal.id)
            return Outcome(measured=measured)
        self._reach(arrived_at)
        if self._ordering.waits(terminal, message):
            snapshot.read(status, storage)
            self._ordering.keep(terminal, message, arrived_at)
            return Outcome(kept=True, measured=measured)
        if not terminal.is_next(message.boot, message.seq, message.ts, arrived_at):
            snapshot.read(status, storage)
            self._hearing.hear(terminal, arrived_at)
            return Outcome(late=True, measured=measured)
        # What follows a gap is told whole: what is missing may have said something else.
        changed = changed or not terminal.follows(message.boot, message.seq)
        read = self._judging.take_snapshot(terminal, message, measured, arrived_at, live=True)
        self._ordering.catch_up(terminal)
        unknown = read.unknown if read else ()
        return Outcome(changed=changed, measured=measured, unknown=unknown)

    def heartbeat(
        self, terminal: Terminal, said: Heartbeat, refrain: Refrain, arrived_at: datetime
    ) -> Measured | None:
        """Take a heartbeat the short way; None, with nothing changed, where that is not open.

        What it measured, else. The caller has seen that nothing `is_due` by its arrival, and writes
        down that the terminal has come further. Raises `Quarantined` as `telemetry` does.
        """
        if refrain.status != terminal.status or refrain.storage != terminal.storage:
            return None
        metrics = bytes(said.metrics)
        measured = snapshot.read_metrics(metrics)
        return measured if self._goes_on(terminal, said, metrics, measured, arrived_at) else None

    def event(self, terminal: Terminal, message: Event, arrived_at: datetime) -> Outcome:
        """Count an event that came; events move the terminal's clock and end its silence."""
        self._reach(arrived_at)
        if self._ordering.waits(terminal, message):
            self._ordering.keep(terminal, message, arrived_at)
            return Outcome(kept=True)
        if not terminal.is_next(message.boot, message.seq, message.ts, arrived_at):
            self._hearing.hear(terminal, arrived_at)
            return Outcome(late=True)
        self._judging.take_event(terminal, message, arrived_at, live=True)
        self._ordering.catch_up(terminal)
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
        if not message.online and self._births.outlived(terminal.id, message, arrived_at):
            return Outcome(late=True)
        self._reach(arrived_at)
        if retained and message.online and terminal.connected is False:
            self._hearing.look_again(terminal, arrived_at)
        terminal.connected = message.online
        self._faults.record.terminals.add(terminal.id)
        if message.online and not retained:
            self._births.note(terminal.id, message, arrived_at)
            self._hearing.hear(terminal, arrived_at)
        if not message.online and (until := self._hearing.awaited(terminal, "", arrived_at)):
            self._faults.timers.put(Timer(until, Turn.RETURN, terminal.code, ""))
            return Outcome()
        at = terminal.clock(arrived_at)
        self._hearing.judge_connection(terminal, at, remembered=retained)
        self._judging.settle(terminal, at)
        return Outcome()

    def tick(self, now: datetime) -> None:
        """Let time pass: silences are noticed, holds end, cells before their members."""
        self._faults.begin(now)
        self._faults.settle_cells()
        while due := self._faults.timers.take(now):
            self._fall_due_together(due, now)
        # What waited for a decision goes on as soon as that is made.
        while waited := self._faults.take_waiting():
            self._fall_due_together(waited, now)
        self._sequence.tell(self._faults.untold.clock(now))

    def conclude(self, now: datetime) -> None:
        """Let time pass to `now` where nothing more comes: nothing need be waited for."""
        self.tick(now + self._lateness)
        self._sequence.tell(now)

    def _reach(self, now: datetime) -> None:
        """Something happens at this instant: what was due by then came before it, however long
        nobody let time pass."""
        self._faults.begin(now)
        if self._faults.is_due(now):
            self.tick(now)

    def _fall_due_together(self, due: list[Timer], now: datetime) -> None:
        for _, together in groupby(due, _TURN):  # they are in order of turn
            for timer in together:
                self._fall_due(timer, now)
            self._faults.judge_cells(now)

    def _goes_on(
        self,
        terminal: Terminal,
        message: Telemetry | Heartbeat,
        metrics: bytes,
        measured: Measured,
        arrived_at: datetime,
    ) -> bool:
        """The short way of nearly every message: all is well, and this says so once more."""
        plan = terminal.plan
        if (
            plan.raises(measured.values)
            or (plan.mixed and plan.mixes(terminal.measured.values, measured.values))
            or not terminal.goes_on(message.boot, message.seq, message.ts, arrived_at)
        ):
            return False
        terminal.metrics = metrics
        return True

    # -- time --------------------------------------------------------------------------------

    def _fall_due(self, timer: Timer, now: datetime) -> None:
        subject: Terminal | Cell | None = self._by_code.get(timer.subject)
        if timer.turn is Turn.CELL:
            subject = self._faults.quorums.cells.get(timer.subject)
        if isinstance(subject, Terminal) and timer.turn is Turn.KEPT:
            self._ordering.miss_no_longer(subject, now)
        elif subject is not None and (until := self._hearing.awaited(subject, timer.rule, now)):
            pause = _LOOK_AGAIN
            if isinstance(subject, Terminal) and timer.turn is Turn.SILENCE:
                pause = self._hearing.soonest(subject, timer)
            again = min(until, max(now, timer.due) + pause)
            again = until if timer.turn is Turn.RETURN else again
            self._faults.timers.put(timer._replace(due=again))
        elif isinstance(subject, Terminal) and timer.turn is Turn.RETURN:
            self._hearing.come_back(subject, timer.due)
        elif isinstance(subject, Terminal) and timer.turn is Turn.SILENCE:
            self._hearing.fall_silent(subject, timer, now)
        elif isinstance(subject, Terminal) and timer.turn is Turn.COUNT:
            self._judging.fading.look(subject, timer, now)
        elif subject is not None:
            clock = now
            if isinstance(subject, Terminal):
                clock = subject.settled(now, self._lateness)
                # In the order of its own time, whatever the lag was when each reminder was set: a
                # stage is rated beside those that came before it, and what faded fires no more.
                self._judging.fading.fade(subject, clock)
                self._faults.expire(subject, clock)
            self._faults.fall_due(subject, timer, clock, now)
