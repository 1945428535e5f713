"""The map over HTTP: read by whoever sees cells, changed by operations."""

import json
from dataclasses import asdict
from typing import Annotated, Any

from fastapi import Query, Response
from psycopg.rows import dict_row

from api.accounts.caller import Caller, SignedIn
from api.accounts.operations import Operations
from api.errors import Forbidden, Invalid, NotFound, Unauthenticated
from api.grid import redraw
from api.grid.cells import GridChanges, Wish, import_cells, read_grid
from api.grid.schemas import (
    CellAsked,
    CellHistory,
    CellPerson,
    CellVersion,
    FeatureCollection,
    MergeAsked,
    NewCell,
)
from api.grid.schemas import GridChanges as Changed
from api.instants import GivenInstant
from api.paths import V1
from api.problem import documented
from api.routing import LARGEST_MAP, Router
from api.services import Connection
from fleet.db.sql import load
from fleet.grid import geojson
from fleet.grid.cell import Cell, Problem
from fleet.grid.datum import Datum
from fleet.grid.hexagons import COARSEST, FINEST, hexagons
from fleet.grid.soundness import OVERLAP_TOLERANCE

router = Router(prefix=V1, tags=["grid"], largest_body=LARGEST_MAP)

_SQL = load("api.grid", "store")
_CHANGE = documented(Unauthenticated, Forbidden)
_CHANGE_OF_ONE = documented(Unauthenticated, Forbidden, NotFound)
_DryRun = Annotated[bool, Query(description="Say what would change, and change nothing")]
_Datum = Annotated[Datum, Query(description="What the coordinates are in")]
_Tolerance = Annotated[
    float, Query(ge=0, le=1, description="The share of a cell that one of its level may overlap")
]


@router.get("/grid", response_model=FeatureCollection, responses=documented(Unauthenticated))
async def get_grid(
    caller: SignedIn,
    connection: Connection,
    at: Annotated[GivenInstant | None, Query(description="As it was then; default: now")] = None,
) -> Response:
    """The cells you see as a map, GeoJSON in WGS 84."""
    cells = await read_grid(connection, at, caller.scope)
    return Response(geojson.write(cells), media_type="application/json")


@router.get("/grid/hexagons", response_model=FeatureCollection, responses=_CHANGE)
async def get_hexagons(
    _caller: Operations,
    latitude: Annotated[float, Query(ge=-90, le=90, description="Of the middle, WGS 84")],
    longitude: Annotated[float, Query(ge=-180, le=180)],
    resolution: Annotated[
        int, Query(ge=COARSEST, le=FINEST, description="H3's; 8 is about 0.7 km² a cell")
    ] = 8,
    rings: Annotated[int, Query(ge=0, le=50, description="Around the middle one")] = 3,
) -> Response:
    """A grid of H3 hexagons around a place, to look at, change and import; nothing is written."""
    cells = list(hexagons(latitude, longitude, resolution, rings))
    return Response(geojson.write(cells), media_type="application/json")


@router.post("/grid", responses=_CHANGE)
async def import_grid(
    asked: FeatureCollection,
    caller: Operations,
    connection: Connection,
    dry_run: _DryRun = False,
    complete: Annotated[bool, Query(description="It is the whole grid: other cells end")] = False,
    end: Annotated[list[str] | None, Query(description="Cells that end")] = None,
    rename: Annotated[
        list[str] | None,
        Query(alias="property", description="`code=GRID_ID`: what the map calls one of ours"),
    ] = None,
    datum: _Datum = Datum.WGS84,
    tolerance: _Tolerance = OVERLAP_TOLERANCE,
) -> Changed:
    """Bring the grid to what a map says, from now on: all of it, or nothing and every reason."""
    cells, problems = _read(asked, datum, rename)
    wish = Wish(
        caller.account.username, "import of a map", complete, tuple(end or ()), tolerance, dry_run
    )
    return _changed(await import_cells(connection, cells, problems, wish), wish)


@router.post("/cells", responses=_CHANGE)
async def add_cell(
    asked: NewCell,
    caller: Operations,
    connection: Connection,
    dry_run: _DryRun = False,
    datum: _Datum = Datum.WGS84,
) -> Changed:
    """Add a cell, from now on."""
    standing = {cell.code for cell in await read_grid(connection)}
    if asked.code in standing:
        raise Invalid("body.code", f"there is a cell {asked.code} already")
    return await _put(connection, caller, asked.code, asked, datum, dry_run)


