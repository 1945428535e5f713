"""What is promised of a ticket whose severity changes.

Each severity's targets count from when the ticket came to be at least so severe: what was promised
of the milder fault still holds, and what is promised of the worse one counts from when it began.
A clock is due at the first of them. One that had stopped before is not started again.
"""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from typing import NamedTuple

from fleet.rules.severity import Severity
from fleet.sla.calendar import FOREVER
from fleet.sla.policy import Clock, Policy
from fleet.sla.reading import History, Reading, read

_ORDER = tuple(Severity)


class Rating(NamedTuple):
    """A severity, and since when without a break the ticket has been at least so severe."""

    severity: str
    since: datetime


class Promise(NamedTuple):
    """A policy, and from when on its targets count."""

    policy: Policy
    since: datetime


def ratings(
    created_at: datetime, severity: str, changes: Sequence[tuple[datetime, str]]
) -> tuple[Rating, ...]:
    """The severities that count now, the mildest first.

    `severity` is the present one; `changes` say when it was changed, and what it was until then.
    """
    begins = [created_at, *(at for at, _ in changes)]
    stack: list[Rating] = []
    for since, said in zip(begins, [*(before for _, before in changes), severity], strict=True):
        began = since
        while stack and not _milder(stack[-1].severity, said):
            began = stack.pop().since
        stack.append(Rating(said, began))
    return tuple(stack)


def readings(promises: Sequence[Promise], history: History, at: datetime) -> tuple[Reading, ...]:
    """Every clock as it stands, by the promise that is due first."""
    first, *later = promises
    found = {one.clock: one for one in read(first.policy, history, at)}
    for promise in later:
        since = replace(history, created_at=promise.since)
        for one in read(promise.policy, since, at):
            standing = found[one.clock]
            if standing.stopped_at is None or standing.stopped_at > promise.since:
                found[one.clock] = min(standing, one, key=_due)
    return tuple(found[clock] for clock in Clock)


def _milder(one: str, other: str) -> bool:
    return _ORDER.index(Severity(one)) > _ORDER.index(Severity(other))


def _due(reading: Reading) -> tuple[datetime, float]:
    left = reading.target - reading.used
    return reading.due_at or FOREVER, left.total_seconds()
