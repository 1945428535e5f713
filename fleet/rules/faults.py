"""Holds on their way: each move of the table, and what it means for faults, timers and cells.

Subjects are terminals and cells alike. A terminal's hold counts in the terminal's own time, a
cell's in ours, or in that of what it counts (`fleet.rules.untold`). A hold that is over ends at
exactly `since + for`, however late the step that notices it: a restart shifts nothing.
"""

from datetime import datetime, timedelta

from fleet.rules import stages
from fleet.rules.cells import Cell
from fleet.rules.company import in_company
from fleet.rules.due import due, needs_a_word, unheard, waits
from fleet.rules.hold import TABLE, TIMED, Hold, Phase, Signal
from fleet.rules.plan import cell_rules
from fleet.rules.quorums import Quorums
from fleet.rules.record import Record
from fleet.rules.rule import Lasting, Rule, When
from fleet.rules.selection import Selection
from fleet.rules.speakers import Speakers, Subject, key_of
from fleet.rules.swings import Swings
from fleet.rules.telling import Telling
from fleet.rules.terminal import Terminal
from fleet.rules.timers import Timer, Timers, Turn
from fleet.rules.untold import Untold

SOON = timedelta(milliseconds=100)
"""How much later than it could a hold that is over may be seen to be."""


class Faults:
    """The holds of all subjects, their timers, and the cells that may speak for their members."""

    def __init__(self, selection: Selection, region: str, lateness: timedelta) -> None:
        self.region = region
        self.lateness = lateness
        self.rules = selection.rules
        self._selection = selection
        quorums = cell_rules(self.rules.values())
        self.record = Record()
        self.untold = Untold(in_company(self.rules, quorums), lateness, self.record)
        in_order = self.untold.rules
        self._tells_in_order = bool(in_order)  # every heartbeat asks
        self.quorums = Quorums(selection, region, in_order)
        self.timers = Timers()
        self._now: datetime | None = None
        self._waiting: list[Timer] = []
        self._decided = True
        self.speakers = Speakers(self.rules, self.quorums.rules, self.quorums.cells, in_order)
        self.telling = Telling(self.speakers, self.record, self.untold)
        self._swings = Swings(self.record, self.telling)

    def rule_of(self, subject: Subject, name: str) -> Rule | None:
        """What a rule says of a subject; None where it says nothing of it."""
        if isinstance(subject, Terminal):
            return subject.plan.rules.get(name)
        rule = self.rules.get(stages.rated(name))
        if rule is None or rule.scope != "cell":
            return None
        here = self._selection.of_cell(rule, subject.code, subject.above)
        if name == here.name:
            return here
        return next((each for each in stages.stages(here) if each.name == name), None)

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
        if hold is not None and at < hold.since:
            # What was asked for another reason than a message, a rule that is new, is dated by our
            # clock; a message that was written before that came after it.
            at = hold.since
        if hold is None:
            hold = subject.holds[rule.name, item] = Hold(after, at, at)
            if isinstance(subject, Terminal):
                hold.counted_at = self.untold.by_our_clock(subject, rule.name, at)
        elif after is Phase.IDLE:
            del subject.holds[rule.name, item]
            self.telling.clear(subject, rule.name, item, hold, at)
        else:
            hold.phase, hold.since = after, at
            if not rule.of:
                self._turn(subject, rule, item, hold, signal, at)
        self._moved(subject, rule.name, item, at)
        if before is Phase.PENDING:
            self._decide(subject, rule.name)
        if rule.stages or rule.of:
            self._rate(subject, rule, item, before, after, at)
        if after in TIMED and after is hold.phase:
            self._start(subject, rule, item, hold, at)

    def _turn(
        self, subject: Subject, rule: Rule, item: str, hold: Hold, signal: Signal, at: datetime
    ) -> None:
        """The hold of a fault has moved: it fires, or its condition went to or fro."""
        if signal is Signal.DUE:
            if rule.schedule is not None:  # before that it did not count
                before = at - rule.hold - hold.started_at
                hold.started_at += before
                hold.counted_at = hold.counted_at and hold.counted_at + before
            self.telling.fire(subject, rule, item, hold, at)
        swung = signal is not Signal.NEITHER and self._swings.note(subject, rule, item, hold, at)
        if swung:
            self.remind(subject, rule.name, item, hold)
        told = not self.untold.covers(subject, rule.name)
        if told and signal is not Signal.DUE and hold.phase is Phase.FIRING:
            self.telling.respeak(subject, rule.name, item, hold, at)

    def _rate(
        self, subject: Subject, rule: Rule, item: str, before: Phase, after: Phase, at: datetime
    ) -> None:
        """A fault and its stages go together: they begin with it, and end with it."""
        if rule.of:
            if (of := self.rule_of(subject, rule.of)) is not None:
                self.telling.rate(subject, of, item, at)
        elif after is Phase.IDLE:
            for stage in stages.stages(rule):
                self.drop(subject, stage.name, item, at)
        else:
            if before is Phase.IDLE:
                self.ask_stages(subject, rule, item, at)
            if after is Phase.FIRING:
                self.restage(subject, rule, item, at)
                self.telling.rate(subject, rule, item, at)

    def ask_stages(self, subject: Subject, rule: Rule, item: str, at: datetime) -> None:
        """Ask the conditions of the stages of a fault that is there, or under way."""
        if not isinstance(subject, Terminal) or (rule.name, item) not in subject.holds:
            return
        for stage in stages.stages(rule):
            if isinstance(stage.trigger, When):
                held = (stage.name, item) in subject.holds
                values = subject.read(stage.trigger.each, item)
                self.signal(subject, stage, item, stage.trigger.verdict(values, held=held), at)

    def restage(self, subject: Subject, rule: Rule, item: str, at: datetime) -> None:
        """From when a fault is there the stages run that come with time alone."""
        hold = subject.holds.get((rule.name, item))
        if hold is None or hold.fault_id is None:
            return
        for stage in stages.stages(rule):
            if isinstance(stage.trigger, Lasting):
                self.signal(subject, stage, item, Signal.RAISE, at)

    def _start(self, subject: Subject, rule: Rule, item: str, hold: Hold, at: datetime) -> None:
        """A hold of no length is over at once, unless somebody must be asked first."""
        asks = hold.phase is Phase.PENDING and self._must_ask(subject, rule.name)
        if self.over(subject, rule, item, hold) <= at and not asks:
            self.signal(subject, rule, item, Signal.DUE, at)
        else:
            self.remind(subject, rule.name, item, hold)

    def _must_ask(self, subject: Subject, rule: str) -> bool:
        if isinstance(subject, Cell):
            return True
        return rule in self.speakers.spoken_for and not self.untold.covers(subject, rule)

    def undecided(self, subject: Subject, rule: str) -> bool:
        """Whether it must wait for those that would speak for it."""
        return not self.untold.covers(subject, rule) and self.speakers.undecided(subject, rule)

    def over(self, subject: Subject, rule: Rule, item: str, hold: Hold) -> datetime:
        """When a hold is over by itself."""
        return self._swings.over(subject, rule, item, hold, due(subject, rule, hold))

    def _moved(self, subject: Subject, rule: str, item: str, at: datetime) -> None:
        key = key_of(subject, rule, item)
        self.record.holds[key] = subject.holds.get((rule, item))
        if not isinstance(subject, Terminal):
            return
        if self.untold.covers(subject, rule):
            self.untold.note(subject, rule, item, at)
        else:
            self.quorums.moved(subject, rule)

    def drop(self, subject: Subject, rule: str, item: str, now: datetime) -> None:
        """End a hold out of turn: its rule or its terminal is gone."""
        hold = subject.holds.pop((rule, item), None)
        if hold is None:  # a stage, that ended with its fault
            return
        for name in [each for each, of in subject.holds if of == item]:
            if name != rule and stages.rated(name) == rule:
                self.drop(subject, name, item, now)
        at = subject.clock(now) if isinstance(subject, Terminal) else now
        self.telling.clear(subject, rule, item, hold, max(at, hold.started_at))
        self._moved(subject, rule, item, at)
        self._decide(subject, rule)
        if subject.transitions.pop((rule, item), None):
            self.record.transitions[key_of(subject, rule, item)] = None
        of = self.rule_of(subject, stages.rated(rule))
        if of is not None:
            self.telling.rate(subject, of, item, at)

    def remind(self, subject: Subject, rule: str, item: str, hold: Hold) -> None:
        """Set the timer of a hold that ends by itself, or that flaps."""
        found = self.rule_of(subject, rule)
        if found is None or not waits(hold) or needs_a_word(found, hold):
            return
        due = self.over(subject, found, item, hold)
        if isinstance(subject, Terminal):
            due += subject.lag + self.lateness
            self.timers.put(Timer(due, Turn.HOLD, subject.code, rule, item))
        else:
            timers = self.untold.timers if stages.rated(rule) in self.untold.rules else self.timers
            timers.put(Timer(due, Turn.CELL, subject.code, rule, item))

    def end(self, subject: Subject, rule: str, item: str, clock: datetime) -> bool:
        """End a hold whose time is over; False if it is not, or its cell is still undecided."""
        hold = subject.holds.get((rule, item))
        found = self.rule_of(subject, rule)
        if hold is None or found is None or not waits(hold):
            return True
        over = self.over(subject, found, item, hold)
        self._swings.calm(subject, found, item, hold, clock)
        if clock < over:
            return False
        if hold.phase not in TIMED:
            return True
        if hold.phase is Phase.PENDING and self.undecided(subject, rule):
            return False
        self.signal(subject, found, item, Signal.DUE, over)
        return True

    def fall_due(self, subject: Subject, timer: Timer, clock: datetime, now: datetime) -> None:
        """A reminder is due: end the hold if it is over, or be reminded again. It may be of a hold
        before this one, which time alone does not end."""
        hold = subject.holds.get((timer.rule, timer.item))
        found = self.rule_of(subject, timer.rule)
        if hold is None or found is None or needs_a_word(found, hold):
            return
        if not self.end(subject, timer.rule, timer.item, clock):
            self._put_off(subject, timer, now)

    def _put_off(self, subject: Subject, timer: Timer, now: datetime) -> None:
        """Set a timer again whose time has not come, or whose cell is undecided."""
        hold = subject.holds[timer.rule, timer.item]
        if hold.phase is Phase.PENDING and self.undecided(subject, timer.rule):
            self._waiting.append(timer)
            return
        found = self.rule_of(subject, timer.rule)
        due = now if found is None else self.over(subject, found, timer.item, hold)
        if isinstance(subject, Terminal):
            due += subject.lag + self.lateness
        # Over and still here: a message that waits for others may yet end it otherwise.
        self.timers.put(timer._replace(due=max(due, now + SOON)))

    def is_due(self, now: datetime) -> bool:
        """Whether time alone brings anything about by `now`."""
        return (
            self.timers.is_due(now)
            or (self._decided and bool(self._waiting))
            or (self._tells_in_order and self.untold.is_due(now))
        )

    def next_due(self) -> datetime | None:
        """When time alone may bring something about next, by our clock."""
        ours, told = self.timers.next_due, self.untold.next_due()
        return min(filter(None, (ours, told)), default=None)

    def take_waiting(self) -> list[Timer]:
        """The holds that are over and waited for a decision, in order, once one was made."""
        if not self._decided or not self._waiting:
            return []
        self._decided = False
        waiting, self._waiting = sorted(self._waiting, key=lambda each: (each.turn, each)), []
        return waiting

    def look_again(self) -> None:
        """Others may have to be waited for: a terminal has moved, or rules are others."""
        self._decided = True

    def _decide(self, subject: Subject, rule: str) -> None:
        """It is pending no more: those that it would have spoken for need wait no longer."""
        self._decided = self._decided or self.speakers.speaks(subject, rule)
        self.untold.decided = self.untold.decided or isinstance(subject, Cell)

    def expire(self, terminal: Terminal, at: datetime, *, cut_off: bool = False) -> None:
        """End the holds that were over before the message at `at` was written; of one that was
        `cut_off` with us until now, not those that it was never heard."""
        if not terminal.holds:
            return
        rules = terminal.plan.rules
        timed = [
            (self.over(terminal, rules[rule], item, hold), rule, item)
            for (rule, item), hold in terminal.holds.items()
            if waits(hold) and rule in rules and not needs_a_word(rules[rule], hold)
            if not (cut_off and unheard(rules[rule], hold))
        ]
        timed.sort()
        undecided = [each for each in timed if not self.end(terminal, each[1], each[2], at)]
        for over, rule, item in undecided:  # what they waited for may be decided now
            if over <= at:
                self.end(terminal, rule, item, at)

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
