"""`tellergrid simulate`: play a fleet of terminals, in the foreground."""

import asyncio
import contextlib
import itertools
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Annotated

import msgspec
import typer
from rich.live import Live
from rich.table import Table

from fleet import demo, logs
from fleet.mqtt import Broker
from simulator.app import simulate as play
from simulator.certificates import OURSELVES, Certificates
from simulator.errors import SimulatorError
from simulator.figures import Summary
from simulator.fleet import CONNECTS_PER_S, Fleet, Plan
from simulator.fleet import share as parse_share
from simulator.scenario import EVERYDAY, load, names
from tellergrid.console import aside, explained, output
from tellergrid.settings import Settings
from tellergrid.stack.errors import StackError
from tellergrid.stack.reach import stack
from tellergrid.stack.record import Record

_PLAIN_EVERY_S = 10
_ALONE = 200
_CANNOT = 1


@dataclass(frozen=True, slots=True)
class _Place:
    """Where to play, and whom: `record` is the stack's, when it is the stack that is played on."""

    broker: Broker
    secret: str | None
    state: Path
    record: Record | None = None


def simulate(
    terminals: Annotated[
        int | None, typer.Option(min=1, help="How many; by default all of the stack's.")
    ] = None,
    cells: Annotated[
        int | None,
        typer.Option(min=1, help="Grid cells; by default the stack's, or one for ten terminals."),
    ] = None,
    seed: Annotated[
        int | None, typer.Option(help="What all chance follows from; by default the stack's, or 1.")
    ] = None,
    rate: Annotated[
        float, typer.Option(help="How fast the world lives: 60 makes a minute of an hour.")
    ] = 1.0,
    scenario: Annotated[
        str, typer.Option(help=f"One of {', '.join(names())}, or a .yaml file.")
    ] = EVERYDAY,
    multiplex: Annotated[
        int, typer.Option(min=0, help="Share so many connections; 0: one for each terminal.")
    ] = 0,
    share: Annotated[
        str, typer.Option(help="Play part K of N: several processes share a fleet.")
    ] = "1/1",
    source_address: Annotated[
        list[str] | None, typer.Option(help="Connect from this address; may be repeated.")
    ] = None,
    connects_per_s: Annotated[
        float, typer.Option(min=1, help="How fast terminals connect.")
    ] = CONNECTS_PER_S,
    certificates: Annotated[
        Path | None,
        typer.Option(help="A folder: terminals log in by certificate; `tellergrid certificates`."),
    ] = None,
    state: Annotated[
        Path | None, typer.Option(help="Where boots and sequence numbers are kept.")
    ] = None,
    as_json: Annotated[
        bool, typer.Option("--json", help="Print the figures at the end, for programs.")
    ] = False,
) -> None:
    """Play a fleet of terminals against the broker of the stack, until Ctrl-C.

    Each has its own connection, client id and last will. Start the stack with --no-simulator, or
    name another broker by TELLERGRID_BROKER_URL. Heartbeats keep their pace whatever the rate.

    A process has as many connections as open files: tens of thousands want --share or --multiplex.

    Ctrl-C disconnects every terminal in order: no last will fires. Ends with 0, or 1 when it
    cannot play.
    """
    with explained():
        try:
            place = _place(shared=multiplex > 0)
            plan = _plan(place, terminals, cells, seed)
            plan = replace(
                plan,
                rate=rate,
                scenario=load(scenario),
                state=state or _own(plan.state, parse_share(share)),
                share=parse_share(share),
                multiplex=multiplex,
                certificates=None if certificates is None else Certificates(certificates),
                sources=tuple(source_address or ()),
                connects_per_s=connects_per_s,
            )
            if plan.certificates is not None:
                place = replace(place, broker=plan.certificates.of(OURSELVES, place.broker))
            figures = asyncio.run(_play(plan, place))
        except (SimulatorError, ValueError) as error:
            aside.print(f"error: {error}", markup=False, soft_wrap=True)
            raise typer.Exit(_CANNOT) from error
    if as_json:
        output.print_json(data=msgspec.to_builtins(figures))


