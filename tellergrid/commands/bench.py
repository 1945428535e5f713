"""`tellergrid bench`: measure this machine."""

import asyncio
import signal
import sys
from typing import Annotated

import msgspec
import typer
from rich.table import Table

from tellergrid.bench import api as api_bench
from tellergrid.bench import dispatch as dispatch_bench
from tellergrid.bench import engine as engine_bench
from tellergrid.bench import ingest as ingest_bench
from tellergrid.bench import simulator as simulator_bench
from tellergrid.bench import soak as soak_bench
from tellergrid.bench import uptime as uptime_bench
from tellergrid.console import Steps, aside, explained, output
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
    # Asked to end, a benchmark leaves no engines and no folder behind.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))
    if context.invoked_subcommand is None:
        engine(as_json)
        ingest(as_json=as_json)


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
def ingest(
    quick: Annotated[bool, typer.Option("--quick", help="Short runs: a minute or two.")] = False,
    as_json: AsJson = False,
) -> None:
    """Measure the collector beside what its engines can do alone, and beside a plain collector."""
    with explained(), Steps() as steps:
        report = ingest_bench.measure(steps.show, quick=quick)
    if as_json:
        output.print_json(data=msgspec.to_builtins(report))
        return
    rates = Table(box=None, pad_edge=False)
    for name in ("", "messages/s", "broker µs", "collector µs", "database µs"):
        rates.add_column(name, justify="right" if name else "left")
    by_run, by_terminals = report.cpu_us_by_run, report.cpu_us_by_terminals
    for title, rate, cpu in (
        ("(a) receive and acknowledge only", report.sink_per_s, by_run["sink"]),
        ("(b) COPY of prepared rows", report.copy_per_s, by_run["copy"]),
        ("(d) a plain paho collector, no rules", report.paho_per_s, by_run["paho"]),
        *(
            (f"(c) the collector, {int(count):,} terminals", rate, by_terminals[count])
            for count, rate in report.by_terminals.items()
        ),
    ):
        spent = (f"{cpu[part]:.1f}" for part in ("broker", "collector", "database"))
        rates.add_row(title, f"{rate:,.0f}", *spent)
    output.print(rates)
    rest = Table(box=None, pad_edge=False, show_header=False)
    rest.add_row("(c) over the lower of (a) and (b)", f"{report.ratio_to_limit:.2f}")
    for share, p99 in report.p99_ms.items():
        both = f"{report.p50_ms[share]:.0f} / {p99:.0f} ms"
        rest.add_row(f"publish to commit at {share}% of (c), p50 / p99", both)
    rest.add_row("memory with 100,000 terminals", f"{report.rss_mib_100000:.0f} MiB")
    rest.add_row("on disk, a message", f"{report.bytes_per_message:.0f} bytes")
    rest.add_row("the same as JSONB", f"{report.jsonb_bytes_per_message:.0f} bytes")
    output.print(rest)


