"""The service state of a terminal: one at every instant, the first in precedence that applies."""

from collections.abc import Iterable
from enum import StrEnum


class ServiceState(StrEnum):
    """In order of precedence: where several apply, the first holds."""

    PLANNED_MAINTENANCE = "planned_maintenance"
    OUT_OF_SCHEDULE = "out_of_schedule"
    UNKNOWN = "unknown"
    OFFLINE = "offline"
    SUPERVISOR = "supervisor"
    OUT_OF_SERVICE = "out_of_service"
    CASH_OUT = "cash_out"
    DEGRADED = "degraded"
    IN_SERVICE = "in_service"


PRECEDENCE: tuple[ServiceState, ...] = tuple(ServiceState)
_RANK = {state: rank for rank, state in enumerate(PRECEDENCE)}

OUT_OF_SCOPE = frozenset({ServiceState.PLANNED_MAINTENANCE, ServiceState.OUT_OF_SCHEDULE})
"""Time in these states is not judged: it is taken out of the scope."""

UP = frozenset({ServiceState.IN_SERVICE, ServiceState.DEGRADED})
"""Operational availability counts these as available; technical availability adds `cash_out`."""

CAUSED_BY_RULES = frozenset(
    {
        ServiceState.OFFLINE,
        ServiceState.SUPERVISOR,
        ServiceState.OUT_OF_SERVICE,
        ServiceState.CASH_OUT,
        ServiceState.DEGRADED,
    }
)
"""What a rule's `impact` may be; the others follow from windows, schedules and our own sight."""


def prevailing(states: Iterable[ServiceState]) -> ServiceState:
    """The state that holds where all of these apply; in service where none does."""
    return min(states, key=_RANK.__getitem__, default=ServiceState.IN_SERVICE)
