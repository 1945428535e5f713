"""`tellergrid cells`: draw the grid, change it, give it back."""

import asyncio
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import Annotated

import typer

from api.grid.cells import GridChanges, import_cells, read_grid
from fleet.db.pool import connect
from fleet.grid import geojson
from fleet.grid.cell import Cell, ImportRefused, Problem
from fleet.grid.datum import Datum
from fleet.grid.hexagons import hexagons
from fleet.grid.soundness import OVERLAP_TOLERANCE
from tellergrid.console import explained, output
from tellergrid.grid_console import refusal, show_moves
from tellergrid.stack.reach import database_url

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
    tolerance: Annotated[
        float, typer.Option(help="The share of a cell that another of its level may overlap.")
    ] = OVERLAP_TOLERANCE,
) -> None:
    """Bring the grid to what a file says, from now on; the past keeps its grid.

    Cells need a `code`; `name`, `level`, `parent` and `people` (technicians' codes) are optional.
    Ends with 1 and a list of everything that is wrong with the file, and then changes nothing.
    """
    names = dict(_pair(one) for one in rename or ())
    cells, problems = geojson.read(file.read_text(encoding="utf-8"), datum, names)
    with explained():
        try:
            changes = asyncio.run(
                _import(cells, problems, complete=complete, tolerance=tolerance, dry_run=dry_run)
            )
        except ImportRefused as refused:
            raise refusal(refused) from None
    for verb, codes in (
        ("added", changes.added),
        ("changed", changes.changed),
        ("ended", changes.ended),
    ):
        if codes:
            output.print(f"{verb:>8}: {', '.join(codes)}", soft_wrap=True)
    output.print(f"{changes.unchanged} of the file's cells are as they were")
    show_moves(changes.moves, dry_run=dry_run)


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
    try:
        latitude, longitude = (float(part) for part in around.split(","))
        cells = list(hexagons(latitude, longitude, h3_resolution, rings))
    except ValueError as error:
        raise typer.BadParameter(str(error)) from error
    typer.echo(geojson.write(cells), nl=False)


def _pair(text: str) -> tuple[str, str]:
    ours, separator, theirs = text.partition("=")
    if not separator or ours not in geojson.FIELDS:
        raise typer.BadParameter(f"{text!r}: one of {', '.join(geojson.FIELDS)}, =, the file's")
    return ours, theirs


async def _import(
    cells: Sequence[Cell],
    problems: Sequence[Problem],
    *,
    complete: bool,
    tolerance: float,
    dry_run: bool,
) -> GridChanges:
    async with await connect(database_url(), name="cells", autocommit=True) as connection:
        return await import_cells(
            connection, cells, problems, complete=complete, tolerance=tolerance, dry_run=dry_run
        )


async def _export(at: datetime | None) -> list[Cell]:
    async with await connect(database_url(), name="cells", autocommit=True) as connection:
        return await read_grid(connection, at)
