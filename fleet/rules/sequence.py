"""What is told in order: instant by instant, the cells first, then what terminals' holds became.

Within an instant what happens together has no order. Holds of cells that are over end before it
and after it; a terminal's fault is told once nothing that would speak for it is undecided. What is
told waits, the fault's dates do not change.
"""

from dataclasses import replace
from datetime import datetime, timedelta

from fleet.rules.changes import Cleared, Fired
from fleet.rules.faults import SOON, Faults
from fleet.rules.hearing import Hearing
from fleet.rules.hold import Hold, Phase
from fleet.rules.speakers import key_of
from fleet.rules.steps import Fire, Step
from fleet.rules.telling import note_speaker
from fleet.rules.terminal import Terminal
from fleet.rules.timers import Timer

_LOOK_AGAIN = timedelta(seconds=1)

Line = tuple[str, str, str]
"""A terminal's code, a rule and an item: what is told of a hold is told one after the other."""


class Sequence:
    """Tells the steps that wait, as far as the cells' clock has come."""

    def __init__(self, faults: Faults, hearing: Hearing) -> None:
        self._faults = faults
        self._untold = faults.untold
        self._hearing = hearing
        self._lines: dict[Line, list[tuple[Terminal, int]]] = {}
        self._pending: list[Timer] = []
        self._again = False

    def adopt(self, terminal: Terminal) -> None:
        """Take on a terminal, and what of it waits for a decision."""
        self._untold.adopt(terminal)
        for place, step in sorted(terminal.steps.items()):
            if step.counted:
                self._line_up(terminal, place, step)
                self._untold.decided = True

    def look_again(self, now: datetime) -> None:
        """Members are others, or rules are: cells are asked again."""
        self._again = self._untold.decided = True
        self.tell(self._untold.clock(now))

    def tell(self, until: datetime) -> None:
        """Tell all that happened up to an instant."""
        if not self._untold.rules:
            return
        while (at := self._untold.next_at()) is not None and at <= until:
            self._tell_instant(at)
        self._untold.reach(until)
        if self._again or self._faults.quorums.are_touched():
            self._again = False
            self._tell_instant(until)

    def flush(self, terminal: Terminal) -> None:
        """Tell at once what waits of a terminal that leaves, as things stand."""
        for place, step in sorted(terminal.steps.items()):
            if not step.counted:
                self._count(terminal, place, step)
        for line in [line for line in self._lines if line[0] == terminal.code]:
            self._say_line(line, patient=False)
        for key in [key for key in terminal.told if key[0] not in self._untold.rules]:
            del terminal.told[key]  # told at once from here on: its hold itself is what is known

    # -- an instant ----------------------------------------------------------------------------

    def _tell_instant(self, at: datetime) -> None:
        self._untold.reach(at)
        self._end_cells(at)
        fresh = [
            (terminal.code, terminal.steps[place].rule, terminal.steps[place].item)
            for terminal, place in self._untold.take(at)
            if self._count(terminal, place, terminal.steps[place])
        ]
        for cell, rule, verdict in self._faults.quorums.verdicts(in_order=True):
            self._faults.signal(cell, rule, self._faults.region, verdict, at)
        self._end_cells(at)
        self._say(fresh)

    def _end_cells(self, at: datetime) -> None:
        """End the holds of cells that are over, the wider ones first: a narrower one waits."""
        waiting = self._pending
        while due := sorted([*waiting, *self._untold.timers.take(at)]):
            undecided = [each for each in due if not self._end(each, at)]
            if undecided == waiting:
                break
            waiting = undecided
        self._pending = waiting if due else []

    def _end(self, timer: Timer, at: datetime) -> bool:
        """End a cell's hold, or be reminded again; False where it waits for a decision."""
        faults = self._faults
        cell = faults.quorums.cells.get(timer.subject)
        hold = None if cell is None else cell.holds.get((timer.rule, timer.item))
        rule = None if cell is None else faults.rule_of(cell, timer.rule)
        if cell is None or hold is None or rule is None:
            return True
        if until := self._hearing.awaited(cell, timer.rule, at):
            again = min(until, max(at, timer.due) + _LOOK_AGAIN)
        elif faults.end(cell, timer.rule, timer.item, at):
            return True
        elif hold.phase is Phase.PENDING and faults.undecided(cell, timer.rule):
            return False
        else:
            again = max(faults.over(cell, rule, timer.item, hold), at + SOON)
        self._untold.timers.put(timer._replace(due=again))
        return True

    # -- a step --------------------------------------------------------------------------------

    def _count(self, terminal: Terminal, place: int, step: Step) -> bool:
        """From here on cells know of it; whether there is something to say."""
        step.counted = True
        if step.serves is not None:
            terminal.served = step.serves
            self._done(terminal, place)
            self._faults.quorums.recount(terminal, in_order=True)
            return False
        key = (step.rule, step.item)
        told, after = terminal.told.pop(key, None), step.after
        if after is not None:
            same = told is not None and told.started_at == after.started_at
            noted = after.fault_id, after.suppressed_by
            after.fault_id = told.fault_id if same and told else None
            after.suppressed_by = told.suppressed_by if same and told else None
            terminal.told[key] = after
            if noted != (after.fault_id, after.suppressed_by):  # so it stands beside the next step
                self._untold.rewrite(terminal, key)
        self._faults.quorums.moved(terminal, step.rule)
        self._line_up(terminal, place, step)
        self._untold.keep(terminal, place)
        return True

    def _line_up(self, terminal: Terminal, place: int, step: Step) -> None:
        line = (terminal.code, step.rule, step.item)
        self._lines.setdefault(line, []).append((terminal, place))

    def _done(self, terminal: Terminal, place: int) -> None:
        del terminal.steps[place]
        self._untold.keep(terminal, place)

    # -- saying it -----------------------------------------------------------------------------

    def _say(self, fresh: list[Line]) -> None:
        """Say what is decided: of these, and of all that waited where something was decided."""
        lines = set(fresh)
        while lines or self._untold.decided:
            if self._untold.decided:
                lines = set(self._lines)
            self._untold.decided = False
            for line in sorted(lines):
                self._say_line(line, patient=True)
            lines = set()

    def _say_line(self, line: Line, *, patient: bool) -> None:
        waiting = self._lines.get(line, [])
        while waiting:
            terminal, place = waiting[0]
            step = terminal.steps[place]
            fires = isinstance(step.word, Fire)
            if patient and fires and self._faults.speakers.undecided(terminal, step.rule):
                return
            waiting.pop(0)
            self._done(terminal, place)
            self._say_step(terminal, step)
        self._lines.pop(line, None)

    def _say_step(self, terminal: Terminal, step: Step) -> None:
        key = (step.rule, step.item)
        told = terminal.told.get(key)
        if isinstance(step.word, Fire):
            self._fire(terminal, step, step.word, told)
        elif step.word is not None:
            self._faults.record.changes.append(step.word)
            if isinstance(step.word, Cleared):
                self._untold.decided = True
                self._faults.telling.speak(terminal, step.rule, step.word.at)
        elif told is not None and _came_back(step):
            self._faults.telling.respeak(terminal, step.rule, step.item, told, step.at)

    def _fire(self, terminal: Terminal, step: Step, fire: Fire, told: Hold | None) -> None:
        rule = self._faults.rule_of(terminal, step.rule)
        if rule is None:  # it is gone, and nothing was said of its fault
            self._unsay(terminal, (step.rule, step.item), fire)
            return
        if rule.shadow is not fire.shadow:  # it was another when its hold was over
            rule = replace(rule, shadow=fire.shadow)
        by = self._faults.speakers.speaker(terminal, step.rule)
        self._faults.record.changes.append(
            Fired(
                fire.id, key_of(terminal, step.rule, step.item), rule, terminal.id, terminal.cell,
                fire.started_at, fire.at, by, fire.severity,
            )
        )  # fmt: skip
        if told is not None and told.started_at == fire.started_at:
            told.fault_id, told.suppressed_by = fire.id, by
            note_speaker(terminal, (step.rule, step.item), told)
            self._untold.rewrite(terminal, (step.rule, step.item))
        self._untold.decided = True
        self._faults.telling.speak(terminal, step.rule, fire.at)

    def _unsay(self, terminal: Terminal, key: tuple[str, str], fire: Fire) -> None:
        hold = terminal.holds.get(key)
        if hold is not None and hold.fault_id == fire.id:
            hold.fault_id = None
        for place, step in list(terminal.steps.items()):
            if step.word is not None and step.word.id == fire.id:
                step.word = None
                self._untold.keep(terminal, place)


def _came_back(step: Step) -> bool:
    """Whether a fault that was clearing goes on."""
    before, after = step.before, step.after
    return (
        before is not None
        and after is not None
        and (before.phase, after.phase) == (Phase.CLEARING, Phase.FIRING)
    )
