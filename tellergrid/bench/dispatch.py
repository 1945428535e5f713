"""How long dispatch takes: everybody's tickets at once, and one full day; no database in it.

The service area is made from a seed: districts of ten cells, technicians who answer for three cells
of theirs or, one in five, for the whole district, each with four of six skills.
"""

import random
import statistics
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from time import perf_counter
from typing import TypeVar

import msgspec

from fleet.dispatch.assignment import assign
from fleet.dispatch.day_plan import Stop, plan
from fleet.dispatch.place import Place
from fleet.dispatch.technician import Technician
from fleet.dispatch.visit import Job
from fleet.rules.rule import SKILLS
from fleet.sla.calendar import Span

TICKETS, TECHNICIANS, STOPS = 1_500, 300, 30
RUNS = 5
_DISTRICTS, _CELLS = 10, 10
_NOW = datetime(2026, 1, 5, 8, tzinfo=UTC)
_MINUTE = timedelta(minutes=1)

Progress = Callable[[str], None]


class DispatchReport(msgspec.Struct, frozen=True):
    """Medians of five runs, in seconds of wall time."""

    assign_s: float
    day_plan_s: float
    assigned: int
    planned: int


def measure(progress: Progress) -> DispatchReport:
    """Assign 1,500 tickets among 300 technicians, with every choice told, and plan 30 stops."""
    chance = random.Random(1)  # noqa: S311 - a made-up area, no secret
    jobs = [_job(chance, number) for number in range(TICKETS)]
    people = [_technician(chance, number) for number in range(TECHNICIANS)]
    stops = [_stop(chance, number) for number in range(STOPS)]
    progress("assigning")
    took, choices = _timed(lambda: assign(jobs, people, _NOW))
    progress("planning a day")
    shift = Span(_NOW, _NOW + 1_440 * _MINUTE)
    planning, day = _timed(lambda: plan(shift, _place(chance, 0), stops))
    return DispatchReport(
        assign_s=round(took, 3),
        day_plan_s=round(planning, 3),
        assigned=sum(choice.technician is not None for choice in choices),
        planned=len(day.stops),
    )


_Made = TypeVar("_Made")


def _timed(work: Callable[[], _Made]) -> tuple[float, _Made]:
    spent = []
    for _ in range(RUNS):
        began = perf_counter()
        made = work()
        spent.append(perf_counter() - began)
    return statistics.median(spent), made


def _job(chance: random.Random, number: int) -> Job:
    district, cell = chance.randrange(_DISTRICTS), chance.randrange(_CELLS)
    site = chance.randrange(TICKETS // 15)
    return Job(
        ticket_id=number,
        skill=chance.choice(SKILLS),
        line=2,
        severity=chance.choices(("critical", "major", "minor"), (1, 4, 3))[0],
        cells=(f"C{district}{cell}", f"D{district}"),
        site=f"C{district}{cell}/{site}",
        place=_place(chance, district),
        due_at=_NOW + chance.randint(-60, 600) * _MINUTE,
    )


def _technician(chance: random.Random, number: int) -> Technician:
    district = number % _DISTRICTS
    whole = number % 5 == 0
    own = (f"C{district}{cell}" for cell in chance.sample(range(_CELLS), 3))
    return Technician(
        id=number,
        code=f"T{number:03d}",
        skills=frozenset(chance.sample(SKILLS, 4)),
        cells=frozenset({f"D{district}"} if whole else own),
        place=_place(chance, district),
    )


def _stop(chance: random.Random, number: int) -> Stop:
    due = _NOW + chance.randint(120, 1_300) * _MINUTE
    return Stop(
        f"stop {number}", _place(chance, 0), 25, latest=due if chance.random() < 0.6 else None
    )


def _place(chance: random.Random, district: int) -> Place:
    return Place(30 + district / 5 + chance.random() / 5, 120 + chance.random() / 5)
