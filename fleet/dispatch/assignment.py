"""Who is sent where: the lowest cost over all open tickets at once.

Every visit is given one place in the queue of one technician, or none: an assignment problem,
solved exactly. Where no technician connects two groups of tickets, each is a problem of its own;
together they are the same optimum.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

import numpy as np

from fleet.dispatch.cost import Cost, cost, costs, joining, nobody
from fleet.dispatch.fitness import Fitness, Roster
from fleet.dispatch.technician import Technician
from fleet.dispatch.visit import Job, Visit, bundled
from fleet.late import Late

_optimize = Late("scipy.optimize")

MOST_TOLD = 20
"""Of so many who were considered a choice tells: the nearest, and whoever is sent."""


class Reason(StrEnum):
    """Why a choice is what it is."""

    ONLY = "the only one who may be sent"
    LOWEST = "the lowest cost over all open tickets"
    SAME_SITE = "goes to the site anyway"
    NOBODY = "nobody may be sent"
    CROWDED = "whoever may be sent has as much to do as they may"
    BY_HAND = "chosen by hand"


@dataclass(frozen=True, slots=True)
class Considered:
    """Somebody who answers for the cell, with what speaks against them, or what they would cost."""

    fitness: Fitness
    cost: Cost | None


@dataclass(frozen=True, slots=True)
class Choice:
    """What became of a job: who is sent, why, and who was considered, with so many `others`."""

    job: Job
    technician: Technician | None
    reason: Reason
    considered: tuple[Considered, ...]
    others: int


@dataclass(frozen=True, slots=True)
class Turn:
    """Where a visit goes: to a place in somebody's queue, or `joins` what they do there anyway."""

    technician: Technician
    place: int = 0
    joins: bool = False


def assign(jobs: Iterable[Job], technicians: Sequence[Technician], at: datetime) -> list[Choice]:
    """A choice for every job, in the order of tickets."""
    roster = Roster(technicians, at)
    beside = {job.ticket_id: (job, roster.beside(job)) for job in jobs}
    visits = bundled(
        (job, {one.technician.id: one.distance or 0 for one in found if one.fit})
        for job, found in beside.values()
    )
    by_id = {one.id: one for one in technicians}
    choices = [
        _choice(job, visit, turn, beside[job.ticket_id][1], at)
        for visit, turn in solve(visits, by_id, at)
        for job in visit.jobs
    ]
    return sorted(choices, key=lambda choice: choice.job.ticket_id)


def total(placed: Iterable[tuple[Visit, Turn | None]], at: datetime) -> float:
    """What a whole assignment costs."""
    return sum(_cost(visit, turn, at) for visit, turn in placed)


def _cost(visit: Visit, turn: Turn | None, at: datetime) -> float:
    if turn is None:
        return nobody(visit, at)
    if turn.joins:
        return joining(visit, turn.technician).total
    return cost(visit, turn.technician, turn.place, at).total


def solve(
    visits: Sequence[Visit], technicians: Mapping[int, Technician], at: datetime
) -> Iterator[tuple[Visit, Turn | None]]:
    """Who goes to each visit, so that the total is the lowest there is."""
    for group in _groups(visits):
        yield from _solve([visits[number] for number in group], technicians, at)


def _groups(visits: Sequence[Visit]) -> list[list[int]]:
    """Visits by who connects them: no technician may be sent to two groups."""
    leader = list(range(len(visits)))

    def find(number: int) -> int:
        while leader[number] != number:
            leader[number] = leader[leader[number]]
            number = leader[number]
        return number

    first: dict[int, int] = {}
    for number, visit in enumerate(visits):
        for technician in visit.distances:
            leader[find(number)] = find(first.setdefault(technician, number))
    groups: dict[int, list[int]] = {}
    for number in range(len(visits)):
        groups.setdefault(find(number), []).append(number)
    return list(groups.values())


def _solve(
    visits: Sequence[Visit], technicians: Mapping[int, Technician], at: datetime
) -> Iterable[tuple[Visit, Turn | None]]:
    """One group: a row a visit, a column a place; what may not be costs as much as nobody."""
    rows_of: dict[int, list[int]] = {}
    for row, visit in enumerate(visits):
        for technician in visit.distances:
            rows_of.setdefault(technician, []).append(row)
    alone = np.array([[nobody(visit, at)] for visit in visits])
    blocks, places = [], []
    for key, rows in sorted(rows_of.items()):
        block, offered = _offers(visits, rows, technicians[key], alone, at)
        blocks.append(block)
        places += offered
    missing = max(0, len(visits) - len(places))
    blocks.append(np.repeat(alone, missing, axis=1))
    matrix = np.concatenate(blocks, axis=1)
    for row, column in zip(*_optimize.linear_sum_assignment(matrix), strict=True):
        taken = column < len(places) and matrix[row, column] < alone[row, 0]
        yield visits[row], places[column] if taken else None


def _offers(
    visits: Sequence[Visit],
    rows: Sequence[int],
    technician: Technician,
    alone: np.ndarray[tuple[int, int], np.dtype[np.float64]],
    at: datetime,
) -> tuple[np.ndarray[tuple[int, int], np.dtype[np.float64]], list[Turn]]:
    """The columns of a technician: free places, and one for each visit that they can join."""
    joined = [row for row in rows if visits[row].site in technician.visits]
    free = max(0, min(technician.most - len(technician.visits), len(rows)))
    block = np.repeat(alone, free + len(joined), axis=1)
    block[rows, :free] = costs([visits[row] for row in rows], technician, free, at)
    for column, row in enumerate(joined, free):
        block[row, column] = joining(visits[row], technician).total
    places = [Turn(technician, place) for place in range(free)]
    return block, places + [Turn(technician, joins=True)] * len(joined)


def _choice(
    job: Job, visit: Visit, place: Turn | None, beside: Sequence[Fitness], at: datetime
) -> Choice:
    told = list(beside[:MOST_TOLD])
    if place is not None and all(one.technician is not place.technician for one in told):
        told += [one for one in beside if one.technician is place.technician]
    considered = tuple(
        Considered(one, _shown(visit, one, place, at) if one.fit else None) for one in told
    )
    technician = None if place is None else place.technician
    reason = _reason(place, sum(one.fit for one in beside))
    return Choice(job, technician, reason, considered, len(beside) - len(told))


def _reason(place: Turn | None, fit: int) -> Reason:
    if place is None:
        return Reason.CROWDED if fit else Reason.NOBODY
    if place.joins:
        return Reason.SAME_SITE
    return Reason.ONLY if fit == 1 else Reason.LOWEST


def _shown(visit: Visit, one: Fitness, place: Turn | None, at: datetime) -> Cost | None:
    """What somebody costs: who is sent, in their place; somebody else, in their first."""
    if one.technician.id not in visit.distances:
        return None
    mine = place is not None and place.technician.id == one.technician.id
    if mine and place is not None and place.joins:
        return joining(visit, one.technician)
    return cost(visit, one.technician, place.place if mine and place else 0, at)
