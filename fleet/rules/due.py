"""When a hold is over by itself, as far as time alone decides."""

from datetime import datetime

from fleet.rules.cells import Cell
from fleet.rules.hold import Hold, Phase
from fleet.rules.rule import During, Rule
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
