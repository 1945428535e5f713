"""The next working terminal is the one that a look at every terminal finds."""

from math import asin, cos, radians, sin, sqrt

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fleet.grid.coverage import (
    EARTH_M,
    OF_KIND,
    Capability,
    Place,
    Standing,
    nearest,
    place_of,
    rings,
)

DEGREES = st.tuples(
    st.floats(-180, 180, allow_nan=False), st.floats(-90, 90, allow_nan=False)
) | st.tuples(st.floats(120.0, 120.01), st.floats(30.0, 30.01))
TERMINALS = st.lists(
    st.tuples(DEGREES, st.sampled_from(sorted(OF_KIND)), st.booleans()), max_size=12
).map(
    lambda drawn: [
        Standing(f"T{number}", "C", kind, *place, working)
        for number, (place, kind, working) in enumerate(drawn)
    ]
)


def apart(one: tuple[float, float], other: tuple[float, float]) -> float:
    """By the haversine formula, in metres."""
    (x1, y1), (x2, y2) = ([radians(value) for value in point] for point in (one, other))
    half = sin((y2 - y1) / 2) ** 2 + cos(y1) * cos(y2) * sin((x2 - x1) / 2) ** 2
    return 2 * EARTH_M * asin(min(1.0, sqrt(half)))


def brute(place: Place, standing: list[Standing]) -> float | None:
    distances = [
        apart((place.longitude, place.latitude), (one.longitude, one.latitude))
        for one in standing
        if one.working and one.code != place.besides and place.wanted <= OF_KIND[one.kind]
    ]
    return min(distances, default=None)


@given(TERMINALS, st.lists(DEGREES, max_size=3))
def test_the_nearest_is_the_nearest(
    standing: list[Standing], points: list[tuple[float, float]]
) -> None:
    """From terminals and from bare points, over the date line and the poles, doubled places too."""
    places = [place_of(one) for one in standing]
    places += [Place(*point, frozenset({wanted})) for point in points for wanted in Capability]
    for place, found in zip(places, nearest(places, standing), strict=True):
        expected = brute(place, standing)
        assert (found is None) == (expected is None)
        if found is not None and expected is not None:
            assert found.terminal.working
            assert found.terminal.code != place.besides
            assert place.wanted <= OF_KIND[found.terminal.kind]
            assert found.distance_m == pytest.approx(expected, abs=1.0)


@given(TERMINALS, DEGREES)
def test_rings_count_what_lies_within(standing: list[Standing], point: tuple[float, float]) -> None:
    """At distances away from the edge, where a micrometre would decide."""
    for ring in rings(*point, standing, (500, 5_000_000)):
        distances = [apart(point, (one.longitude, one.latitude)) for one in standing]
        if all(abs(distance - ring.within_m) > 1 for distance in distances):
            assert ring.terminals == sum(distance < ring.within_m for distance in distances)
            assert ring.working == sum(
                distance < ring.within_m and one.working
                for distance, one in zip(distances, standing, strict=True)
            )


def test_a_recycler_stands_in_for_a_cash_machine_but_not_the_other_way_round() -> None:
    recycler = Standing("R", "C", "recycler", 120.0, 30.0, working=True)
    atm = Standing("A", "C", "atm", 120.001, 30.0, working=True)
    [for_atm, for_recycler] = nearest([place_of(atm), place_of(recycler)], [atm, recycler])
    assert for_atm is not None
    assert for_atm.terminal is recycler
    assert for_atm.distance_m == pytest.approx(96.3, abs=0.1)
    assert for_recycler is None
