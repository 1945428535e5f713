"""Who is sent: the least busy technician of the nearest cell with the skill."""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Candidate:
    """A technician with the skill who answers for the ticket's cell or one above it.

    `distance` is 0 for the cell itself, 1 for its parent, and so on.
    """

    technician_id: int
    code: str
    distance: int


@dataclass(frozen=True, slots=True)
class Opening:
    """A ticket that nobody has, and who could be sent."""

    ticket_id: int
    candidates: tuple[Candidate, ...]


def assign(openings: Iterable[Opening], load: Mapping[int, int]) -> dict[int, int]:
    """Ticket → technician, for the openings that have a candidate, in the order they come in.

    `load` is how many tickets each technician has to do; what is given out here counts at once.
    """
    busy = Counter(load)
    chosen: dict[int, int] = {}
    for opening in openings:
        best = min(
            opening.candidates,
            key=lambda one: (one.distance, busy[one.technician_id], one.code),
            default=None,
        )
        if best is not None:
            chosen[opening.ticket_id] = best.technician_id
            busy[best.technician_id] += 1
    return chosen
