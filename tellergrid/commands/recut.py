"""`tellergrid recut`: a terminal's intervals, cut anew from what is stored by now."""

import asyncio
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Annotated

import typer
from rich.table import Table

from collector.recut import Stretch
from collector.recut import recut as cut
from fleet.db.clock import earlier, now
from fleet.db.pool import connect
from fleet.rules import catalogue, duration
from fleet.rules.catalogue import Catalogue
from fleet.rules.errors import CatalogueError
from tellergrid.console import explained, output, refuse
from tellergrid.stack.reach import database_url


def recut(
    terminal: Annotated[str, typer.Argument(help="Its id.")],
    since: Annotated[str, typer.Option(help="So far back: 12h, 7d.")] = "24h",
    until: Annotated[datetime | None, typer.Option(help="Up to then, UTC, instead of now.")] = None,
    rules: Annotated[Path | None, typer.Option(help="A folder of rule files.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="For programs.")] = False,
) -> None:
    """Judge what is stored of a terminal once more, what came late too, and cut its intervals anew.

    Uptime over that time is told anew at once. Faults and tickets stay as they were. Ends with 1
    where nothing was kept of the terminal at the beginning of that time.
    """
    try:
        length: timedelta = duration.parse(since)
    except ValueError as error:
        raise typer.BadParameter(str(error)) from error
    asked = None if until is None else _instant(until)
    try:
        loaded = catalogue.load(rules)
    except CatalogueError as error:
        refuse(error)
        raise typer.Exit(1) from error
    with explained():
        begin, made = asyncio.run(_cut(loaded, terminal, length, asked))
    if as_json:
        output.print_json(data=[_told(one) for one in made])
    else:
        table = Table(box=None, pad_edge=False)
        for name in ("state", "from", "to", "causes"):
            table.add_column(name, overflow="fold")
        for one in made:
            table.add_row(*_told(one).values())
        output.print(table)
    if not made:
        refuse(f"nothing is known of {terminal} at {begin:%Y-%m-%d %H:%M} UTC: see --since")
        raise typer.Exit(1)


def _instant(at: datetime) -> datetime:
    return at.replace(tzinfo=UTC) if at.tzinfo is None else at.astimezone(UTC)


async def _cut(
    rules: Catalogue, terminal: str, length: timedelta, until: datetime | None
) -> tuple[datetime, list[Stretch]]:
    """Since when, and what was cut."""
    async with await connect(database_url(), name="recut", autocommit=True) as connection:
        end = until or await now(connection)
        begin = earlier(end, length)
        return begin, await cut(connection, rules, terminal, begin, end)


def _told(one: Stretch) -> dict[str, str]:
    return {
        "state": one.state.value,
        "from": one.begin.isoformat(),
        "to": "" if one.end is None else one.end.isoformat(),
        "causes": ", ".join(one.causes),
    }
