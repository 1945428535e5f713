"""What a ticket's history lacks of escalations, and when the next one is due.

The clocks of a ticket climb the ladder of its promise: each rung is told once since the ticket was
raised or reopened. Whoever was to be warned and was not, for nobody looked in time, hears of the
breach.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

from fleet.sla.calendar import FOREVER
from fleet.sla.clock import due
from fleet.sla.policy import Clock, Level, Policy
from fleet.sla.reading import History, Reading, begin, pauses
from fleet.tickets.lifecycle import Event


@dataclass(frozen=True, slots=True)
class Escalation:
    """A level that a running clock has come to, and who is to hear of it."""

    clock: Clock
    level: Level
    tells: str

    @property
    def reason(self) -> str:
        """As the history has it: `response warning`."""
        return f"{self.clock} {self.level}"

    @property
    def note(self) -> str:
        """As the history has it: `for operations`."""
        return f"for {self.tells}"


def escalations(
    policy: Policy, history: History, readings: Sequence[Reading]
) -> Iterator[Escalation]:
    """What running clocks have come to and the history does not tell of yet."""
    for one in readings:
        if one.stopped_at is None:
            told = _told(history, one.clock)
            for escalation in _reached(policy, one, told):
                if (escalation.reason, escalation.note) not in told:
                    yield escalation


def next_at(policy: Policy, history: History, readings: Sequence[Reading]) -> datetime:
    """When the first of the running clocks comes to a rung that it has not reached; or for ever."""
    found = FOREVER
    for one in readings:
        rungs = [rung for rung in policy.ladder if not rung.reached(one.used, one.target)]
        if one.stopped_at is None and rungs:
            there = one.target * rungs[0].share
            stands = pauses(policy, history, one.clock)
            at = due(policy.calendar, begin(history, one.clock), there, stands)
            found = min(found, at or FOREVER)
    return found


def _reached(
    policy: Policy, reading: Reading, told: set[tuple[str | None, str | None]]
) -> Iterator[Escalation]:
    warning, *breaches = policy.ladder
    warned = Escalation(reading.clock, Level.WARNING, warning.tells)
    over = [rung.tells for rung in breaches if rung.reached(reading.used, reading.target)]
    if not over and warning.reached(reading.used, reading.target):
        yield warned
    elif over and (warned.reason, warned.note) not in told and warning.tells not in over:
        yield Escalation(reading.clock, Level.BREACHED, warning.tells)
    for who in dict.fromkeys(over):
        yield Escalation(reading.clock, Level.BREACHED, who)


def _told(history: History, clock: Clock) -> set[tuple[str | None, str | None]]:
    begun = begin(history, clock)
    return {
        (step.reason, step.note)
        for step in history.steps
        if step.event is Event.ESCALATE and step.at >= begun
    }
