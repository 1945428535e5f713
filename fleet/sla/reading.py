"""The clocks of a ticket, read off its history.

Response ends with the first acceptance and arrival with the first arrival since the ticket was
raised or reopened; where it is resolved without either, they end there. Restore ends when telemetry
says that the fault is gone, whatever people say; what lies between a recovery and a relapse is not
counted. A ticket that is cancelled or merged stops all of them.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from fleet.sla.calendar import FOREVER, Span
from fleet.sla.clock import due, union, used
from fleet.sla.policy import Clock, Level, Policy
from fleet.tickets.lifecycle import Event
from fleet.tickets.ticket import State

_CLOCKS = tuple(Clock)


@dataclass(frozen=True, slots=True)
class Step:
    """A row of a ticket's history; `note` of escalations alone.

    `recovered_at` is since when the fault was gone that a recovery tells of: it may have been
    noticed much later, of a terminal that was out of reach, or for nobody looked.
    """

    event: Event
    to_state: State
    at: datetime
    reason: str | None = None
    note: str | None = None
    recovered_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class History:
    """What a ticket's clocks depend on; `steps` in order.

    Of what was raised `by_hand` no telemetry tells: it is restored when it is resolved.
    """

    created_at: datetime
    state: State
    resolved_at: datetime | None
    recovered_at: datetime | None
    steps: Sequence[Step]
    by_hand: bool = False


@dataclass(frozen=True, slots=True)
class Reading:
    """A clock at an instant; `due_at` is nothing while an open hold keeps it from being known."""

    clock: Clock
    target: timedelta
    used: timedelta
    due_at: datetime | None
    stopped_at: datetime | None
    paused: bool
    level: Level


@dataclass(frozen=True, slots=True)
class Course:
    """A clock as a ticket's history has it, whenever it is read; it stands still in `stands`."""

    policy: Policy
    clock: Clock
    began: datetime
    stopped_at: datetime | None
    stands: Sequence[Span]
    paused: bool
    due_at: datetime | None

    def read(self, at: datetime) -> Reading:
        """The clock at an instant."""
        policy = self.policy
        target, end = policy.targets[self.clock], max(self.began, self.stopped_at or at)
        ran = used(policy.calendar, self.began, end, self.stands)
        level = _level(ran, target, policy.warn_share)
        return Reading(self.clock, target, ran, self.due_at, self.stopped_at, self.paused, level)


def read(policy: Policy, history: History, at: datetime) -> tuple[Reading, ...]:
    """Every clock of a ticket as it stands at an instant."""
    return tuple(course.read(at) for course in courses(policy, history))


def courses(policy: Policy, history: History) -> tuple[Course, ...]:
    """Every clock of a ticket, to be read at any instant until something else happens to it."""
    holds = _holds(history.steps, policy.pausing)
    return tuple(_course(policy, history, clock, holds) for clock in _CLOCKS)


def _course(policy: Policy, history: History, clock: Clock, holds: list[Span]) -> Course:
    began, stopped = begin(history, clock), _stopped(history, clock)
    stands = union(_stands(history, clock, holds))
    return Course(
        policy=policy,
        clock=clock,
        began=began,
        stopped_at=stopped,
        stands=stands,
        paused=stopped is None and bool(holds) and holds[-1].end == FOREVER,
        due_at=due(policy.calendar, began, policy.targets[clock], stands),
    )


def _level(ran: timedelta, target: timedelta, warn_share: float) -> Level:
    if ran > target:
        return Level.BREACHED
    return Level.WARNING if ran >= target * warn_share else Level.OK


def pauses(policy: Policy, history: History, clock: Clock) -> list[Span]:
    """When a clock stands still: in holds for a listed reason, and restore while all was well."""
    return _stands(history, clock, _holds(history.steps, policy.pausing))


def _stands(history: History, clock: Clock, holds: list[Span]) -> list[Span]:
    return holds + _recoveries(history) if clock is Clock.RESTORE else holds


def begin(history: History, clock: Clock) -> datetime:
    """Since when a clock runs."""
    reopened = [step.at for step in history.steps if step.event is Event.REOPEN]
    if clock is Clock.RESTORE:
        return history.created_at
    return max([history.created_at, *reopened[-1:]])


_ENDS_WITH = {Clock.RESPONSE: Event.ACCEPT, Clock.ARRIVAL: Event.ARRIVE}


def _stopped(history: History, clock: Clock) -> datetime | None:
    cut_short = history.state in (State.CANCELLED, State.MERGED)
    ended = history.steps[-1].at if cut_short else FOREVER
    if clock is Clock.RESTORE:
        restored = history.resolved_at if history.by_hand else history.recovered_at
        stop = restored or ended
    else:
        begun = begin(history, clock)
        met = (
            step.at
            for step in history.steps
            if step.event is _ENDS_WITH[clock] and step.at >= begun
        )
        stop = next(met, history.resolved_at or ended)
    stop = min(stop, ended)
    return None if stop == FOREVER else stop


def _holds(steps: Sequence[Step], pausing: frozenset[str]) -> list[Span]:
    """The holds for a listed reason; one that is not over yet ends at `FOREVER`."""
    spans: list[Span] = []
    since: datetime | None = None
    for step in steps:
        if step.event is Event.HOLD and step.reason in pausing:
            since = step.at
        elif since is not None and step.to_state is not State.ON_HOLD:
            spans.append(Span(since, step.at))
            since = None
    return spans if since is None else [*spans, Span(since, FOREVER)]


def _recoveries(history: History) -> list[Span]:
    """From each recovery to the relapse after it; the last one stops the clock instead."""
    spans: list[Span] = []
    since: datetime | None = None
    restores = Event.RESOLVE if history.by_hand else Event.RECOVER
    for step in history.steps:
        if step.event is restores:
            since = since or step.recovered_at or step.at
        elif since is not None and step.event in (Event.RELAPSE, Event.REOPEN):
            spans.append(Span(since, step.at))
            since = None
    return spans
