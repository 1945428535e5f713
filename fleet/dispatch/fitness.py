"""The filter: who may be sent to a ticket, and what is in the way of everybody else."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from fleet.dispatch.technician import Technician
from fleet.dispatch.visit import Job


class Shortfall(StrEnum):
    """What keeps a technician from being sent."""

    CELL = "does not answer for the cell"
    SKILL = "has not all the skills"
    LINE = "is of the other line"
    SHIFT = "is not on shift"
    ABSENT = "is absent"
    DISABLED = "has an account that is disabled"
    LOAD = "has as much to do as they may"
    REFUSED = "declined it, did not accept it in time, or was relieved of it"


BY_HAND = frozenset(
    {Shortfall.CELL, Shortfall.SKILL, Shortfall.SHIFT, Shortfall.ABSENT, Shortfall.DISABLED}
)
"""What not even a person overrides; the rest is theirs to weigh."""


@dataclass(frozen=True, slots=True)
class Fitness:
    """A technician beside a ticket; `distance` is nothing for who does not answer for its cell."""

    technician: Technician
    distance: int | None
    shortfalls: tuple[Shortfall, ...]

    @property
    def fit(self) -> bool:
        """Whether they may be sent."""
        return not self.shortfalls


def attendance(technician: Technician, at: datetime) -> tuple[Shortfall, ...]:
    """Why somebody does not work at an instant, if they do not."""
    away = {
        Shortfall.SHIFT: not technician.on_shift(at),
        Shortfall.ABSENT: technician.absent(at),
        Shortfall.DISABLED: technician.disabled,
    }
    return tuple(one for one, true in away.items() if true)


def fitness(job: Job, technician: Technician, away: tuple[Shortfall, ...]) -> Fitness:
    """What speaks against sending a technician to a ticket, `away` included."""
    distance = next((far for far, cell in enumerate(job.cells) if cell in technician.cells), None)
    there_anyway = job.site is not None and job.site in technician.visits
    full = len(technician.visits) >= technician.most
    against = {
        Shortfall.CELL: distance is None,
        Shortfall.SKILL: not technician.skills >= {job.skill, *job.also},
        Shortfall.LINE: job.line not in technician.lines,
        Shortfall.LOAD: full and not there_anyway,
        Shortfall.REFUSED: technician.id in job.refused,
    }
    found = tuple(one for one, true in against.items() if true)
    return Fitness(technician, distance, (*found, *away))


_Alike = tuple[tuple[str, ...], str, int, frozenset[str]]


class Roster:
    """The technicians who are there, looked up by what they answer for.

    Tickets of one cell, skills and line have the same people beside them, but for those who refused
    one, and those who go to its site anyway.
    """

    def __init__(self, technicians: Iterable[Technician], at: datetime) -> None:
        self._by_cell: dict[str, list[tuple[Technician, tuple[Shortfall, ...]]]] = {}
        self._alike: dict[_Alike, Sequence[Fitness]] = {}
        self._visited: set[str] = set()
        for one in sorted(technicians, key=lambda technician: technician.code):
            away = attendance(one, at)
            self._visited |= one.visits
            for cell in one.cells:
                self._by_cell.setdefault(cell, []).append((one, away))

    def beside(self, job: Job) -> Sequence[Fitness]:
        """Everybody who answers for a ticket's cell or one above it, the nearest first."""
        if job.refused or job.site in self._visited:
            return self._look(job)
        alike = (job.cells, job.skill, job.line, job.also)
        if alike not in self._alike:
            self._alike[alike] = self._look(job)
        return self._alike[alike]

    def _look(self, job: Job) -> Sequence[Fitness]:
        seen: dict[int, Fitness] = {}
        for cell in job.cells:
            for one, away in self._by_cell.get(cell, ()):
                if one.id not in seen:
                    seen[one.id] = fitness(job, one, away)
        return list(seen.values())
