"""Whatever tickets and technicians there are: no filter is broken, and nothing costs less."""

from dataclasses import replace
from datetime import timedelta
from itertools import permutations, product

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fleet.dispatch.assignment import Turn, assign, solve, total
from fleet.dispatch.day_plan import Stop, plan, timed
from fleet.dispatch.fitness import attendance, fitness
from fleet.dispatch.place import Place
from fleet.dispatch.technician import Technician
from fleet.dispatch.visit import Job, Visit, bundled
from fleet.sla.calendar import ALWAYS, Calendar, Hours, Span
from tests.unit.dispatch.world import NOW

MINUTE = timedelta(minutes=1)
CELLS = ("C1", "C2", "D")
SITES = ("s1", "s2", "s3")
OFF = Calendar("UTC", (Hours(7, 0, 60),))

places = st.builds(Place, st.floats(30, 30.3), st.floats(120, 120.3)) | st.none()
jobs = st.builds(
    Job,
    ticket_id=st.just(0),
    skill=st.sampled_from(["card", "cash"]),
    line=st.sampled_from([1, 2]),
    severity=st.sampled_from(["critical", "major", "minor", "warning"]),
    cells=st.sampled_from([("C1", "D"), ("C2", "D"), ("E",)]),
    site=st.none() | st.sampled_from(SITES),
    place=places,
    due_at=st.none() | st.integers(-300, 600).map(lambda n: NOW + n * MINUTE),
    holder=st.none() | st.integers(0, 3),
    refused=st.frozensets(st.integers(0, 3), max_size=2),
)
people = st.builds(
    Technician,
    id=st.just(0),
    code=st.just(""),
    skills=st.frozensets(st.sampled_from(["card", "cash"]), min_size=1),
    lines=st.frozensets(st.sampled_from([1, 2]), min_size=1),
    cells=st.frozensets(st.sampled_from(CELLS), min_size=1, max_size=2),
    shifts=st.sampled_from([ALWAYS, ALWAYS, ALWAYS, OFF]),
    absences=st.sampled_from([(), (), (Span(NOW - MINUTE, NOW + MINUTE),)]),
    place=places,
    most=st.integers(1, 3),
    visits=st.frozensets(st.sampled_from(["s1", "other"]), max_size=2),
)


def numbered_jobs(found: list[Job]) -> list[Job]:
    return [replace(one, ticket_id=number) for number, one in enumerate(found)]


def numbered_people(found: list[Technician]) -> list[Technician]:
    return [replace(one, id=n, code=f"T{n}") for n, one in enumerate(found)]


some_jobs = st.lists(jobs, max_size=4).map(numbered_jobs)
some_people = st.lists(people, max_size=3).map(numbered_people)


@settings(deadline=None, max_examples=150)
@given(found=st.lists(jobs, max_size=12).map(numbered_jobs), staff=some_people)
def test_no_filter_is_ever_broken(found: list[Job], staff: list[Technician]) -> None:
    """Cell, skill, line, shift, absence, refusal, each by itself; and load, counted over all.

    Nobody of a cell further up is sent past somebody nearer who had room.
    """
    visits: dict[int, set[str]] = {one.id: set(one.visits) for one in staff}
    choices = assign(found, staff, NOW)
    assert [one.job for one in choices] == found
    for choice in choices:
        if choice.technician is not None:
            sent = choice.technician
            assert not fitness(choice.job, sent, attendance(sent, NOW)).shortfalls
            visits[sent.id].add(choice.job.site or f"ticket {choice.job.ticket_id}")
    for one in staff:
        assert len(visits[one.id]) <= max(one.most, len(one.visits))
    for choice in choices:
        beside = [one for one in choice.considered if one.cost is not None]
        for other in beside:
            free = len(visits[other.fitness.technician.id]) < other.fitness.technician.most
            if free and other.fitness.distance is not None:
                assert choice.technician is not None
                far = _distance(choice.job, choice.technician)
                assert far <= other.fitness.distance


def _distance(job: Job, sent: Technician) -> int:
    return next(far for far, cell in enumerate(job.cells) if cell in sent.cells)


