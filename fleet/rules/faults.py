"""Holds on their way: each move of the table, and what it means for faults, timers and cells.

Subjects are terminals and cells alike. A terminal's hold counts in the terminal's own time, a
cell's in ours. A hold that is over ends at exactly `since + for`, however late the step that
notices it: a restart shifts nothing.
"""

from datetime import datetime, timedelta

from fleet.rules.cells import Cell
from fleet.rules.changes import Cleared, Fired, Flapped, HoldKey, Suppressed, fault_id
from fleet.rules.flapping import Transitions
from fleet.rules.hold import TABLE, TIMED, Hold, Phase, Signal
from fleet.rules.quorums import Quorums
from fleet.rules.record import Record
from fleet.rules.rule import Rule
from fleet.rules.selection import Selection
from fleet.rules.speakers import Speakers, Subject
from fleet.rules.terminal import Terminal
from fleet.rules.timers import Timer, Timers, Turn

SOON = timedelta(milliseconds=100)
"""How much later than it could a hold that is over may be seen to be."""


class Faults:
    """The holds of all subjects, their timers, and the cells that may speak for their members."""

    def __init__(self, selection: Selection, region: str, lateness: timedelta) -> None:
        self.region = region
        self.lateness = lateness
        self.rules = selection.rules
        self._selection = selection
        self.quorums = Quorums(selection, region)
        self.record = Record()
        self.timers = Timers()
        self._now: datetime | None = None
        self._waiting: list[Timer] = []
        self._decided = True
        self._speakers = Speakers(self.rules, self.quorums.rules, self.quorums.cells)

    def rule_of(self, subject: Subject, name: str) -> Rule | None:
        """What a rule says of a subject; None where it says nothing of it."""
        if isinstance(subject, Terminal):
            return subject.plan.rules.get(name)
        rule = self.rules.get(name)
        return None if rule is None else self._selection.of_cell(rule, subject.code, subject.above)

    def goes_live(self, subject: Subject, name: str, hold: Hold) -> bool:
        """Whether a fault of a rule on trial would become a real one, or the other way round."""
        rule = self.rule_of(subject, name)
        return rule is not None and hold.fault_id is not None and hold.shadow != rule.shadow

    def signal(self, subject: Subject, rule: Rule, item: str, signal: Signal, at: datetime) -> None:
        """Move one hold by the table and do what the move means."""
        hold = subject.holds.get((rule.name, item))
        before = hold.phase if hold else Phase.IDLE
        after = TABLE[before, signal]
        if after is before:
            return
        if hold is None:
            hold = subject.holds[rule.name, item] = Hold(after, at, at)
        elif after is Phase.IDLE:
            del subject.holds[rule.name, item]
            self._clear(subject, rule.name, hold, at)
        elif before is Phase.PENDING:
            hold.phase, hold.since = after, at
            self._fire(subject, rule, item, hold, at)
            self._swing(subject, rule, item, hold, at)
        else:
            hold.phase, hold.since = after, at
            if signal in (Signal.RAISE, Signal.CLEAR):
                self._swing(subject, rule, item, hold, at)
            if after is Phase.FIRING:
                self._respeak(subject, rule.name, item, hold, at)
        self._moved(subject, rule.name, item)
        if before is Phase.PENDING:
            self._decide(subject, rule.name)
        if after in TIMED:
            self._start(subject, rule, item, hold, at)

    def _start(self, subject: Subject, rule: Rule, item: str, hold: Hold, at: datetime) -> None:
        """A hold of no length is over at once, unless somebody must be asked first."""
        asks = hold.phase is Phase.PENDING and self._must_ask(subject, rule.name)
        if self._over(subject, rule, item, hold) <= at and not asks:
            self.signal(subject, rule, item, Signal.DUE, at)
        else:
            self.remind(subject, rule.name, item, hold)

    def _must_ask(self, subject: Subject, rule: str) -> bool:
        return isinstance(subject, Cell) or rule in self._speakers.spoken_for

    def _swing(self, subject: Subject, rule: Rule, item: str, hold: Hold, at: datetime) -> None:
        """Note that a fault's condition went to or fro; from a high score on it flaps."""
        transitions = subject.transitions.setdefault((rule.name, item), Transitions())
        if not transitions.note(at, raised=hold.phase is Phase.FIRING):
            return
        self.record.transitions[_key(subject, rule.name, item)] = transitions
        if not hold.flapping and hold.fault_id and rule.flapping.begins(transitions, at):
            hold.flapping = True
            shadow = _shadow(hold, rule.name)
            self.record.changes.append(Flapped(hold.fault_id, flapping=True, at=at, shadow=shadow))
            if hold.phase not in TIMED:
                self.remind(subject, rule.name, item, hold)

    def _calm(self, subject: Subject, rule: Rule, item: str, hold: Hold, clock: datetime) -> None:
        """A fault flaps no more once its score is below the low threshold."""
        if not hold.flapping or hold.fault_id is None:
            return
        steady = rule.flapping.ends_at(subject.transitions[rule.name, item])
        if steady <= clock:
            hold.flapping = False
            self.record.holds[_key(subject, rule.name, item)] = hold
            shadow = _shadow(hold, rule.name)
            self.record.changes.append(
                Flapped(hold.fault_id, flapping=False, at=steady, shadow=shadow)
            )

    def _over(self, subject: Subject, rule: Rule, item: str, hold: Hold) -> datetime:
        """When a hold is over by itself; what flaps does not clear before it is steady."""
        over = hold.since + (rule.hold if hold.phase is Phase.PENDING else rule.clear_hold)
        if not hold.flapping:
            return over
        steady = rule.flapping.ends_at(subject.transitions[rule.name, item])
        return max(over, steady) if hold.phase is Phase.CLEARING else steady

    def _moved(self, subject: Subject, rule: str, item: str) -> None:
        key = _key(subject, rule, item)
        self.record.holds[key] = subject.holds.get((rule, item))
        if isinstance(subject, Terminal):
            self.quorums.moved(subject, rule)

    def _fire(self, subject: Subject, rule: Rule, item: str, hold: Hold, at: datetime) -> None:
        key = _key(subject, rule.name, item)
        began = hold.started_at
        terminal = subject if isinstance(subject, Terminal) else None
        cell = subject.cell if isinstance(subject, Terminal) else subject.code
        hold.fault_id, hold.shadow = fault_id(key, began), rule.shadow
        hold.suppressed_by = self._speakers.speaker(subject, rule.name)
        terminal_id = terminal.id if terminal else None
        self.record.changes.append(
            Fired(hold.fault_id, key, rule, terminal_id, cell, began, at, hold.suppressed_by)
        )
        self._speak(subject, rule.name, at)

    def _clear(self, subject: Subject, rule: str, hold: Hold, at: datetime) -> None:
        if hold.fault_id is not None:
            ended = hold.since if hold.phase is Phase.CLEARING else at
            self.record.changes.append(Cleared(hold.fault_id, ended, at, _shadow(hold, rule)))
            hold.fault_id = None  # from here on it speaks for nobody
            self._speak(subject, rule, at)

    def drop(self, subject: Subject, rule: str, item: str, now: datetime) -> None:
        """End a hold out of turn: its rule or its terminal is gone."""
        hold = subject.holds.pop((rule, item))
        at = subject.clock(now) if isinstance(subject, Terminal) else now
        self._clear(subject, rule, hold, max(at, hold.started_at))
        self._moved(subject, rule, item)
        self._decide(subject, rule)
        if subject.transitions.pop((rule, item), None):
            self.record.transitions[_key(subject, rule, item)] = None

    def remind(self, subject: Subject, rule: str, item: str, hold: Hold) -> None:
        """Set the timer of a hold that ends by itself, or that flaps."""
        found = self.rule_of(subject, rule)
        if not _waits(hold) or found is None:
            return
        due = self._over(subject, found, item, hold)
        if isinstance(subject, Terminal):
            due += subject.lag + self.lateness
            self.timers.put(Timer(due, Turn.HOLD, subject.code, rule, item))
        else:
            self.timers.put(Timer(due, Turn.CELL, subject.code, rule, item))

    def end(self, subject: Subject, rule: str, item: str, clock: datetime) -> bool:
        """End a hold whose time is over; False if it is not, or its cell is still undecided."""
        hold = subject.holds.get((rule, item))
        found = self.rule_of(subject, rule)
        if hold is None or found is None or not _waits(hold):
            return True
        over = self._over(subject, found, item, hold)
        self._calm(subject, found, item, hold, clock)
        if clock < over:
            return False
        if hold.phase not in TIMED:
            return True
        if hold.phase is Phase.PENDING and self._speakers.undecided(subject, rule):
            return False
        self.signal(subject, found, item, Signal.DUE, over)
        return True

    def put_off(self, subject: Subject, timer: Timer, now: datetime) -> None:
        """Set a timer again whose time has not come, or whose cell is undecided."""
        hold = subject.holds[timer.rule, timer.item]
        if hold.phase is Phase.PENDING and self._speakers.undecided(subject, timer.rule):
            self._waiting.append(timer)
            return
        found = self.rule_of(subject, timer.rule)
        due = now if found is None else self._over(subject, found, timer.item, hold)
        if isinstance(subject, Terminal):
            due += subject.lag + self.lateness
        # Over and still here: a message that waits for others may yet end it otherwise.
        self.timers.put(timer._replace(due=max(due, now + SOON)))

    def is_due(self, now: datetime) -> bool:
        """Whether time alone brings anything about by `now`."""
        return self.timers.is_due(now) or (self._decided and bool(self._waiting))

    def take_waiting(self) -> list[Timer]:
        """The holds that are over and waited for a decision, in order, once one was made."""
        if not self._decided:
            return []
        self._decided = False
        waiting, self._waiting = sorted(self._waiting, key=lambda each: (each.turn, each)), []
        return waiting

    def _decide(self, subject: Subject, rule: str) -> None:
        """It is pending no more: those that it would have spoken for need wait no longer."""
        self._decided = self._decided or self._speakers.speaks(subject, rule)

    def expire(self, terminal: Terminal, at: datetime) -> None:
        """End the holds that were over before the message at `at` was written."""
        if not terminal.holds:
            return
        rules = terminal.plan.rules
        timed = [
            (self._over(terminal, rules[rule], item, hold), rule, item)
            for (rule, item), hold in terminal.holds.items()
            if _waits(hold) and rule in rules
        ]
        timed.sort()
        undecided = [each for each in timed if not self.end(terminal, each[1], each[2], at)]
        for over, rule, item in undecided:  # what they waited for may be decided now
            if over <= at:
                self.end(terminal, rule, item, at)

    def shift(self, terminal: Terminal, by: timedelta) -> None:
        """Its clock was set ahead: what was under way goes on as long as it would have."""
        for (rule, item), hold in terminal.holds.items():
            if hold.phase in TIMED:
                hold.since += by
            if hold.phase is Phase.PENDING:
                hold.started_at += by
            self.record.holds[_key(terminal, rule, item)] = hold
        for (rule, item), transitions in terminal.transitions.items():
            transitions.times = tuple(time + by for time in transitions.times)
            self.record.transitions[_key(terminal, rule, item)] = transitions
        for rule, times in terminal.counts.items():
            terminal.counts[rule] = tuple(time + by for time in times)
            self.record.counts[terminal.code, rule] = terminal.counts[rule]

    def respeak(self, subject: Subject, at: datetime) -> None:
        """Ask anew who speaks for a subject's faults: it has moved, or a rule is gone."""
        self._decided = True
        for (rule, item), hold in subject.holds.items():
            if hold.phase is not Phase.CLEARING:
                self._respeak(subject, rule, item, hold, at)

    def begin(self, now: datetime) -> None:
        """Another instant begins. Cells are judged once for each, by all that happened in it: what
        happens together has no order, so a quorum that one leaves as another comes stands."""
        if now != self._now:
            self.settle_cells()
            self._now = now

    def settle_cells(self) -> None:
        """The instant is over."""
        if self._now is not None:
            self.judge_cells(self._now)

    def judge_cells(self, now: datetime) -> None:
        """Ask the quorum rules of every cell that a member's hold has moved in."""
        for cell, rule, verdict in self.quorums.verdicts():
            self.signal(cell, rule, self.region, verdict, now)

    def _speak(self, subject: Subject, rule: str, at: datetime) -> None:
        """A fault began or ended that speaks for others: those still bad get another speaker, or
        speak for themselves. What is clearing already is left alone: it would end in an alarm."""
        for other, name, item, hold in list(self._speakers.under(subject, rule)):
            if hold.phase is not Phase.CLEARING or hold.suppressed_by is None:
                self._respeak(other, name, item, hold, at)

    def _respeak(self, subject: Subject, rule: str, item: str, hold: Hold, at: datetime) -> None:
        by = self._speakers.speaker(subject, rule)
        if hold.fault_id and by != hold.suppressed_by:
            hold.suppressed_by = by
            self.record.changes.append(Suppressed(hold.fault_id, by, at, _shadow(hold, rule)))
            self.record.holds[_key(subject, rule, item)] = hold


def _shadow(hold: Hold, rule: str) -> str:
    return rule if hold.shadow else ""


def _waits(hold: Hold) -> bool:
    """Whether something happens to a hold by the mere passing of time."""
    return hold.phase in TIMED or hold.flapping


def _key(subject: Subject, rule: str, item: str) -> HoldKey:
    scope = "terminal" if isinstance(subject, Terminal) else "cell"
    return HoldKey(scope, subject.code, rule, item)
