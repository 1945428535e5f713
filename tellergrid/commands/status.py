"""`tellergrid status`: how each part is, and the figures a person asks for first."""

import asyncio
from datetime import datetime
from typing import Annotated

import msgspec
import typer
from rich.table import Table

from tellergrid.console import explained, output
from tellergrid.settings import Settings
from tellergrid.stack import record
from tellergrid.stack.health import Health, RegionHealth, examine, stopped
from tellergrid.stack.home import existing_home

_SOMETHING_IS_NOT_HEALTHY = 1
_NOTHING_RUNS = 3
_MOST_PROBLEMS = 5
_COLOURS = {"healthy": "green", "unhealthy": "red", "stopped": "red"}


def status(
    as_json: Annotated[bool, typer.Option("--json", help="For programs.")] = False,
) -> None:
    """Show each part's health, who serves which region, messages a second, lag, open work.

    Ends with 0 when all is healthy, 1 when something is not, 3 when nothing runs.
    """
    with explained():
        home = existing_home(Settings().home)
        found = record.read(home) if home is not None else None
        runs = found is not None and bool(found.alive())
        if found is None:
            health = Health({})
        else:
            health = asyncio.run(examine(found)) if runs else stopped(found)
    if as_json:
        answer = {
            "running": runs,
            "healthy": runs and health.healthy,
            **msgspec.to_builtins(health),
        }
        output.print_json(data=answer)
    elif runs:
        _show(health)
    else:
        output.print("nothing runs here")
    if not runs:
        raise typer.Exit(_NOTHING_RUNS)
    if not health.healthy:
        raise typer.Exit(_SOMETHING_IS_NOT_HEALTHY)


def _show(health: Health) -> None:
    parts = Table(box=None, show_header=False, pad_edge=False)
    for name, part in health.parts.items():
        parts.add_row(name, f"[{_COLOURS[part.state]}]{part.state}[/]", part.detail)
    output.print(parts)
    if health.regions:
        output.print()
        output.print(_regions(health.regions))
    figures = Table(box=None, show_header=False, pad_edge=False)
    for name, value in _figures(health):
        figures.add_row(name, value)
    output.print()
    output.print(figures)
    if health.catalogue is not None and health.catalogue.refused:
        refused = health.catalogue.refused
        output.print("\n[red]a newer catalogue was refused, the one above stays in force:[/]")
        for problem in refused[:_MOST_PROBLEMS]:
            typer.echo(f"  {problem}")
        if len(refused) > _MOST_PROBLEMS:
            output.print(f"  and {len(refused) - _MOST_PROBLEMS} more: tellergrid rules check")


def _regions(regions: list[RegionHealth]) -> Table:
    """Who holds what, and since when."""
    table = Table(box=None, pad_edge=False)
    for name in ("region", "served by", "since", "blind since"):
        table.add_column(name)
    for each in regions:
        table.add_row(
            each.region,
            each.collector or "[red]nobody[/]",
            _time(each.taken_at),
            f"[red]{_time(each.blind_since)}[/]",
        )
    return table


def _time(at: datetime | None) -> str:
    return "" if at is None else f"{at:%Y-%m-%d %H:%M:%S %Z}"


def _figures(health: Health) -> list[tuple[str, str]]:
    through = health.throughput
    rate, lag = "unknown", "unknown"
    if through is not None:
        rate = f"{through.messages_per_s:g} a second"
        if through.lag_p50_s is not None and through.lag_p99_s is not None:
            lag = f"{_seconds(through.lag_p50_s)} for half, {_seconds(through.lag_p99_s)} for 99%"
    return [
        ("messages stored", rate),
        ("device to commit", lag),
        ("open faults", _count(health.open_faults)),
        ("open tickets", _count(health.open_tickets)),
        ("connections", _count(health.connections)),
        ("rule catalogue", health.catalogue.identity if health.catalogue else "unknown"),
    ]


def _seconds(value: float) -> str:
    return f"{value * 1000:.0f} ms" if value < 1 else f"{value:.1f} s"


def _count(value: int | None) -> str:
    return "unknown" if value is None else str(value)
