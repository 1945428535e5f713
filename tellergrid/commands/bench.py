"""`tellergrid bench`: measure this machine."""

from typing import Annotated

import msgspec
import typer
from rich.table import Table

from tellergrid.bench import engine as engine_bench
from tellergrid.console import Steps, explained, output

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
