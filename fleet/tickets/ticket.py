"""A ticket as its lifecycle sees it."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from uuid import UUID

from fleet.rules.severity import Severity


class State(StrEnum):
    """Where a ticket stands."""

    NEW = "NEW"
    ASSIGNED = "ASSIGNED"
    ACCEPTED = "ACCEPTED"
    EN_ROUTE = "EN_ROUTE"
    ON_SITE = "ON_SITE"
    ON_HOLD = "ON_HOLD"
    RESOLVED = "RESOLVED"
    CLOSED = "CLOSED"
    CANCELLED = "CANCELLED"
    MERGED = "MERGED"


ENDED = frozenset({State.CLOSED, State.CANCELLED, State.MERGED})
"""No move leaves these; in every other state a ticket is live."""


@dataclass(frozen=True, slots=True)
class Ticket:
    """What decides a ticket's moves and is changed by them; what it is about stays elsewhere.

    `version` grows by one with every move. `held_in` is the state that ON_HOLD interrupted.
    `recovered_at` is since when telemetry says that the fault is gone. `pinned`: a person chose the
    technician, and dispatch does not move it. `severity` is its fault's, as it was followed last.
    Without `fault_id` it was raised by hand.
    """

    id: int
    version: int
    state: State
    fault_id: UUID | None
    technician_id: int | None = None
    parent_id: int | None = None
    held_in: State | None = None
    reopened: int = 0
    resolved_at: datetime | None = None
    recovered_at: datetime | None = None
    line: int = 2
    severity: Severity | None = None
    pinned: bool = False

    @property
    def by_hand(self) -> bool:
        """Whether telemetry knows nothing of what it is about."""
        return self.fault_id is None