def _own(state: Path, share: tuple[int, int]) -> Path:
    """Each part of a fleet has a state of its own."""
    return state if share[1] == 1 else state.with_name(f"state-{share[0]}.json")


def _place(*, shared: bool) -> _Place:
    """Where to play; a shared connection speaks for all, so its account must be let."""
    settings = Settings()
    state = settings.home / "simulator" / "state.json"
    if settings.broker_url is not None:
        secret = settings.terminal_secret
        return _Place(
            settings.broker_at(settings.broker_url),
            None if secret is None else secret.get_secret_value(),
            state,
        )
    record = stack()
    url = record.broker.accounts["tester" if shared else "simulator"].url
    return _Place(settings.broker_at(url), record.terminal_secret, state, record)


def _plan(place: _Place, terminals: int | None, cells: int | None, seed: int | None) -> Plan:
    """Who is played. On the stack's broker only its own terminals may log in."""
    record = place.record
    if record is None:
        return Plan(terminals or _ALONE, place.state, cells=cells, seed=1 if seed is None else seed)
    registered = record.cells or -(-record.terminals // demo.TERMINALS_PER_CELL)
    if terminals is not None and terminals > record.terminals:
        raise StackError(
            f"The stack here knows {record.terminals} terminals. More: "
            f"tellergrid down, then tellergrid up --no-simulator --terminals {terminals}"
        )
    if cells not in (None, registered):
        raise StackError(f"The stack here has {registered} cells; so has its simulated fleet.")
    return Plan(
        terminals or record.terminals,
        place.state,
        cells=registered,
        seed=record.seed if seed is None else seed,
        grid_seed=record.seed,
    )


async def _play(plan: Plan, place: _Place) -> Summary:
    fleet = Fleet(plan, place.broker, place.secret)
    showing = asyncio.create_task(_show(fleet, plan.scenario.name))
    try:
        await play(fleet, place.broker)
    finally:
        showing.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await showing
    return fleet.summary()


async def _show(fleet: Fleet, scenario: str) -> None:
    """Keep the figures up to date; where there is no terminal, print a line now and then."""
    with Live(console=aside, transient=True, auto_refresh=False) as live:
        logs.configure("warning")
        before = fleet.summary()
        for second in itertools.count(1):
            await asyncio.sleep(1)
            now = fleet.summary()
            per_s = now.acknowledged - before.acknowledged
            before = now
            if aside.is_terminal:
                live.update(_board(now, per_s, scenario), refresh=True)
            elif second % _PLAIN_EVERY_S == 0:
                aside.print(_line(now, per_s), soft_wrap=True)


def _line(now: Summary, per_s: int) -> str:
    return (
        f"{now.connected} of {now.terminals} connected  {per_s} msg/s  "
        f"{now.wrong_now} troubles now, {now.troubles} so far  "
        f"acknowledged in {now.publish_p50_ms:g} ms (p50), {now.publish_p99_ms:g} ms (p99)  "
        f"{now.unacknowledged} waiting"
    )


def _board(now: Summary, per_s: int, scenario: str) -> Table:
    """The figures as they stand, for a terminal to look at."""
    table = Table(box=None, pad_edge=False, show_header=False)
    table.add_column(style="dim")
    table.add_column(justify="right")
    rows = (
        ("scenario", scenario),
        ("connected", f"{now.connected:,} of {now.terminals:,}"),
        ("messages a second", f"{per_s:,}"),
        ("acknowledged so far", f"{now.acknowledged:,}"),
        ("troubles now / so far", f"{now.wrong_now:,} / {now.troubles:,}"),
        ("publish p50 / p99", f"{now.publish_p50_ms:g} / {now.publish_p99_ms:g} ms"),
        ("connects / losses", f"{now.connects:,} / {now.losses:,}"),
        ("waiting / given up", f"{now.unacknowledged:,} / {now.dropped:,}"),
    )
    for name, value in rows:
        table.add_row(name, value)
    return table
