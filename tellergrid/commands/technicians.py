"""`tellergrid technicians`: who is sent, and when they are not."""

import asyncio
from collections.abc import Sequence
from datetime import datetime
from getpass import getuser
from pathlib import Path
from typing import Annotated

import typer

from api.technicians.absences import put_down
from api.technicians.enrolling import RosterChanges, import_technicians
from fleet.db.pool import connect
from fleet.dispatch import roster
from fleet.grid.cell import ImportRefused, Problem
from tellergrid.console import explained, output, refuse
from tellergrid.grid_console import refusal, text_of
from tellergrid.stack.reach import database_url

app = typer.Typer(help="Who is sent, and when they are not.", no_args_is_help=True)

_INSTANT = "%Y-%m-%dT%H:%M:%S%z"


@app.command("import")
def import_(
    file: Annotated[Path, typer.Argument(exists=True, dir_okay=False, help="CSV, UTF-8")],
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Say what would change.")] = False,
) -> None:
    """Add and change technicians; those the file lacks stay.

    Columns: code, name, skills, cells (both lists by space); optional: lines (1 branch staff, 2
    field engineers; default both), home_latitude, home_longitude (WGS 84), zone (IANA), shifts
    (Mon-Fri 08:00-17:00; Sat 22:00-06:00; default always), most_visits (default 8). Ends with 1 and
    a list of everything that is wrong with the file, and then changes nothing.
    """
    people, problems = roster.read(text_of(file))
    with explained():
        try:
            changes = asyncio.run(_import(people, problems, dry_run=dry_run))
        except ImportRefused as refused:
            raise refusal(refused) from None
    for verb, codes in (("added", changes.added), ("changed", changes.changed)):
        if codes:
            output.print(f"{verb:>8}: {', '.join(codes)}", markup=False, soft_wrap=True)
    output.print(f"{changes.unchanged} of the file's technicians are as they were")
    if dry_run:
        output.print("nothing was changed: this was a dry run")


@app.command()
def absent(
    code: Annotated[str, typer.Argument(help="The technician's code")],
    begin: Annotated[datetime, typer.Option("--from", formats=[_INSTANT])],
    end: Annotated[datetime, typer.Option("--to", formats=[_INSTANT])],
    reason: Annotated[str, typer.Option(help="Why, in a few words.")],
) -> None:
    """Put down that a technician is away: nobody sends them then.

    Times with an offset, as in 2026-11-23T08:00:00+0800.
    """
    if begin >= end:
        raise typer.BadParameter("--to must be later than --from")
    with explained():
        key = asyncio.run(_absent(code, begin, end, reason))
    if key is None:
        refuse(f"there is no technician {code}")
        raise typer.Exit(1)
    output.print(f"{code} is absent: number {key}", markup=False)


async def _import(
    people: Sequence[roster.Enrolled], problems: Sequence[Problem], *, dry_run: bool
) -> RosterChanges:
    async with await connect(database_url(), name="technicians", autocommit=True) as connection:
        return await import_technicians(connection, people, problems, dry_run=dry_run)


async def _absent(code: str, begin: datetime, end: datetime, reason: str) -> int | None:
    async with await connect(database_url(), name="technicians", autocommit=True) as connection:
        return await put_down(connection, code, begin, end, reason, getuser())
