"""Reads where terminals stand and which work, and lets `fleet.grid.coverage` measure."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from math import cos, radians
from statistics import median
from typing import Any

import shapely.geometry
from psycopg import AsyncConnection
from psycopg.rows import TupleRow, class_row, dict_row

from api.coverage import schemas
from api.errors import NotFound
from api.scope import Scope
from fleet.db.sql import load
from fleet.grid.coverage import Capability, Next, Place, Standing, nearest, place_of, rings
from fleet.service_state import UP

WITHIN_M = (250, 500, 1_000, 2_000, 5_000)
_FIRST_LOOK_M = 10_000  # to look further costs reading every terminal there is
_DEGREE_M = 111_000.0
_SQL = load("api.coverage", "store")


@dataclass(frozen=True, slots=True)
class Box:
    """Between two meridians and two parallels."""

    west: float = -180
    south: float = -90
    east: float = 180
    north: float = 90


async def coverage(
    connection: AsyncConnection[TupleRow], scope: Scope, cell: str, limit: int
) -> schemas.Coverage:
    """How well a cell is covered, of the terminals the caller sees; raises `NotFound`."""
    async with connection.cursor(row_factory=dict_row) as cursor:
        await cursor.execute(_SQL["family"], {"cell": cell, "scope": scope.parameter})
        family = await cursor.fetchall()
    if not family or family[0]["code"] != cell:
        raise NotFound("cell", cell)
    members = await _standing(connection, scope, Box(), cell)
    middle = _middle(family[0]["boundary"], members)
    places = [
        *(place_of(one) for one in members),
        *(Place(*middle, frozenset({capability})) for capability in Capability),
    ]
    near = await _standing(connection, scope, _around(places))
    found = await asyncio.to_thread(nearest, places, near)
    if any(one is None or one.distance_m > _FIRST_LOOK_M for one in found):
        everywhere = await _standing(connection, scope, Box())
        found = await asyncio.to_thread(nearest, places, everywhere)
    of_members = list(zip(members, found, strict=False))
    services = _services(family, members)
    distances = [one.distance_m for _, one in of_members if one is not None]
    return schemas.Coverage(
        cell=cell,
        at=family[0]["at"],
        terminals=len(members),
        working=sum(one.working for one in members),
        by_cell=services,
        none_in_service=[one.cell for one in services if not one.working],
        middle=middle,
        by_distance=[
            schemas.Ring(within_m=ring.within_m, terminals=ring.terminals, working=ring.working)
            for ring in rings(*middle, near, WITHIN_M)
        ],
        from_middle=[
            schemas.NextFromMiddle(capability=capability, next=_next(one))
            for capability, one in zip(Capability, found[len(members) :], strict=True)
        ],
        median_m=round(median(distances)) if distances else None,
        farthest_m=round(max(distances)) if distances else None,
        without_next=len(members) - len(distances),
        next=_farthest(of_members)[:limit],
    )


async def _standing(
    connection: AsyncConnection[TupleRow], scope: Scope, box: Box, cell: str | None = None
) -> list[Standing]:
    parameters = {"cell": cell, "scope": scope.parameter, "up": sorted(UP)}
    sides = {"west": box.west, "south": box.south, "east": box.east, "north": box.north}
    async with connection.cursor(row_factory=class_row(Standing)) as cursor:
        await cursor.execute(_SQL["standing"], parameters | sides)
        return await cursor.fetchall()


def _middle(boundary: dict[str, Any], members: Sequence[Standing]) -> tuple[float, float]:
    """A point that lies in the cell; of one that is not drawn, in the midst of its terminals."""
    shape = shapely.geometry.shape(boundary)
    if shape.is_empty:
        points = [(one.longitude, one.latitude) for one in members] or [(0.0, 0.0)]
        shape = shapely.geometry.MultiPoint(points)
    point = shape.centroid
    if not shape.covers(point):
        point = shape.point_on_surface()
    return point.x, point.y


def _around(places: Sequence[Place]) -> Box:
    """A box that holds all within the first look of any of the places."""
    up = _FIRST_LOOK_M / _DEGREE_M
    south = min(place.latitude for place in places) - up
    north = max(place.latitude for place in places) + up
    narrowest = cos(radians(max(abs(south), abs(north))))
    if narrowest < up:  # by a pole all meridians are near
        return Box(south=south, north=north)
    aside = up / narrowest
    west = min(place.longitude for place in places) - aside
    east = max(place.longitude for place in places) + aside
    if west < -180 or east > 180:  # beyond it the other side begins
        return Box(south=south, north=north)
    return Box(west, south, east, north)


def _services(
    family: Sequence[dict[str, Any]], members: Sequence[Standing]
) -> list[schemas.CellService]:
    own: dict[str, list[Standing]] = {row["code"]: [] for row in family}
    for one in members:
        own.setdefault(one.cell, []).append(one)
    return [
        schemas.CellService(
            cell=row["code"],
            name=row["name"],
            terminals=len(own[row["code"]]),
            working=sum(one.working for one in own[row["code"]]),
        )
        for row in sorted(family, key=lambda row: str(row["code"]))
        if row["leaf"] or own[row["code"]]
    ]


def _next(found: Next | None) -> schemas.NextTerminal | None:
    if found is None:
        return None
    distance = round(found.distance_m)
    return schemas.NextTerminal(
        terminal=found.terminal.code, cell=found.terminal.cell, distance_m=distance
    )


def _farthest(
    of_members: Sequence[tuple[Standing, Next | None]],
) -> list[schemas.NextFromTerminal]:
    def order(pair: tuple[Standing, Next | None]) -> tuple[bool, float, str]:
        terminal, found = pair
        return found is not None, -(found.distance_m if found else 0), terminal.code

    return [
        schemas.NextFromTerminal(
            terminal=terminal.code, kind=terminal.kind, working=terminal.working, next=_next(found)
        )
        for terminal, found in sorted(of_members, key=order)
    ]
