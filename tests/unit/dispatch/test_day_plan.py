"""A technician's day, told as stories; what is best is tried in tests/properties."""

import random
from dataclasses import replace
from datetime import timedelta
from itertools import permutations

import pytest

from fleet.dispatch.day_plan import Stop, plan, timed
from fleet.dispatch.place import Place
from fleet.sla.calendar import Span
from tests.unit.dispatch.world import HERE, HOUR, NOW, near

SHIFT = Span(NOW, NOW + 8 * HOUR)
MINUTE = timedelta(minutes=1)


def stop(key: str, km: float, **changes: object) -> Stop:
    return replace(Stop(key, near(km), 45), **changes)  # type: ignore[arg-type]  # names of fields


def order(*stops: Stop, first: tuple[Stop, ...] = ()) -> str:
    """The keys of a day, in order."""
    return "".join(one.stop.key for one in plan(SHIFT, HERE, stops, first).stops)


def test_the_way_is_short() -> None:
    """Along a street, in the order of its houses."""
    assert order(stop("c", 9), stop("a", 3), stop("b", 6)) == "abc"


def test_what_is_due_is_reached_in_time_though_it_is_farther() -> None:
    """The last house has to be reached first: there, and then back."""
    assert order(stop("a", 3), stop("b", 6), stop("c", 9, latest=NOW + HOUR)) == "cba"


def test_what_is_late_anyway_is_reached_as_soon_as_possible() -> None:
    """It is overdue: the nearer ones wait."""
    day = plan(SHIFT, HERE, [stop("a", 3), stop("late", 9, latest=NOW - HOUR)])
    assert [one.stop.key for one in day.stops] == ["late", "a"]
    assert [one.late for one in day.stops] == [True, False]


def test_what_cannot_begin_yet_is_waited_for() -> None:
    """Times are those of the way, the wait and the work."""
    [only] = plan(SHIFT, HERE, [stop("a", 10, earliest=NOW + HOUR)]).stops
    assert only.arrives_at == NOW + only.travel_min * MINUTE
    assert only.travel_min == pytest.approx(27, abs=0.01)
    assert (only.begins_at, only.leaves_at) == (NOW + HOUR, NOW + HOUR + 45 * MINUTE)


def test_what_does_not_fit_into_the_shift_is_left_over() -> None:
    """Eight hours hold ten visits of 45 minutes and not one more, what is due first, first."""
    stops = [stop(f"{n:02}", 0, latest=NOW + (12 - n) * HOUR) for n in range(12)]
    day = plan(SHIFT, HERE, stops)
    assert len(day.stops) == 10
    assert [one.key for one in day.left_over] == ["01", "00"]


def test_what_is_under_way_stays_first() -> None:
    """Somebody on their way to the far end goes there, whatever else lies nearer."""
    assert order(stop("a", 3), first=(stop("z", 9),)) == "za"


@pytest.mark.parametrize("seed", [0, 1, 3, 4])
def test_of_more_stops_the_search_finds_the_shortest_way_that_is_in_time(seed: int) -> None:
    """Seven stops, four with a time: what PyVRP finds is the best of all 5,040 orders."""
    chance = random.Random(seed)
    stops = [
        Stop(
            str(n),
            Place(30.2 + chance.random() / 5, 120.1 + chance.random() / 5),
            20,
            latest=NOW + chance.randint(60, 420) * MINUTE if n < 4 else None,
        )
        for n in range(7)
    ]
    ways = (timed(SHIFT, HERE, way) for way in permutations(stops))
    in_time = (way for way in ways if not any(one.late for one in way))
    best = min(sum(one.travel_min for one in way) for way in in_time)
    day = plan(SHIFT, HERE, stops)
    assert not any(one.late for one in day.stops)
    assert day.travel_min == pytest.approx(best)


def test_a_full_day_that_cannot_all_be_in_time_is_planned_all_the_same() -> None:
    """Nine stops that are all due at once: each is there once, in the shift, the first in time."""
    stops = [Stop(str(n), near(n), 20, latest=NOW + 30 * MINUTE) for n in range(9)]
    day = plan(SHIFT, HERE, stops)
    assert sorted(one.stop.key for one in day.stops) == [one.key for one in stops]
    assert not day.stops[0].late
    assert day.stops[-1].leaves_at <= SHIFT.end