@router.put("/cells/{code}", responses=_CHANGE_OF_ONE)
async def change_cell(
    code: str,
    asked: CellAsked,
    caller: Operations,
    connection: Connection,
    dry_run: _DryRun = False,
    datum: _Datum = Datum.WGS84,
) -> Changed:
    """Rename, redraw or move a cell, or say who answers for it, from now on."""
    await _existing(connection, code)
    return await _put(connection, caller, code, asked, datum, dry_run)


@router.delete("/cells/{code}", responses=_CHANGE_OF_ONE)
async def end_cell(
    code: str, caller: Operations, connection: Connection, dry_run: _DryRun = False
) -> Changed:
    """End a cell: from now on it stands no more, and its past stays."""
    await _existing(connection, code)
    wish = Wish(caller.account.username, f"end of {code}", ends=(code,), dry_run=dry_run)
    return _changed(await import_cells(connection, [], (), wish), wish)


@router.post("/cells/{code}/split", responses=_CHANGE_OF_ONE)
async def split_cell(
    code: str,
    asked: FeatureCollection,
    caller: Operations,
    connection: Connection,
    dry_run: _DryRun = False,
    datum: _Datum = Datum.WGS84,
    tolerance: _Tolerance = OVERLAP_TOLERANCE,
) -> Changed:
    """Put parts in the place of a cell, from now on; they have its level, parent and people."""
    parts, problems = _read(asked, datum, None)
    wish = Wish(caller.account.username, f"split of {code}", tolerance=tolerance, dry_run=dry_run)
    return _changed(await redraw.split(connection, code, parts, problems, wish), wish)


@router.post("/cells/{code}/merge", responses=_CHANGE_OF_ONE)
async def merge_cells(
    code: str,
    asked: MergeAsked,
    caller: Operations,
    connection: Connection,
    dry_run: _DryRun = False,
) -> Changed:
    """Put one cell of this code in the place of several, from now on."""
    wish = Wish(caller.account.username, f"merge into {code}", dry_run=dry_run)
    return _changed(await redraw.merge(connection, asked.cells, code, asked.name, wish), wish)


@router.get("/cells/{code}/versions", responses=documented(Unauthenticated, NotFound))
async def get_cell_versions(code: str, caller: SignedIn, connection: Connection) -> CellHistory:
    """All that a cell was: names, borders, parents and people, each from when to when."""
    parameters = {"code": code, "scope": caller.scope.parameter}
    async with connection.cursor(row_factory=dict_row) as cursor:
        await cursor.execute(_SQL["versions"], parameters)
        rows = await cursor.fetchall()
        await cursor.execute(_SQL["answered"], parameters)
        people = await cursor.fetchall()
    if not rows:
        raise NotFound("cell", code)
    return CellHistory(
        items=[CellVersion(**row) for row in rows],
        people=[CellPerson(**person) for person in people],
    )


async def _put(
    connection: Connection, caller: Caller, code: str, asked: CellAsked, datum: Datum, dry_run: bool
) -> Changed:
    feature: dict[str, Any] = {
        "properties": dict(asked.properties)
        | {"code": code, "name": asked.name, "parent": asked.parent, "level": asked.level}
        | ({} if asked.people is None else {"people": asked.people}),
        "geometry": asked.boundary,
    }
    cells, problems = geojson.read(json.dumps({"features": [feature]}), datum)
    wish = Wish(caller.account.username, f"change of {code}", dry_run=dry_run)
    return _changed(await import_cells(connection, cells, problems, wish), wish)


async def _existing(connection: Connection, code: str) -> None:
    if code not in {cell.code for cell in await read_grid(connection)}:
        raise NotFound("cell", code)


def _read(
    asked: FeatureCollection, datum: Datum, rename: list[str] | None
) -> tuple[list[Cell], list[Problem]]:
    pairs = [one.partition("=") for one in rename or ()]
    if any(ours not in geojson.FIELDS or not theirs for ours, _, theirs in pairs):
        raise Invalid("query.property", f"one of {', '.join(geojson.FIELDS)}, =, the map's")
    names = {ours: theirs for ours, _, theirs in pairs}
    return geojson.read(json.dumps(asked.model_dump()), datum, names)


def _changed(changes: GridChanges, wish: Wish) -> Changed:
    return Changed(**asdict(changes), dry_run=wish.dry_run)
