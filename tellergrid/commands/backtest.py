"""`tellergrid rules backtest`: what other rules would have made of what was heard."""

import asyncio
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Annotated

import msgspec
import typer
from rich.table import Table

from fleet.db.clock import earlier, now
from fleet.db.pool import connect
from fleet.rules import duration
from fleet.rules.catalogue import Catalogue, load
from fleet.rules.errors import CatalogueError
from tellergrid.backtest.comparison import Comparison, Difference, Figures
from tellergrid.backtest.run import backtest as play
from tellergrid.console import Steps, aside, explained, output, refuse
from tellergrid.stack.reach import database_url

_CANNOT_BE_USED = 2
_SHOWN = 20
_HEADS = (
    *("happened", "replayed", "added", "removed"),
    *("tickets", "added", "removed"),
)


def backtest(
    folder: Annotated[Path, typer.Argument(metavar="CATALOGUE", help="A folder of rule files.")],
    since: Annotated[str, typer.Option(help="So far back: 12h, 7d, 30d.")] = "30d",
    until: Annotated[datetime | None, typer.Option(help="Up to then, UTC, instead of now.")] = None,
    lateness: Annotated[
        str, typer.Option(help="How late a message may come and still be judged in its place.")
    ] = "5s",
    every: Annotated[
        bool, typer.Option("--every", help="Name all differences, not the first twenty.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="For programs.")] = False,
) -> None:
    """Play what is stored to another catalogue; say which faults and tickets it adds and removes.

    The engine is the collector's, the database is only read. Compared is with what happened: two
    faults are the same where they are of one cause and were open at the same time, so one that
    merely fires earlier or later is no difference. Grid and windows are as they were.

    With the catalogue in force and a long --lateness it says what the messages that came too late
    (late_message) would have changed.

    Ends with 0 whatever differs, with 2 when the catalogue cannot be used.
    """
    try:
        catalogue = load(folder)
    except CatalogueError as error:
        refuse(error)
        raise typer.Exit(_CANNOT_BE_USED) from error
    try:
        length, late = duration.parse(since), duration.parse(lateness)
    except ValueError as error:
        raise typer.BadParameter(str(error)) from error
    end = None if until is None else until.replace(tzinfo=UTC)
    with explained():
        comparison, messages, end = asyncio.run(_play(catalogue, length, end, late))
    if as_json:
        output.print_json(
            data={
                "catalogue": catalogue.identity,
                "since": earlier(end, length).isoformat(),
                "until": end.isoformat(),
                "messages": messages,
                **msgspec.to_builtins(comparison),
            }
        )
        return
    output.print(f"{messages} messages, {since} up to {end:%Y-%m-%d %H:%M} UTC")
    _show("rule", comparison.rules, comparison.total)
    _show("cell", comparison.cells, comparison.total)
    _list(comparison, every=every)


async def _play(
    catalogue: Catalogue, length: timedelta, until: datetime | None, lateness: timedelta
) -> tuple[Comparison, int, datetime]:
    """What is to come is not played: every terminal would be silent in it."""
    async with await connect(database_url(), name="backtest") as connection:
        at = await now(connection)
        await connection.rollback()
        end = at if until is None else min(until, at)
        since = earlier(end, length)
        with Steps() as steps:
            length = max(length, timedelta(seconds=1))

            def say(region: str, at: datetime) -> None:
                steps.show(f"replaying {region}", min(1.0, max(0.0, (at - since) / length)))

            return *await play(connection, catalogue, since, end, say, lateness), end


def _show(what: str, figures: Mapping[str, Figures], total: Figures) -> None:
    """A row for each rule or cell; those without a difference are one."""
    table = Table(box=None, pad_edge=False, title_justify="left")
    table.add_column(what)
    for head in _HEADS:
        table.add_column(head, justify="right")
    for name, each in sorted(figures.items()):
        if each.differs:
            table.add_row(name, *_cells(each))
    table.add_row("all", *_cells(total), style="bold")
    output.print()
    output.print(table)


def _cells(figures: Figures) -> list[str]:
    return [str(value) for value in msgspec.to_builtins(figures).values()]


def _list(comparison: Comparison, *, every: bool) -> None:
    found = comparison.differences
    if not found:
        output.print("\nnothing would have been otherwise")
        return
    output.print()
    for each in found if every else found[:_SHOWN]:
        typer.echo(_said(each))
    if not every and len(found) > _SHOWN:
        aside.print(f"and {len(found) - _SHOWN} more: --every")


def _said(each: Difference) -> str:
    item = f"[{each.item}]" if each.item else ""
    fired = f"{each.fired_at:%Y-%m-%d %H:%M:%S}"
    cleared = f"{each.cleared_at:%Y-%m-%d %H:%M:%S}" if each.cleared_at else "open"
    return f"{each.what}  {each.rule} on {each.subject}{item} in {each.cell}: {fired} to {cleared}"
