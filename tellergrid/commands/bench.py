"""`tellergrid bench`: measure this machine."""

import asyncio
from typing import Annotated

import msgspec
import typer
from rich.table import Table

from tellergrid.bench import engine as engine_bench
from tellergrid.bench import uptime as uptime_bench
from tellergrid.console import Steps, explained, output
from tellergrid.stack.reach import database_url

app = typer.Typer(
    help="Measure this machine; medians of several runs. Read them as ratios: machines differ.",
    no_args_is_help=False,
    invoke_without_command=True,
)

AsJson = Annotated[bool, typer.Option("--json", help="For programs.")]


@app.callback()
def every(context: typer.Context, as_json: AsJson = False) -> None:
    """Without a name, run every benchmark."""
    if context.invoked_subcommand is None:
        engine(as_json)


@app.command()
def engine(as_json: AsJson = False) -> None:
    """Measure the rule engine alone on one core: time a message, memory a terminal, start."""
    with explained(), Steps() as steps:
        report = engine_bench.measure(steps.show)
    if as_json:
        output.print_json(data=msgspec.to_builtins(report))
        return
    table = Table(box=None, pad_edge=False)
    table.add_column("rule engine, default catalogue")
    table.add_column("", justify="right")
    for share, cost in report.us_per_message.items():
        table.add_row(f"a message, {share} % changing", f"{cost:.1f} µs")
    for count, cost in report.us_per_message_by_terminals.items():
        table.add_row(f"a message, {int(count):,} terminals, 1 % changing", f"{cost:.1f} µs")
    for count, kib in report.kib_per_terminal.items():
        table.add_row(f"a terminal, of {int(count):,}", f"{kib:.1f} KiB")
    table.add_row("starting with 100,000 terminals", f"{report.start_s_100000:.2f} s")
    table.add_row("cost at 100,000 terminals over that at 1,000", f"{report.growth:.2f}")
    output.print(table)


@app.command()
def uptime(
    terminals: Annotated[int, typer.Option(min=1, help="How large a fleet.")] = 100_000,
    cells: Annotated[int, typer.Option(min=1)] = 1_000,
    days: Annotated[int, typer.Option(min=1, help="How long it was watched.")] = 30,
    quick: Annotated[bool, typer.Option("--quick", help="2,000 terminals in 200 cells.")] = False,
    as_json: AsJson = False,
) -> None:
    """Measure uptime queries and imports on a fleet that is built for it, in a database of its own.

    Needs a database server: TELLERGRID_DATABASE_URL, or the stack that runs here. The fleet by day
    for a year is measured when the fleet was watched a year: --days 365.
    """
    size = uptime_bench.Size(2_000, 200, days) if quick else None
    with explained(), Steps() as steps:
        wanted = size or uptime_bench.Size(terminals, cells, days)
        report = asyncio.run(uptime_bench.measure(database_url(), wanted, steps.show))
    if as_json:
        output.print_json(data=msgspec.to_builtins(report))
        return
    table = Table(box=None, pad_edge=False)
    table.add_column(f"uptime of {report.terminals:,} terminals, {report.days} days")
    table.add_column("", justify="right")
    for name, value in msgspec.to_builtins(report).items():
        table.add_row(name, "not measured" if value is None else f"{value:,}")
    output.print(table)
