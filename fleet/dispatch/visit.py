"""What there is to do: open tickets, and those of one site taken together."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime

from fleet.dispatch.place import Place

WEIGHTS: Mapping[str, int] = {"critical": 8, "major": 4, "minor": 2, "warning": 1}
"""What a minute of delay counts, by severity."""


@dataclass(frozen=True, slots=True)
class Job:
    """An open ticket that may be given to somebody.

    `cells` are its cell and those above it, upwards. `site` is a key of the place it is at, or
    nothing where it has none. `due_at` is when somebody should be there. `holder` is the technician
    who has it by now and has not accepted; nobody in `refused` is sent. `also` are the skills that
    its terminal takes besides.
    """

    ticket_id: int
    skill: str
    line: int
    severity: str
    cells: tuple[str, ...]
    site: str | None = None
    place: Place | None = None
    due_at: datetime | None = None
    holder: int | None = None
    refused: frozenset[int] = frozenset()
    also: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Visit:
    """Jobs of one site that one technician does in one go; `distances` by who may be sent.

    A distance of 0 is the cell itself, 1 its parent, and so on. `weight` is that of the most severe
    of its jobs, `due_at` when somebody should be there for the first, `holders` who has some.
    """

    jobs: tuple[Job, ...]
    distances: Mapping[int, int]
    site: str | None
    place: Place | None
    weight: int
    due_at: datetime | None
    holders: frozenset[int]


def visit(jobs: tuple[Job, ...], distances: Mapping[int, int]) -> Visit:
    """The visit that does some jobs of one site."""
    return Visit(
        jobs,
        distances,
        jobs[0].site,
        jobs[0].place,
        max(WEIGHTS[job.severity] for job in jobs),
        min((job.due_at for job in jobs if job.due_at is not None), default=None),
        frozenset(job.holder for job in jobs if job.holder is not None),
    )


def bundled(jobs: Iterable[tuple[Job, Mapping[int, int]]]) -> list[Visit]:
    """Jobs with who may be sent to each, as visits: those of a site together if one may do all.

    No visit takes a job from whoever has it: where that one may not do the others, they part.
    """
    visits: list[Visit] = []
    at_site: dict[str, list[int]] = {}
    for job, distances in sorted(jobs, key=lambda one: _rank(one[0])):
        places = [] if job.site is None else at_site.setdefault(job.site, [])
        for number in places:
            joined = _joined(visits[number], job, distances)
            if joined is not None:
                visits[number] = joined
                break
        else:
            places.append(len(visits))
            visits.append(visit((job,), distances))
    return visits


def _rank(job: Job) -> tuple[int, int]:
    return -WEIGHTS[job.severity], job.ticket_id


def _joined(standing: Visit, job: Job, distances: Mapping[int, int]) -> Visit | None:
    both = {one: at for one, at in standing.distances.items() if one in distances}
    for mine, may in [*((one, standing.distances) for one in standing.jobs), (job, distances)]:
        if mine.holder in may and mine.holder not in both:
            return None
    return visit((*standing.jobs, job), both) if both else None
