"""`tellergrid terminals`: the registry of what stands where."""

import asyncio
from collections.abc import Sequence
from getpass import getuser
from pathlib import Path
from typing import Annotated

import typer

from api.grid.terminals import RegistryChanges, import_terminals
from fleet.db.pool import connect
from fleet.grid import registry
from fleet.grid.cell import ImportRefused, Problem
from fleet.grid.datum import Datum
from tellergrid.console import explained, output
from tellergrid.grid_console import refusal, show_moves, text_of
from tellergrid.stack.reach import database_url

app = typer.Typer(help="The registry of terminals.", no_args_is_help=True)


@app.callback()
def _registry() -> None:
    """Keep `import` a command of its own, though it is the only one."""


@app.command("import")
def import_(
    file: Annotated[Path, typer.Argument(exists=True, dir_okay=False, help="CSV, UTF-8")],
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Say what would change.")] = False,
    datum: Annotated[
        Datum, typer.Option(help="What coordinates are in whose row does not say.")
    ] = Datum.WGS84,
) -> None:
    """Add and change terminals, and put each into its cell; those the file lacks stay.

    Columns: code, kind, vendor, model, region, site, latitude, longitude; optional: datum, cell
    (an override of what the map says), commissioned_at, skills (that working on it takes, side by
    side), schedule (the service schedule it serves by; empty: none of its own).
    """
    terminals, problems = registry.read(text_of(file), datum)
    with explained():
        try:
            changes = asyncio.run(_import(terminals, problems, dry_run=dry_run))
        except ImportRefused as refused:
            raise refusal(refused) from None
    output.print(
        f"{len(changes.added)} added, {len(changes.changed)} changed,"
        f" {changes.unchanged} as they were"
    )
    if changes.regions:
        output.print(f"new regions: {', '.join(changes.regions)}", markup=False, soft_wrap=True)
    if changes.out_of_fleet:
        gone = ", ".join(changes.out_of_fleet)
        output.print(f"out of the fleet, and left so: {gone}", markup=False, soft_wrap=True)
    show_moves(changes.moves, dry_run=dry_run)


async def _import(
    terminals: Sequence[registry.Registered], problems: Sequence[Problem], *, dry_run: bool
) -> RegistryChanges:
    async with await connect(database_url(), name="terminals", autocommit=True) as connection:
        return await import_terminals(
            connection, terminals, problems, author=getuser(), dry_run=dry_run
        )
