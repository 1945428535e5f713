"""A clock that was set: what is under way moves along with it."""

from datetime import timedelta

from fleet.rules.hold import TIMED, Phase
from fleet.rules.record import Record
from fleet.rules.speakers import key_of
from fleet.rules.terminal import Terminal


def shift(terminal: Terminal, by: timedelta, record: Record) -> None:
    """Its clock was set ahead: what was under way goes on as long as it would have."""
    for (rule, item), hold in terminal.holds.items():
        if hold.phase in TIMED:
            hold.since += by
        if hold.phase is Phase.PENDING:
            hold.started_at += by
        record.holds[key_of(terminal, rule, item)] = hold
    for (rule, item), transitions in terminal.transitions.items():
        transitions.times = tuple(time + by for time in transitions.times)
        record.transitions[key_of(terminal, rule, item)] = transitions
    for rule, times in terminal.counts.items():
        terminal.counts[rule] = tuple(time + by for time in times)
        record.counts[terminal.code, rule] = terminal.counts[rule]
    for key, slope in terminal.slopes.items():
        slope.past = tuple((time + by, value) for time, value in slope.past)
        record.slopes[terminal.code, *key] = slope
