"""To and fro: the transitions of faults, what flaps by them, and when it is steady again."""

from datetime import datetime

from fleet.rules.changes import Flapped
from fleet.rules.flapping import Transitions
from fleet.rules.hold import TIMED, Hold, Phase
from fleet.rules.record import Record
from fleet.rules.rule import Rule
from fleet.rules.speakers import Subject, key_of
from fleet.rules.telling import Telling


class Swings:
    """Notes the transitions of faults and judges them."""

    def __init__(self, record: Record, telling: Telling) -> None:
        self._record = record
        self._telling = telling

    def note(self, subject: Subject, rule: Rule, item: str, hold: Hold, at: datetime) -> bool:
        """Note that a fault's condition went to or fro; whether it begins to flap with that."""
        transitions = subject.transitions.setdefault((rule.name, item), Transitions())
        if not transitions.note(at, raised=hold.phase is Phase.FIRING):
            return False
        self._record.transitions[key_of(subject, rule.name, item)] = transitions
        if hold.flapping or not hold.fault_id or not rule.flapping.begins(transitions, at):
            return False
        hold.flapping = True
        shadow = rule.name if hold.shadow else ""
        flaps = Flapped(hold.fault_id, flapping=True, at=at, shadow=shadow)
        self._telling.say(subject, rule.name, item, flaps, at)
        return hold.phase not in TIMED

    def calm(self, subject: Subject, rule: Rule, item: str, hold: Hold, clock: datetime) -> None:
        """A fault flaps no more once its score is below the low threshold."""
        if not hold.flapping or hold.fault_id is None:
            return
        steady = rule.flapping.ends_at(subject.transitions[rule.name, item])
        if steady <= clock:
            hold.flapping = False
            self._record.holds[key_of(subject, rule.name, item)] = hold
            shadow = rule.name if hold.shadow else ""
            over = Flapped(hold.fault_id, flapping=False, at=steady, shadow=shadow)
            self._telling.say(subject, rule.name, item, over, steady)

    def over(self, subject: Subject, rule: Rule, item: str, hold: Hold, over: datetime) -> datetime:
        """When a hold that would be over is; what flaps does not clear before it is steady."""
        if not hold.flapping:
            return over
        steady = rule.flapping.ends_at(subject.transitions[rule.name, item])
        return max(over, steady) if hold.phase is Phase.CLEARING else steady
