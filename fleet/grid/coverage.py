"""How well a place is covered: what works near it, and how far the next is that does the same.

Distances are along a sphere of the earth's mean radius: within 0.6 % of the true ones.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from math import asin
from types import MappingProxyType

import numpy as np
from numpy.typing import NDArray

from fleet.late import Late

EARTH_M = 6_371_008.8
_spatial = Late("scipy.spatial")


class Capability(StrEnum):
    """What a customer can do at a terminal."""

    WITHDRAW = "withdraw"
    DEPOSIT = "deposit"
    SERVICE = "service"


OF_KIND: Mapping[str, frozenset[Capability]] = MappingProxyType(
    {
        "atm": frozenset({Capability.WITHDRAW}),
        "recycler": frozenset({Capability.WITHDRAW, Capability.DEPOSIT}),
        "kiosk": frozenset({Capability.SERVICE}),
    }
)


@dataclass(frozen=True, slots=True)
class Standing:
    """A terminal where it stands, WGS 84, with the cell it is in; `working`: in service now."""

    code: str
    cell: str
    kind: str
    longitude: float
    latitude: float
    working: bool


@dataclass(frozen=True, slots=True)
class Place:
    """A point from which a capability is wanted; `besides` is the terminal that stands there."""

    longitude: float
    latitude: float
    wanted: frozenset[Capability]
    besides: str | None = None


@dataclass(frozen=True, slots=True)
class Next:
    """The nearest terminal that serves, and how far it is."""

    terminal: Standing
    distance_m: float


@dataclass(frozen=True, slots=True)
class Ring:
    """How many terminals lie within a distance."""

    within_m: int
    terminals: int
    working: int


def place_of(terminal: Standing) -> Place:
    """Where a customer stands whom this terminal does not serve."""
    wanted = OF_KIND[terminal.kind]
    return Place(terminal.longitude, terminal.latitude, wanted, besides=terminal.code)


def nearest(places: Sequence[Place], standing: Iterable[Standing]) -> list[Next | None]:
    """For each place the nearest working terminal that can do all that is wanted there."""
    working = sorted((one for one in standing if one.working), key=lambda one: one.code)
    found: list[Next | None] = [None] * len(places)
    for wanted in {place.wanted for place in places}:
        able = [one for one in working if wanted <= OF_KIND[one.kind]]
        asked = [number for number, place in enumerate(places) if place.wanted == wanted]
        if not able:
            continue
        points = _unit([(places[n].longitude, places[n].latitude) for n in asked])
        tree = _spatial.KDTree(_unit([(one.longitude, one.latitude) for one in able]))
        # One more than is wanted, for the terminal that stands at the place itself.
        chords, hits = tree.query(points, k=[1, 2])
        for number, lengths, indexes in zip(asked, chords.tolist(), hits.tolist(), strict=True):
            found[number] = _first(able, lengths, indexes, places[number].besides)
    return found


def rings(
    longitude: float, latitude: float, standing: Sequence[Standing], within_m: Iterable[int]
) -> list[Ring]:
    """How many terminals lie within each of the distances of a point."""
    chords = np.linalg.norm(
        _unit([(one.longitude, one.latitude) for one in standing]) - _unit([(longitude, latitude)]),
        axis=1,
    )
    far = [(_metres(chord), one.working) for chord, one in zip(chords, standing, strict=True)]
    return [
        Ring(
            most,
            sum(distance <= most for distance, _ in far),
            sum(distance <= most and working for distance, working in far),
        )
        for most in within_m
    ]


def _first(
    able: Sequence[Standing], chords: Sequence[float], hits: Sequence[int], besides: str | None
) -> Next | None:
    for chord, hit in zip(chords, hits, strict=True):
        if hit < len(able) and able[hit].code != besides:
            return Next(able[hit], _metres(chord))
    return None


def _metres(chord: float) -> float:
    return 2 * EARTH_M * asin(min(1.0, chord / 2))


def _unit(points: Sequence[tuple[float, float]]) -> NDArray[np.float64]:
    """Points on the unit sphere: in space, the nearest by the straight line is the nearest."""
    degrees = np.asarray(points, dtype=np.float64).reshape(-1, 2)
    longitude, latitude = np.radians(degrees[:, 0]), np.radians(degrees[:, 1])
    across = np.cos(latitude)
    return np.column_stack(
        (across * np.cos(longitude), across * np.sin(longitude), np.sin(latitude))
    )