@app.command()
def dispatch(as_json: AsJson = False) -> None:
    """Measure dispatch: 1,500 tickets among 300 technicians, and a day of 30 stops; no database."""
    with explained(), Steps() as steps:
        report = dispatch_bench.measure(steps.show)
    if as_json:
        output.print_json(data=msgspec.to_builtins(report))
        return
    table = Table(box=None, pad_edge=False, show_header=False)
    table.add_row("1,500 tickets among 300 technicians", f"{report.assign_s:.2f} s")
    table.add_row("of them given to somebody", f"{report.assigned:,}")
    table.add_row("a day of 30 stops", f"{report.day_plan_s:.2f} s")
    table.add_row("of them planned within the shift", f"{report.planned}")
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

    Needs a database server: TELLERGRID_DATABASE_URL, or the stack that runs here. Of the days after
    those that the fleet was watched the sums of days are repeated, to a year.
    """
    size = uptime_bench.Size(2_000, 200, days) if quick else None
    with explained(), Steps() as steps:
        wanted = size or uptime_bench.Size(terminals, cells, days)
        report, around = asyncio.run(uptime_bench.measure(database_url(), wanted, steps.show))
    if as_json:
        output.print_json(data=msgspec.to_builtins(report))
    else:
        table = Table(box=None, pad_edge=False)
        table.add_column("uptime")
        table.add_column("", justify="right")
        for name, value in msgspec.to_builtins(report).items():
            table.add_row(name, "not measured" if value is None else f"{value:,}")
        output.print(table)
    aside.print(
        f"{around.terminals:,} terminals, {around.cells:,} cells, {around.days} days:"
        f" {around.intervals:,} intervals; summed in {around.summing_s:g} s,"
        f" {around.sums_bytes:,} bytes of it; heartbeats of one cell {around.naive_cell_rows:,},"
        f" {around.naive_cell_bytes:,} bytes",
        soft_wrap=True,
    )


@app.command()
def simulator(
    terminals: Annotated[int, typer.Option(min=10, help="How many are connected.")] = 10_000,
    hold: Annotated[float, typer.Option(min=1, help="Seconds they are held.")] = 600,
    multiplex: Annotated[
        int, typer.Option(min=0, help="Share so many connections; 0: one for each terminal.")
    ] = 0,
    quick: Annotated[bool, typer.Option("--quick", help="2,000 terminals, held 20 s.")] = False,
    as_json: AsJson = False,
) -> None:
    """Measure the simulator: connections, memory, messages, virtual time; beside its own broker."""
    size = (
        simulator_bench.QUICK
        if quick
        else simulator_bench.Size(terminals, hold, multiplex=multiplex)
    )
    with explained(), Steps() as steps:
        report, held = simulator_bench.measure(steps.show, size)
    if as_json:
        output.print_json(data=msgspec.to_builtins(report))
    else:
        table = Table(box=None, pad_edge=False)
        table.add_column("simulator")
        table.add_column("", justify="right")
        for name, value in msgspec.to_builtins(report).items():
            table.add_row(name, f"{value:,}")
        output.print(table)
    aside.print(
        f"held for {held.seconds:.0f} s: {held.losses} connections lost, {held.rss_mib:.0f} MiB, "
        f"{held.acknowledged:,} messages acknowledged, p99 {held.publish_p99_ms:g} ms"
    )


@app.command()
def api(
    terminals: Annotated[int, typer.Option(min=1, help="How large a fleet.")] = 100_000,
    tickets: Annotated[int, typer.Option(min=1, help="Of which every tenth is live.")] = 50_000,
    processes: Annotated[int, typer.Option(min=1, help="Api processes.")] = 2,
    rate: Annotated[float, typer.Option(min=1, help="Requests a second.")] = 200,
    seconds: Annotated[float, typer.Option(min=1, help="For how long.")] = 30,
    as_json: AsJson = False,
) -> None:
    """Ask api processes for a technician's list, a terminal, a cell's uptime, at a steady rate.

    Needs a database server: TELLERGRID_DATABASE_URL, or the stack that runs here; the fleet is
    built in a database of its own. Latencies count from when a request was due.
    """
    size = api_bench.Size(terminals, tickets, processes, rate, seconds)
    with explained(), Steps() as steps:
        report = asyncio.run(api_bench.measure(database_url(), size, steps.show))
    if as_json:
        output.print_json(data=msgspec.to_builtins(report))
        return
    table = Table(box=None, pad_edge=False)
    table.add_column(f"{report.requests_per_s:g} requests/s, {report.errors} errors")
    table.add_column("p99 ms", justify="right")
    for route, p99_ms in report.p99_ms.items():
        table.add_row(route, f"{p99_ms:g}")
    output.print(table)


@app.command()
def soak(
    minutes: Annotated[float, typer.Option(min=0.1, help="How long.")] = 60,
    per_s: Annotated[float, typer.Option(min=1, help="Messages a second.")] = 5_000,
    terminals: Annotated[int, typer.Option(min=1)] = 1_000,
    seed: Annotated[int, typer.Option(help="For the instants of the kills.")] = 1,
    as_json: AsJson = False,
) -> None:
    """Run at a steady load, kill the collector once a minute, and audit the loss at the end.

    On engines of its own. Ends with 0 when every message that was said is stored once, else 1.
    """
    with explained(), Steps() as steps:
        report = soak_bench.soak(
            steps.show, minutes=minutes, per_s=per_s, terminals=terminals, seed=seed
        )
    if as_json:
        output.print_json(data=msgspec.to_builtins(report))
    else:
        table = Table(box=None, pad_edge=False, show_header=False)
        for name, value in msgspec.to_builtins(report).items():
            table.add_row(name, f"{value:,}")
        output.print(table)
    if not report.exact:
        raise typer.Exit(1)
