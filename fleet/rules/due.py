"""When a hold is over by itself, as far as time alone decides."""

from datetime import datetime

from fleet.rules.cells import Cell
from fleet.rules.hold import TIMED, Hold, Phase
from fleet.rules.rule import During, Offline, Rule, Silent, Unsaid, Unseen
from fleet.rules.terminal import Terminal


def due(subject: Terminal | Cell, rule: Rule, hold: Hold) -> datetime:
    """The end of what a hold waits for: of a rule with a schedule its time counts in one piece,
    within those hours."""
    if hold.phase is not Phase.PENDING:
        return hold.since + rule.clear_hold
    if rule.schedule is None or not isinstance(subject, Terminal):
        return hold.since + rule.hold
    closed = rule.schedule is During.CLOSED
    return subject.hours.lasting(hold.since, rule.hold, closed=closed)


def waits(hold: Hold) -> bool:
    """Whether something happens to a hold by the mere passing of time."""
    return hold.phase in TIMED or hold.flapping


def needs_a_word(rule: Rule, hold: Hold) -> bool:
    """Whether only a snapshot lets it fire, and no time: a component that is said no more."""
    return hold.phase is Phase.PENDING and isinstance(rule.trigger, Unsaid)


def unheard(rule: Rule, hold: Hold) -> bool:
    """Whether it waits to fire because nothing is heard: a word says the contrary."""
    return hold.phase is Phase.PENDING and isinstance(rule.trigger, Offline | Silent | Unseen)
