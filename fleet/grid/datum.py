"""Coordinates to and from WGS 84: China's maps are drawn in GCJ-02, Baidu's in BD-09.

GCJ-02 shifts WGS 84 by up to some 700 m, smoothly, on Krasovsky's ellipsoid of 1940; the formulas
are those that came to be known in 2010 and that every open implementation shares ("eviltransform",
github.com/googollee/eviltransform). BD-09 turns GCJ-02 a little further. Neither has a closed
inverse: both are turned back by fixed-point iteration, to far less than a millimetre.

All points are (longitude, latitude) in degrees. Outside China's box GCJ-02 is WGS 84.
"""

from collections.abc import Callable
from enum import StrEnum
from math import atan2, cos, hypot, pi, radians, sin, sqrt

Point = tuple[float, float]

_AXIS_M = 6378245.0
_ECCENTRICITY2 = 0.00669342162296594323
_BOX = (72.004, 0.8293, 137.8347, 55.8271)
_BAIDU = pi * 3000.0 / 180.0
_ENOUGH = 1e-11  # degrees: about a micrometre
_MOST_STEPS = 30


class Datum(StrEnum):
    """What a coordinate is measured against."""

    WGS84 = "wgs84"
    GCJ02 = "gcj02"
    BD09 = "bd09"


def to_wgs84(point: Point, datum: Datum) -> Point:
    """A point of a datum, in WGS 84."""
    if datum is Datum.BD09:
        point = _inverse(_gcj02_to_bd09, point)
    return point if datum is Datum.WGS84 else _inverse(_wgs84_to_gcj02, point)


def from_wgs84(point: Point, datum: Datum) -> Point:
    """A point in WGS 84, in another datum."""
    if datum is Datum.WGS84:
        return point
    shifted = _wgs84_to_gcj02(point)
    return _gcj02_to_bd09(shifted) if datum is Datum.BD09 else shifted


def _inverse(forward: Callable[[Point], Point], wanted: Point) -> Point:
    longitude, latitude = wanted
    for _ in range(_MOST_STEPS):
        there = forward((longitude, latitude))
        east, north = wanted[0] - there[0], wanted[1] - there[1]
        longitude, latitude = longitude + east, latitude + north
        if abs(east) < _ENOUGH and abs(north) < _ENOUGH:
            break
    return longitude, latitude


def _wgs84_to_gcj02(point: Point) -> Point:
    longitude, latitude = point
    west, south, east, north = _BOX
    if not (west <= longitude <= east and south <= latitude <= north):
        return point
    x, y = longitude - 105.0, latitude - 35.0
    bend = 1 - _ECCENTRICITY2 * sin(radians(latitude)) ** 2
    metres_north = _AXIS_M * (1 - _ECCENTRICITY2) / (bend * sqrt(bend))
    metres_east = _AXIS_M / sqrt(bend) * cos(radians(latitude))
    return (
        longitude + _shift_east(x, y) * 180.0 / (metres_east * pi),
        latitude + _shift_north(x, y) * 180.0 / (metres_north * pi),
    )


def _shift_north(x: float, y: float) -> float:
    shift = -100.0 + 2.0 * x + 3.0 * y + 0.2 * y * y + 0.1 * x * y + 0.2 * sqrt(abs(x))
    shift += _waves(6.0 * x, 20.0, 2.0 * x, 20.0)
    shift += _waves(y, 20.0, y / 3.0, 40.0)
    return shift + _waves(y / 12.0, 160.0, y / 30.0, 320.0)


def _shift_east(x: float, y: float) -> float:
    shift = 300.0 + x + 2.0 * y + 0.1 * x * x + 0.1 * x * y + 0.1 * sqrt(abs(x))
    shift += _waves(6.0 * x, 20.0, 2.0 * x, 20.0)
    shift += _waves(x, 20.0, x / 3.0, 40.0)
    return shift + _waves(x / 12.0, 150.0, x / 30.0, 300.0)


def _waves(one: float, high: float, other: float, higher: float) -> float:
    return (high * sin(one * pi) + higher * sin(other * pi)) * 2.0 / 3.0


def _gcj02_to_bd09(point: Point) -> Point:
    x, y = point
    distance = hypot(x, y) + 0.00002 * sin(y * _BAIDU)
    angle = atan2(y, x) + 0.000003 * cos(x * _BAIDU)
    return distance * cos(angle) + 0.0065, distance * sin(angle) + 0.006
