"""Coordinates there and back again, through the datums of Chinese maps."""

from math import cos, hypot, radians

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fleet.grid.datum import Datum, Point, from_wgs84, to_wgs84

# Inside the box that GCJ-02 shifts, a little away from its edge, where it jumps.
in_china = st.tuples(st.floats(73, 137), st.floats(2, 55))
anywhere = st.tuples(st.floats(-180, 180), st.floats(-85, 85))
METRES_A_DEGREE = 111_320


def metres(one: Point, other: Point) -> float:
    east = (one[0] - other[0]) * cos(radians(one[1]))
    return hypot(east, one[1] - other[1]) * METRES_A_DEGREE


@given(point=in_china, datum=st.sampled_from(Datum))
def test_there_and_back_is_where_one_was(point: Point, datum: Datum) -> None:
    """To within a hundredth of a millimetre, both ways round."""
    assert metres(to_wgs84(from_wgs84(point, datum), datum), point) < 1e-5
    assert metres(from_wgs84(to_wgs84(point, datum), datum), point) < 1e-5


@given(point=in_china)
def test_a_shift_is_of_streets_not_of_towns(point: Point) -> None:
    """GCJ-02 is some hundred metres off, BD-09 up to a kilometre and a half further."""
    shifted = from_wgs84(point, Datum.GCJ02)
    assert metres(shifted, point) < 1_500
    assert metres(from_wgs84(point, Datum.BD09), shifted) < 1_500


@given(point=anywhere)
def test_wgs84_is_wgs84(point: Point) -> None:
    """Nothing is done to what is right already."""
    assert to_wgs84(point, Datum.WGS84) == from_wgs84(point, Datum.WGS84) == point


@given(point=st.tuples(st.floats(-180, 70), st.floats(-85, 85)))
def test_outside_china_gcj02_is_wgs84(point: Point) -> None:
    """The shift ends at the box."""
    assert from_wgs84(point, Datum.GCJ02) == point == to_wgs84(point, Datum.GCJ02)


@pytest.mark.parametrize(
    ("wgs84", "gcj02"),
    [
        ((121.5272106, 31.1774276), (121.531541859215, 31.17530398364597)),
        ((113.912316, 22.543847), (113.9171764808363, 22.540796131694766)),
        ((116.377817, 39.911954), (116.38404722455657, 39.91334545536069)),
    ],
)
def test_the_shift_is_that_of_other_implementations(wgs84: Point, gcj02: Point) -> None:
    """The test values of eviltransform, of Shanghai, Shenzhen and Beijing."""
    assert from_wgs84(wgs84, Datum.GCJ02) == pytest.approx(gcj02, abs=1e-12)
