"""`tellergrid up`: the whole system, alive on this machine."""

import os
import shutil
import sysconfig
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import msgspec
import typer

from fleet import demo
from tellergrid.console import FORESEEN, Steps, explained, output
from tellergrid.engines.locate import locate
from tellergrid.settings import Settings
from tellergrid.stack import detached, record
from tellergrid.stack.home import AlreadyRunningError, Home, is_held, open_home
from tellergrid.stack.page import page
from tellergrid.stack.record import Record
from tellergrid.stack.run import Audience, run
from tellergrid.stack.vault import Vault
from tellergrid.stack.wiring import Fleet, Wiring

_FIRST_FLEET = Fleet(terminals=200, cells=None, seed=1)


def up(
    terminals: Annotated[
        int | None, typer.Option(min=1, help="Terminals in the demo fleet; 200, then as before.")
    ] = None,
    cells: Annotated[
        int | None, typer.Option(min=1, help="Grid cells; by default one for ten terminals.")
    ] = None,
    seed: Annotated[
        int | None, typer.Option(help="What the fleet is made from; by default 1.")
    ] = None,
    detach: Annotated[
        bool, typer.Option("--detach", help="Return when all is healthy; `tellergrid down` stops.")
    ] = False,
    no_simulator: Annotated[
        bool, typer.Option("--no-simulator", help="Register the terminals, play none of them.")
    ] = False,
    as_json: Annotated[
        bool, typer.Option("--json", help="Print stack.json instead of the page.")
    ] = False,
    report_to: Annotated[int | None, typer.Option(hidden=True)] = None,
) -> None:
    """Start broker, database, collector, api and simulator, and keep them running.

    In the foreground until Ctrl-C, which stops all of them.
    """
    settings = Settings()
    with explained(), Steps() as steps:
        home = open_home(settings.home)
        simulator = not no_simulator

        def print_page(record: Record) -> None:
            steps.close()
            text = home.record.read_text() if as_json else page(record, home, _command())
            output.print(text, markup=False, soft_wrap=True)

        if report_to is None and is_held(home):
            _already_running(
                home, print_page, Asked(terminals, cells, seed, no_simulator=no_simulator)
            )
            return
        fleet = choose(home, terminals, cells, seed)
        engines = locate(
            home.engines,
            steps.show,
            postgres=settings.database_url is None,
            mosquitto=settings.broker_url is None,
        )
        if report_to is not None:
            audience = detached.audience(report_to)
        elif detach:
            print_page(detached.launch(home, fleet, steps.show, simulator=simulator))
            return
        else:
            audience = Audience(steps.show, print_page, failed=lambda _why: None)
        wiring = Wiring(settings, home, Vault(home.secrets), engines)
        try:
            run(wiring, fleet, audience, simulator=simulator)
        except FORESEEN as problem:
            audience.failed(str(problem))
            raise


@dataclass(frozen=True, slots=True)
class Asked:
    """What was said on the command line; what was left out is None."""

    terminals: int | None
    cells: int | None
    seed: int | None
    no_simulator: bool

    def refused_by(self, running: Record) -> list[str]:
        """The options that a running stack does not fulfil, as they were typed."""
        cells = running.cells or -(-running.terminals // demo.TERMINALS_PER_CELL)
        unfulfilled = {
            f"--terminals {self.terminals}": self.terminals not in (None, running.terminals),
            f"--cells {self.cells}": self.cells not in (None, cells),
            f"--seed {self.seed}": self.seed not in (None, running.seed),
            "--no-simulator": self.no_simulator and running.simulator,
        }
        return [option for option, is_so in unfulfilled.items() if is_so]


def _already_running(home: Home, print_page: Callable[[Record], None], asked: Asked) -> None:
    running = record.read(home)
    if running is None or not running.healthy_once:
        raise AlreadyRunningError(
            f"A stack is starting or stopping from {home.root}; `tellergrid status` shows it."
        )
    if refused := asked.refused_by(running):
        raise AlreadyRunningError(
            f"A stack already runs from {home.root}, without {' '.join(refused)}: "
            "`tellergrid down` first."
        )
    print_page(running)


def choose(home: Home, terminals: int | None, cells: int | None, seed: int | None) -> Fleet:
    """Take the fleet asked for; what is left out is as it was at the last start."""
    try:
        last = msgspec.json.decode(home.choices.read_bytes(), type=Fleet)
    except (FileNotFoundError, msgspec.DecodeError):
        last = _FIRST_FLEET
    if terminals is None:
        terminals, cells = last.terminals, cells or last.cells
    return Fleet(terminals, cells, last.seed if seed is None else seed)


def _command() -> str:
    """Return how to call us from the shell we were called from."""
    ours = Path(sysconfig.get_path("scripts")) / "tellergrid"
    found = shutil.which("tellergrid")
    if found is not None and Path(found).samefile(ours):
        return "tellergrid"
    return os.path.relpath(ours) if ours.is_relative_to(Path.cwd()) else str(ours)
