"""`tellergrid recut`: a terminal's intervals, cut anew from what is stored by now."""

import asyncio
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Annotated

import typer
from psycopg import AsyncConnection
from psycopg.rows import TupleRow
from rich.table import Table

from collector.recut import Stretch, reached
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
    where nothing could be cut, and says why.
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
        made, why = asyncio.run(_cut(loaded, terminal, length, asked))
    if as_json:
        output.print_json(data=[_told(one) for one in made])
    elif made:
        table = Table(box=None, pad_edge=False)
        for name in ("state", "from", "to", "causes"):
            table.add_column(name, overflow="fold")
        for one in made:
            table.add_row(*_told(one).values())
        output.print(table)
    if not made:
        refuse(why)
        raise typer.Exit(1)


def _instant(at: datetime) -> datetime:
    return at.replace(tzinfo=UTC) if at.tzinfo is None else at.astimezone(UTC)


async def _cut(
    rules: Catalogue, terminal: str, length: timedelta, until: datetime | None
) -> tuple[list[Stretch], str]:
    """What was cut; where nothing was, why."""
    async with await connect(database_url(), name="recut", autocommit=True) as connection:
        end = until or await now(connection)
        begin = earlier(end, length)
        made = await cut(connection, rules, terminal, begin, end)
        return made, "" if made else await _why_nothing(connection, terminal, begin, end)


async def _why_nothing(
    connection: AsyncConnection[TupleRow], terminal: str, begin: datetime, end: datetime
) -> str:
    try:
        come_to = await reached(connection, terminal)
    except LookupError as none:
        return str(none)
    if come_to is None:
        return f"nothing was ever heard of {terminal}"
    if come_to <= begin:
        return (
            f"nothing was heard of {terminal} after {_minute(come_to)}: a longer --since is needed"
        )
    return (
        f"nothing is kept of {terminal} at {_minute(begin)}, where it would begin:"
        f" a shorter --since is needed, or a later --until than {_minute(end)}"
    )


def _minute(at: datetime) -> str:
    return f"{at:%Y-%m-%d %H:%M} UTC"


def _told(one: Stretch) -> dict[str, str]:
    return {
        "state": one.state.value,
        "from": one.begin.isoformat(),
        "to": "" if one.end is None else one.end.isoformat(),
        "causes": ", ".join(one.causes),
    }
