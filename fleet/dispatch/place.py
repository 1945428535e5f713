"""Places on earth, and how long it takes from one to another."""

from collections.abc import Sequence
from math import asin, cos, nan, radians, sin, sqrt
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

_EARTH_KM = 6371.0
DETOUR = 1.35
"""Streets over the straight line, as measured in cities."""
SPEED_KMH = 30.0
UNKNOWN_MIN = 20.0
"""A way of which an end is not known."""


class Place(NamedTuple):
    """WGS 84, in degrees."""

    latitude: float
    longitude: float


def straight_km(one: Place, other: Place) -> float:
    """The great circle between two places."""
    north = radians(other.latitude - one.latitude)
    east = radians(other.longitude - one.longitude)
    chord = (
        sin(north / 2) ** 2
        + cos(radians(one.latitude)) * cos(radians(other.latitude)) * sin(east / 2) ** 2
    )
    return 2 * _EARTH_KM * asin(sqrt(min(1.0, chord)))


def travel_min(one: Place | None, other: Place | None) -> float:
    """Minutes from one place to another through a city, estimated."""
    if one is None or other is None:
        return UNKNOWN_MIN
    return straight_km(one, other) * DETOUR / SPEED_KMH * 60


def ways_min(one: Place | None, others: Sequence[Place | None]) -> NDArray[np.float64]:
    """`travel_min` from one place to each of many."""
    if one is None:
        return np.full(len(others), UNKNOWN_MIN)
    there = np.radians(np.array([other or (nan, nan) for other in others], dtype=float))
    here = np.radians(np.array(one, dtype=float))
    half = np.sin((there - here) / 2) ** 2
    chord = half[:, 0] + np.cos(here[0]) * np.cos(there[:, 0]) * half[:, 1]
    km = 2 * _EARTH_KM * np.arcsin(np.sqrt(np.minimum(1.0, chord)))
    minutes: NDArray[np.float64] = km * DETOUR / SPEED_KMH * 60
    minutes[np.isnan(minutes)] = UNKNOWN_MIN
    return minutes
