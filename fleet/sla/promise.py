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
from fleet.sla.reading import Course, History, Reading, courses

_ORDER = tuple(Severity)
_CLOCKS = tuple(Clock)


class Rating(NamedTuple):
    """A severity, and since when without a break the ticket has been at least so severe."""

    severity: str
    since: datetime


class Promise(NamedTuple):
    """A policy, and from when on its targets count."""

    policy: Policy
    since: datetime

    def of(self, history: History) -> History:
        """A ticket's history as if it had been raised when this was promised."""
        return replace(history, created_at=self.since)


class Laid(NamedTuple):
    """A promise, and the clocks by it."""

    promise: Promise
    courses: tuple[Course, ...]


class Standing(NamedTuple):
    """A clock, and the promise that it is read by."""

    promise: Promise
    reading: Reading


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


def lay(promises: Sequence[Promise], history: History) -> tuple[Laid, ...]:
    """The clocks by each promise, in the order in which they were given."""
    first, *later = promises
    return (
        Laid(first, _of_the_first(first, history)),
        *(Laid(one, courses(one.policy, one.of(history))) for one in later),
    )


def _of_the_first(promise: Promise, history: History) -> tuple[Course, ...]:
    """Its clocks, from when it was given; one that had ended before as it was."""
    since_raised = courses(promise.policy, history)
    if promise.since <= history.created_at:
        return since_raised
    return tuple(
        since if whole.stopped_at is None or whole.stopped_at > promise.since else whole
        for whole, since in zip(
            since_raised, courses(promise.policy, promise.of(history)), strict=True
        )
    )


def readings(promises: Sequence[Promise], history: History, at: datetime) -> tuple[Reading, ...]:
    """Every clock as it stands, by the promise that is due first."""
    return tuple(one.reading for one in standings(lay(promises, history), at))


def standings(laid: Sequence[Laid], at: datetime) -> tuple[Standing, ...]:
    """The same of what was laid out before, each with its promise."""
    (first, of_first), *later = laid
    found = {course.clock: Standing(first, course.read(at)) for course in of_first}
    for promise, of_promise in later:
        for course in of_promise:
            standing = found[course.clock]
            stopped_at = standing.reading.stopped_at
            if stopped_at is None or stopped_at > promise.since:
                other = Standing(promise, course.read(at))
                found[course.clock] = min(standing, other, key=_due)
    return tuple(found[clock] for clock in _CLOCKS)


def _milder(one: str, other: str) -> bool:
    return _ORDER.index(Severity(one)) > _ORDER.index(Severity(other))


def _due(standing: Standing) -> tuple[datetime, float]:
    reading = standing.reading
    left = reading.target - reading.used
    return reading.due_at or FOREVER, left.total_seconds()
