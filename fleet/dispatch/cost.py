"""What it costs to send somebody, in minutes; the lowest sum over all is what dispatch looks for.

A technician has places in a queue, one a visit. Whoever takes the place `k` waits for the `k`
visits before it, so each place costs more than the one before: the more urgent get earlier ones.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

import numpy as np
from numpy.typing import NDArray

from fleet.dispatch.place import travel_min, ways_min
from fleet.dispatch.technician import Technician
from fleet.dispatch.visit import Visit

VISIT_MIN = 45.0
"""How long a visit is taken to last."""
LOAD_MIN = 10.0
"""What each visit that somebody has already counts against them."""
STAY_MIN = 15.0
"""What must be gained at least to take a visit from who has it by now."""
MOST_MIN = 9_000.0
LEVEL_MIN = 10_000.0
"""A cell further up: more than all else, so that the own cell's people come first."""
NOBODY_MIN = 1_000_000.0
"""Nobody is sent, a unit of weight: more than any way, so that whoever can be sent is."""


@dataclass(frozen=True, slots=True)
class Cost:
    """A choice taken apart, in minutes; `late` is weighed, `kept` is taken off."""

    travel: float
    load: float
    late: float
    kept: float
    level: float

    @property
    def total(self) -> float:
        """What it costs together."""
        own = min(MOST_MIN, self.travel + self.load + self.late)
        return own - self.kept + self.level


def cost(visit: Visit, technician: Technician, place: int, at: datetime) -> Cost:
    """Sending a technician as the `place`-th of what they are given now, from 0."""
    queue = len(technician.visits) + place
    travel = travel_min(technician.place, visit.place)
    return Cost(
        travel=travel,
        load=LOAD_MIN * (queue + 1),
        late=visit.weight * max(0.0, queue * VISIT_MIN + travel - _left_min(visit, at)),
        kept=_kept(visit, technician),
        level=LEVEL_MIN * visit.distances[technician.id],
    )


def joining(visit: Visit, technician: Technician) -> Cost:
    """Giving it to somebody who goes to that site anyway: no way, no visit more."""
    return Cost(0, 0, 0, _kept(visit, technician), LEVEL_MIN * visit.distances[technician.id])


def nobody(visit: Visit, at: datetime) -> float:
    """Sending nobody: the more severe, and the nearer to its time, the dearer."""
    return NOBODY_MIN * visit.weight - min(1_000.0, max(0.0, _left_min(visit, at)))


def costs(
    visits: Sequence[Visit], technician: Technician, places: int, at: datetime
) -> NDArray[np.float64]:
    """The totals of `cost`: a row a visit, a column a place."""
    travel = ways_min(technician.place, [one.place for one in visits])
    weight = np.array([one.weight for one in visits], dtype=float)
    left = np.array([_left_min(one, at) for one in visits])
    fixed = np.array(
        [LEVEL_MIN * one.distances[technician.id] - _kept(one, technician) for one in visits]
    )
    queue = len(technician.visits) + np.arange(places, dtype=float)
    late = np.maximum(0.0, queue[None, :] * VISIT_MIN + (travel - left)[:, None])
    own = travel[:, None] + LOAD_MIN * (queue + 1)[None, :] + weight[:, None] * late
    totals: NDArray[np.float64] = np.minimum(MOST_MIN, own) + fixed[:, None]
    return totals


def _left_min(visit: Visit, at: datetime) -> float:
    """Minutes until somebody should be there; a day where nothing says."""
    if visit.due_at is None:
        return 1_440.0
    return (visit.due_at - at).total_seconds() / 60


def _kept(visit: Visit, technician: Technician) -> float:
    if technician.id not in visit.holders:
        return 0.0
    kept = sum(job.holder == technician.id for job in visit.jobs)
    return STAY_MIN * kept / len(visit.jobs)
