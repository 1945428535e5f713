"""`tellergrid rules shadow`: what rules on trial would have raised."""

import asyncio
from datetime import timedelta
from typing import Annotated

import msgspec
import typer
from rich.table import Table

from fleet.db.clock import earlier, now
from fleet.db.pool import connect
from fleet.db.shadows import Shadow, shadows
from fleet.rules import duration
from tellergrid.console import explained, output
from tellergrid.stack.reach import database_url


def shadow(
    since: Annotated[str, typer.Option(help="So far back: 12h, 7d, 30d.")] = "7d",
    as_json: Annotated[bool, typer.Option("--json", help="For programs.")] = False,
) -> None:
    """Show what the shadow rules have counted: faults, and the tickets they would have called for.

    A rule with `shadow: true` runs live and only counts: no fault is told, no ticket raised, no
    service state changed.
    """
    try:
        length = duration.parse(since)
    except ValueError as error:
        raise typer.BadParameter(str(error)) from error
    with explained():
        found = asyncio.run(_read(length))
    if as_json:
        output.print_json(data=msgspec.to_builtins(found))
    elif not found:
        output.print(f"no shadow rule has fired in {since}")
    else:
        _show(found)


async def _read(length: timedelta) -> list[Shadow]:
    async with await connect(database_url(), name="shadow", autocommit=True) as connection:
        return await shadows(connection, earlier(await now(connection), length))


def _show(found: list[Shadow]) -> None:
    table = Table(box=None, pad_edge=False)
    for head in ("rule", "faults", "open", "tickets", "subjects", "flapped", "last"):
        table.add_column(head, justify="left" if head in ("rule", "last") else "right")
    for each in found:
        figures = (each.faults, each.open, each.tickets, each.subjects, each.flapped)
        table.add_row(each.rule, *map(str, figures), f"{each.last_at:%Y-%m-%d %H:%M:%S}")
    output.print(table)
