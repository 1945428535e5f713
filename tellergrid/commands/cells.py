"""`tellergrid cells`: draw the grid, change it, give it back."""

import asyncio
import math
from collections.abc import Awaitable, Callable
from datetime import datetime
from getpass import getuser
from pathlib import Path
from typing import Annotated

import typer
from psycopg import AsyncConnection
from psycopg.rows import TupleRow

from api.errors import NotFound
from api.grid import redraw
from api.grid.cells import GridChanges, Wish, import_cells, read_grid
from fleet.db.pool import connect
from fleet.grid import geojson
from fleet.grid.cell import Cell, ImportRefused
from fleet.grid.datum import Datum
from fleet.grid.hexagons import hexagons
from fleet.grid.soundness import OVERLAP_TOLERANCE
from tellergrid.console import explained, output, refuse
from tellergrid.grid_console import refusal, show_moves, text_of
from tellergrid.stack.reach import database_url

Connection = AsyncConnection[TupleRow]
app = typer.Typer(help="Draw the grid, change it, give it back.", no_args_is_help=True)


@app.command("import")
def import_(
    file: Annotated[Path, typer.Argument(exists=True, dir_okay=False, help="GeoJSON")],
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Say what would change.")] = False,
    complete: Annotated[
        bool, typer.Option("--complete", help="The file is the whole grid: other cells end.")
    ] = False,
    datum: Annotated[Datum, typer.Option(help="What its coordinates are in.")] = Datum.WGS84,
    rename: Annotated[
        list[str] | None,
        typer.Option("--property", help="code=GRID_ID: what the file calls one of ours."),
    ] = None,
    end: Annotated[
        list[str] | None, typer.Option(help="A cell that ends; several times for several.")
    ] = None,
    tolerance: Annotated[
        float, typer.Option(help="The share of a cell that another of its level may overlap.")
    ] = OVERLAP_TOLERANCE,
) -> None:
    """Bring the grid to what a file says, from now on; the past keeps its grid.

    Cells need a `code`; `name`, `level`, `parent` and `people` (technicians' codes) are optional.
    Ends with 1 and a list of everything that is wrong with the file, and then changes nothing.
    """
    names = dict(_pair(one) for one in rename or ())
    cells, problems = geojson.read(text_of(file), datum, names)
    wish = Wish(getuser(), f"import of {file.name}", complete, tuple(end or ()), tolerance, dry_run)
    _change(lambda connection: import_cells(connection, cells, problems, wish), wish)


@app.command()
def split(
    code: Annotated[str, typer.Argument(help="The cell to split.")],
    file: Annotated[Path, typer.Argument(exists=True, dir_okay=False, help="GeoJSON, its parts")],
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Say what would change.")] = False,
    datum: Annotated[Datum, typer.Option(help="What its coordinates are in.")] = Datum.WGS84,
    tolerance: Annotated[
        float, typer.Option(help="The share of it that its parts may leave out or overlap.")
    ] = OVERLAP_TOLERANCE,
) -> None:
    """Put parts in the place of a cell, from now on; its past stays with it.

    The parts take its level, its parent and, where a part says nothing of people, its people. A
    part that keeps its code is what is left of it.
    """
    parts, problems = geojson.read(text_of(file), datum)
    wish = Wish(getuser(), f"split of {code}", tolerance=tolerance, dry_run=dry_run)
    _change(lambda connection: redraw.split(connection, code, parts, problems, wish), wish)


@app.command()
def merge(
    codes: Annotated[list[str], typer.Argument(help="The cells to merge, two or more.")],
    into: Annotated[str, typer.Option(help="The code of the one that comes of it.")],
    name: Annotated[str | None, typer.Option(help="Its name.")] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Say what would change.")] = False,
) -> None:
    """Put one cell in the place of several, from now on; their past stays with them.

    It is drawn as all of them together and has all their people; cells below them come below it.
    It may have the code of one of them.
    """
    wish = Wish(getuser(), f"merge into {into}", dry_run=dry_run)
    _change(lambda connection: redraw.merge(connection, codes, into, name, wish), wish)


@app.command()
def move(
    code: Annotated[str, typer.Argument(help="The cell to move.")],
    under: Annotated[str, typer.Option(help="The cell that is above it from now on.")],
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Say what would change.")] = False,
) -> None:
    """Put a cell, with all below it, under another one, from now on."""
    wish = Wish(getuser(), f"move under {under}", dry_run=dry_run)
    _change(lambda connection: redraw.move(connection, code, under, wish), wish)


@app.command()
def export(
    at: Annotated[
        datetime | None,
        typer.Option(formats=["%Y-%m-%dT%H:%M:%S%z"], help="As it was then; default: as it is."),
    ] = None,
) -> None:
    """Print the grid as GeoJSON, WGS 84."""
    with explained():
        typer.echo(geojson.write(asyncio.run(_export(at))), nl=False)


@app.command()
def generate(
    around: Annotated[str, typer.Option(help="LATITUDE,LONGITUDE of the middle, WGS 84.")],
    h3_resolution: Annotated[int, typer.Option(help="8 is about 0.7 km² a cell.")] = 8,
    rings: Annotated[int, typer.Option(help="Rings of hexagons around the middle one.")] = 3,
) -> None:
    """Print a grid of hexagons as GeoJSON, to look at, change, and import."""
    latitude, longitude = _place(around)
    try:
        cells = list(hexagons(latitude, longitude, h3_resolution, rings))
    except ValueError as error:
        raise typer.BadParameter(str(error)) from error
    typer.echo(geojson.write(cells), nl=False)


def _place(text: str) -> tuple[float, float]:
    try:
        latitude, longitude = (float(part) for part in text.split(","))
    except ValueError:
        latitude = longitude = math.nan
    if -90 <= latitude <= 90 and -180 <= longitude <= 180:
        return latitude, longitude
    raise typer.BadParameter(
        f"{text!r} is no LATITUDE,LONGITUDE, -90 to 90 and -180 to 180", param_hint="--around"
    )


def _pair(text: str) -> tuple[str, str]:
    ours, separator, theirs = text.partition("=")
    if not separator or ours not in geojson.FIELDS:
        raise typer.BadParameter(f"{text!r}: one of {', '.join(geojson.FIELDS)}, =, the file's")
    return ours, theirs


def _change(work: Callable[[Connection], Awaitable[GridChanges]], wish: Wish) -> None:
    """Carry a change of the map out, and tell what it did or why not."""

    async def carry_out() -> GridChanges:
        async with await connect(database_url(), name="cells", autocommit=True) as connection:
            return await work(connection)

    with explained():
        try:
            changes = asyncio.run(carry_out())
        except ImportRefused as refused:
            raise refusal(refused) from None
        except NotFound as error:
            refuse(error)
            raise typer.Exit(1) from error
    for verb, codes in (
        ("added", changes.added),
        ("changed", changes.changed),
        ("ended", changes.ended),
    ):
        if codes:
            output.print(f"{verb:>8}: {', '.join(codes)}", markup=False, soft_wrap=True)
    output.print(f"{changes.unchanged} of the file's cells are as they were")
    show_moves(changes.moves, dry_run=wish.dry_run)


async def _export(at: datetime | None) -> list[Cell]:
    async with await connect(database_url(), name="cells", autocommit=True) as connection:
        return await read_grid(connection, at)