def _by_hand(visits: list[Visit], staff: list[Technician]) -> float:
    """The lowest total of all: every visit with everybody who may be sent, in every order."""
    options: list[list[tuple[Technician | None, bool]]] = []
    by_id = {one.id: one for one in staff}
    for visit in visits:
        may: list[tuple[Technician | None, bool]] = [(None, False)]
        for key in visit.distances:
            may.append((by_id[key], False))
            if visit.site is not None and visit.site in by_id[key].visits:
                may.append((by_id[key], True))
        options.append(may)
    return min((_cheapest(visits, picked, staff) for picked in product(*options)), default=0.0)


def _cheapest(
    visits: list[Visit], picked: tuple[tuple[Technician | None, bool], ...], staff: list[Technician]
) -> float:
    """One way to share out visits, each technician's in their best order; too many is no way."""
    sum_ = total(
        [
            (visit, None if who is None else Turn(who, joins=True))
            for visit, (who, joins) in zip(visits, picked, strict=True)
            if who is None or joins
        ],
        NOW,
    )
    for one in staff:
        queue = [
            v for v, (who, joins) in zip(visits, picked, strict=True) if who is one and not joins
        ]
        if len(queue) > max(0, one.most - len(one.visits)):
            return float("inf")
        sum_ += min(
            total(((v, Turn(one, place)) for place, v in enumerate(order)), NOW)
            for order in permutations(queue)
        )
    return sum_


@settings(deadline=None, max_examples=200)
@given(found=some_jobs, staff=some_people)
def test_nothing_costs_less_than_what_is_chosen(found: list[Job], staff: list[Technician]) -> None:
    """On small cases, where every way to share out the work can be tried."""
    visits = bundled(
        (
            job,
            {
                one.id: _distance(job, one)
                for one in staff
                if not fitness(job, one, attendance(one, NOW)).shortfalls
            },
        )
        for job in found
    )
    chosen = list(solve(visits, {one.id: one for one in staff}, NOW))
    assert total(chosen, NOW) == pytest.approx(_by_hand(visits, staff))


@settings(deadline=None, max_examples=100)
@given(found=some_jobs, staff=some_people)
def test_chosen_again_nothing_moves(found: list[Job], staff: list[Technician]) -> None:
    """With nothing changed but who has what now, dispatch comes to rest."""
    first = assign(found, staff, NOW)
    held = [
        replace(one.job, holder=None if one.technician is None else one.technician.id)
        for one in first
    ]
    again = assign(held, staff, NOW)
    assert [one.technician for one in again] == [one.technician for one in first]


stops = st.builds(
    Stop,
    key=st.just(""),
    place=places,
    minutes=st.integers(5, 60).map(float),
    earliest=st.none() | st.integers(0, 240).map(lambda n: NOW + n * MINUTE),
    latest=st.none() | st.integers(-60, 480).map(lambda n: NOW + n * MINUTE),
)
some_stops = st.lists(stops, max_size=5).map(
    lambda found: [replace(one, key=f"s{number}") for number, one in enumerate(found)]
)


def lateness(
    order: tuple[Stop, ...] | list[Stop], shift: Span, start: Place | None
) -> tuple[float, float]:
    """How late stops are reached in an order, in minutes, and the travel; too long is for ever."""
    way = timed(shift, start, order)
    if way and way[-1].leaves_at > shift.end:
        return float("inf"), 0.0
    late = sum(
        max(0.0, (one.arrives_at - one.stop.latest) / MINUTE)
        for one in way
        if one.stop.latest is not None
    )
    return round(late, 6), sum(one.travel_min for one in way)


@settings(deadline=None, max_examples=100)
@given(found=some_stops, start=places, hours=st.integers(1, 16))
def test_a_day_is_in_the_best_order_and_within_the_shift(
    found: list[Stop], start: Place | None, hours: int
) -> None:
    """Every stop is planned or left over; no order of those planned is less late, or shorter."""
    shift = Span(NOW, NOW + hours * 60 * MINUTE)
    day = plan(shift, start, found)
    planned = [one.stop for one in day.stops]
    assert sorted(one.key for one in (*planned, *day.left_over)) == [one.key for one in found]
    assert all(shift.begin <= one.arrives_at <= one.begins_at for one in day.stops)
    assert all(one.leaves_at <= shift.end for one in day.stops)
    best = min(lateness(order, shift, start) for order in permutations(planned))
    assert lateness(planned, shift, start) == pytest.approx(best)
