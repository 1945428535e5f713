"""What the system said about a run, as plain values: faults, tickets, service intervals."""

from collections.abc import Iterable
from uuid import UUID

import msgspec

from fleet.rules.changes import Change, Cleared, Fired, Flapped, Rated, Suppressed, Transition
from fleet.service_state import ServiceState

_TRAVEL_S = 1.0


class Fault(msgspec.Struct):
    """A fault that was raised; times are epoch seconds, of the terminal's but for `decided_at`.

    `suppressed` says whether a cell's fault ever spoke for it.
    """

    id: UUID
    scope: str
    subject: str
    cell: str
    rule: str
    item: str
    severity: str
    component: str
    started_at: float
    fired_at: float
    decided_at: float
    cleared_at: float | None = None
    suppressed: bool = False
    speaker: UUID | None = None
    flapped: bool = False

    @property
    def cause(self) -> tuple[str, str, str, str]:
        """What there is one live ticket for."""
        return self.scope, self.subject, self.rule, self.item


class Interval(msgspec.Struct):
    """A service state that a terminal was said to be in."""

    state: ServiceState
    begins_at: float
    ends_at: float | None = None


class Said:
    """Takes in what an engine changes; service intervals are by the terminal's number."""

    def __init__(self) -> None:
        self.faults: dict[UUID, Fault] = {}
        self.intervals: dict[int, list[Interval]] = {}

    def note(self, changes: Iterable[Change], since: float, now: float) -> list[Fault]:
        """Take in what was decided between two instants; returns the faults that are different."""
        touched: dict[UUID, Fault] = {}
        for change in changes:
            match change:
                case Transition():
                    self._enter(change.terminal_id, change.state, change.at.timestamp())
                    continue
                case Fired():
                    fault = self.faults[change.id] = _fault(change, since, now)
                case Rated():
                    fault = self.faults[change.id]
                    fault.severity = change.severity.value
                case Cleared():
                    fault = self.faults[change.id]
                    fault.cleared_at = change.cleared_at.timestamp()
                case Suppressed():
                    fault = self.faults[change.id]
                    fault.speaker = change.by
                    fault.suppressed |= change.by is not None
                case Flapped():
                    fault = self.faults[change.id]
                    fault.flapped |= change.flapping
            touched[fault.id] = fault
        return list(touched.values())

    def _enter(self, terminal: int, state: ServiceState, at: float) -> None:
        intervals = self.intervals.setdefault(terminal, [])
        if intervals:
            intervals[-1].ends_at = at
            if at <= intervals[-1].begins_at:
                intervals.pop()
        intervals.append(Interval(state, at))


def _fault(fired: Fired, since: float, now: float) -> Fault:
    fired_at = fired.fired_at.timestamp()
    return Fault(
        id=fired.id,
        scope=fired.key.scope,
        subject=fired.key.subject,
        cell=fired.cell,
        rule=fired.rule.name,
        item=fired.key.item,
        severity=fired.severity.value,
        component=fired.rule.component,
        started_at=fired.started_at.timestamp(),
        fired_at=fired_at,
        # A hold that ends is noticed when it ends; one that was over before came with what is new.
        decided_at=fired_at if since - _TRAVEL_S < fired_at <= now else now,
        suppressed=fired.suppressed_by is not None,
        speaker=fired.suppressed_by,
    )
