"""What is promised: targets by severity and cell, on which calendar, and who hears of trouble."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from types import MappingProxyType

from fleet.sla.calendar import Calendar


class Clock(StrEnum):
    """What is measured, each from when the ticket was raised."""

    RESPONSE = "response"
    ARRIVAL = "arrival"
    RESTORE = "restore"


class Level(StrEnum):
    """How a clock stands against its target, the worst last."""

    OK = "ok"
    WARNING = "warning"
    BREACHED = "breached"


@dataclass(frozen=True, slots=True)
class Policy:
    """A promise, from `valid_from` on; `cell` is nothing for the one that holds everywhere.

    `warn_share` of a target is where its warning lies. Only the hold reasons in `pausing` stop the
    clocks. `chain` is who hears: of a warning the first, of a breach the second (or the last).
    """

    severity: str
    cell: str | None
    valid_from: datetime
    calendar: Calendar
    targets: Mapping[Clock, timedelta]
    warn_share: float
    pausing: frozenset[str]
    chain: tuple[str, ...]

    def tells(self, level: Level) -> str:
        """Who hears of a level."""
        return self.chain[min(list(Level).index(level), len(self.chain)) - 1]


def choose(
    policies: Iterable[Policy], severity: str, cells: Sequence[str], at: datetime
) -> Policy | None:
    """The policy of a ticket raised at an instant: of the nearest cell, and there the latest.

    `cells` are the ticket's cell and those above it, upwards. A policy that is changed later does
    not touch tickets that are there already: the promise is the one that was given.
    """
    nearness: Mapping[str | None, int] = MappingProxyType(
        {cell: number for number, cell in enumerate(cells)} | {None: len(cells)}
    )
    fitting = [
        policy
        for policy in policies
        if policy.severity == severity and policy.cell in nearness and policy.valid_from <= at
    ]
    return min(
        fitting,
        key=lambda policy: (nearness[policy.cell], -policy.valid_from.timestamp()),
        default=None,
    )
