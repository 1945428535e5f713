"""`tellergrid coverage`: what works in a cell now, and how far a customer has to go."""

import asyncio
from typing import Annotated

import typer
from rich.table import Table

from api.coverage.schemas import Coverage, NextTerminal
from api.coverage.store import coverage as read
from api.errors import NotFound
from api.scope import EVERYTHING
from fleet.db.pool import connect
from tellergrid.console import explained, output, refuse
from tellergrid.stack.reach import database_url


def coverage(
    cell: Annotated[str, typer.Argument(help="With all that is below it.")],
    limit: Annotated[int, typer.Option(min=0, max=500, help="Terminals to list.")] = 10,
    as_json: Annotated[bool, typer.Option("--json", help="For programs.")] = False,
) -> None:
    """Show which cells have none in service now, and how far the next working terminal is.

    Working is in service or degraded. Ends with 1 when there is no such cell.
    """
    with explained():
        try:
            found = asyncio.run(_ask(cell, limit))
        except NotFound as error:
            refuse(error)
            raise typer.Exit(1) from error
    if as_json:
        output.print_json(data=found.model_dump(mode="json"))
    else:
        _show(found)


async def _ask(cell: str, limit: int) -> Coverage:
    async with await connect(database_url(), name="coverage", autocommit=True) as connection:
        return await read(connection, EVERYTHING, cell, limit)


def _show(found: Coverage) -> None:
    output.print(
        f"{found.working} of {found.terminals} terminals work in {found.cell}", markup=False
    )
    if found.none_in_service:
        codes = ", ".join(found.none_in_service)
        output.print(f"none in service: {codes}", style="red", markup=False, soft_wrap=True)
    table = Table(box=None, pad_edge=False)
    table.add_column("from the middle")
    for name in ("terminals", "working"):
        table.add_column(name, justify="right")
    for ring in found.by_distance:
        table.add_row(f"within {ring.within_m:,} m", str(ring.terminals), str(ring.working))
    output.print(table)
    for one in found.from_middle:
        output.print(f"  to {one.capability}: {_place(one.next)}", markup=False)
    if found.next:
        output.print("\nthe next that can do the same, the farthest first")
    for far in found.next:
        state = "" if far.working else " (down)"
        output.print(f"  {far.terminal}{state}: {_place(far.next)}", markup=False)


def _place(found: NextTerminal | None) -> str:
    return f"{found.distance_m:,} m, {found.terminal} in {found.cell}" if found else "nowhere"
