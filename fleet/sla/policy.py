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
class Rung:
    """Who hears of a level when a clock has used a share of its target: 1 is all of it."""

    level: Level
    tells: str
    share: float

    def reached(self, used: timedelta, target: timedelta) -> bool:
        """Whether a clock is there: at a warning, but past a target."""
        there = target * self.share
        return used > there if self.level is Level.BREACHED else used >= there


@dataclass(frozen=True, slots=True)
class Policy:
    """A promise, from `valid_from` on; `cell` is nothing for the one that holds everywhere.

    `warn_share` of a target is where its warning lies. Only the hold reasons in `pausing` stop the
    clocks. `chain` is who hears, one after the other, until the clock stops.
    """

    severity: str
    cell: str | None
    valid_from: datetime
    calendar: Calendar
    targets: Mapping[Clock, timedelta]
    warn_share: float
    pausing: frozenset[str]
    chain: tuple[str, ...]

    @property
    def ladder(self) -> tuple[Rung, ...]:
        """Who hears when: of a warning the first, of a breach the second, of a breach that goes on
        each further one, as long after the one before as the warning comes before the target.

        Whoever is alone hears of both.
        """
        warning = Rung(Level.WARNING, self.chain[0], self.warn_share)
        breaches = (
            Rung(Level.BREACHED, who, 1 + number * (1 - self.warn_share))
            for number, who in enumerate(self.chain[1:] or self.chain)
        )
        return (warning, *breaches)


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
