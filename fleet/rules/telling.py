"""What is told of faults: that one fired or cleared, how severe it is, and who speaks for it."""

from datetime import datetime

from fleet.rules import stages
from fleet.rules.changes import Cleared, Fired, Flapped, Rated, Suppressed, fault_id
from fleet.rules.hold import Hold, Phase
from fleet.rules.record import Record
from fleet.rules.rule import Rule
from fleet.rules.severity import Severity, worst
from fleet.rules.speakers import Speakers, Subject, key_of
from fleet.rules.steps import Fire
from fleet.rules.terminal import Terminal
from fleet.rules.untold import Untold

Said = Rated | Cleared | Flapped
"""What becomes of a fault that was told."""

_STANDS = frozenset({Phase.FIRING, Phase.CLEARING})


class Telling:
    """Writes down what becomes of faults."""

    def __init__(self, speakers: Speakers, record: Record, untold: Untold) -> None:
        self._speakers = speakers
        self._record = record
        self._untold = untold

    def fire(self, subject: Subject, rule: Rule, item: str, hold: Hold, at: datetime) -> None:
        """A hold has become a fault."""
        key = key_of(subject, rule.name, item)
        began = hold.started_at
        terminal = subject if isinstance(subject, Terminal) else None
        cell = subject.cell if isinstance(subject, Terminal) else subject.code
        hold.fault_id, hold.shadow = fault_id(key, began), rule.shadow
        hold.severity = _severity(subject, rule, item)
        if terminal is not None and self._untold.covers(terminal, rule.name):
            fire = Fire(hold.fault_id, began, at, hold.severity, hold.shadow)
            self._untold.note(terminal, rule.name, item, at, fire)
            return
        hold.suppressed_by = self._speakers.speaker(subject, rule.name)
        terminal_id = terminal.id if terminal else None
        self._record.changes.append(
            Fired(
                hold.fault_id, key, rule, terminal_id, cell, began, at, hold.suppressed_by,
                hold.severity,
            )
        )  # fmt: skip
        self.speak(subject, rule.name, at)

    def clear(self, subject: Subject, rule: str, item: str, hold: Hold, at: datetime) -> None:
        """A hold is idle: its fault, if it was one, is over."""
        if hold.fault_id is not None:
            ended = max(hold.since if hold.phase is Phase.CLEARING else at, hold.started_at)
            cleared = Cleared(hold.fault_id, ended, at, _shadow(hold, rule))
            hold.fault_id = None  # from here on it speaks for nobody
            if self.say(subject, rule, item, cleared, at):
                self.speak(subject, rule, at)

    def say(self, subject: Subject, rule: str, item: str, word: Said, at: datetime) -> bool:
        """Write a change of a fault down, or have it told in its turn; whether it is said."""
        if isinstance(subject, Terminal) and self._untold.covers(subject, rule):
            self._untold.note(subject, rule, item, at, word)
            return False
        self._record.changes.append(word)
        return True

    def rate(self, subject: Subject, rule: Rule, item: str, at: datetime) -> None:
        """A stage came or went: what fires may be of another severity. What clears stays."""
        hold = subject.holds.get((rule.name, item))
        if hold is None or hold.fault_id is None or hold.phase is not Phase.FIRING:
            return
        severity = _severity(subject, rule, item)
        if severity is not hold.severity:
            worse = hold.severity is None or worst(severity, hold.severity) is severity
            hold.severity = severity
            rated = Rated(hold.fault_id, severity, worse, at, _shadow(hold, rule.name))
            self.say(subject, rule.name, item, rated, at)

    def respeak_all(self, subject: Subject, at: datetime) -> None:
        """Ask anew who speaks for a subject's faults: it has moved, or a rule is gone."""
        for (rule, item), hold in self._speakers.known(subject):
            if hold.phase is not Phase.CLEARING:
                self.respeak(subject, rule, item, hold, at)

    def respeak(self, subject: Subject, rule: str, item: str, hold: Hold, at: datetime) -> None:
        """Ask anew who speaks for one fault."""
        if hold.fault_id is None:
            return
        by = self._speakers.speaker(subject, rule)
        if by != hold.suppressed_by:
            hold.suppressed_by = by
            self._record.changes.append(Suppressed(hold.fault_id, by, at, _shadow(hold, rule)))
            if isinstance(subject, Terminal) and self._untold.covers(subject, rule):
                self._untold.rewrite(subject, (rule, item))
                note_speaker(subject, (rule, item), hold)
            else:
                self._record.holds[key_of(subject, rule, item)] = hold

    def speak(self, subject: Subject, rule: str, at: datetime) -> None:
        """A fault began or ended that speaks for others: those still bad get another speaker, or
        speak for themselves. What is clearing already is left alone: it would end in an alarm."""
        for other, name, item, hold in list(self._speakers.under(subject, rule)):
            if hold.phase is not Phase.CLEARING or hold.suppressed_by is None:
                self.respeak(other, name, item, hold, at)


def note_speaker(terminal: Terminal, key: tuple[str, str], told: Hold) -> None:
    """Who speaks for a fault that was told stands at its hold too."""
    hold = terminal.holds.get(key)
    if hold is not None and hold.fault_id == told.fault_id:
        hold.suppressed_by = told.suppressed_by


def _severity(subject: Subject, rule: Rule, item: str) -> Severity:
    """How severe a fault of a rule is as its stages stand."""
    standing = [
        stage.severity
        for stage in stages.stages(rule)
        if (hold := subject.holds.get((stage.name, item))) and hold.phase in _STANDS
    ]
    return worst(rule.severity, *standing)


def _shadow(hold: Hold, rule: str) -> str:
    return rule if hold.shadow else ""
