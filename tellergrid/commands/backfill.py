"""`tellergrid backfill`: a plausible past for a database that has none."""

import asyncio
import time
from datetime import timedelta
from typing import Annotated

import msgspec
import typer

from api.settings import Settings as ApiSettings
from fleet import logs
from fleet.rules import catalogue
from simulator.errors import SimulatorError
from simulator.scenario import EVERYDAY, load, names
from simulator.virtual import Course
from tellergrid.commands.up import choose
from tellergrid.console import Steps, explained, output
from tellergrid.engines.locate import locate
from tellergrid.settings import Settings
from tellergrid.stack.errors import StackError
from tellergrid.stack.files import write_private
from tellergrid.stack.home import held, open_home
from tellergrid.stack.past import database_alone
from tellergrid.stack.seeding import migrate_and_seed
from tellergrid.stack.vault import Vault
from tellergrid.stack.wiring import Fleet, Wiring
from tellergrid.virtual.history import Filled, Keeping, fill, require_no_history

_STEP_S = 300.0


def backfill(
    days: Annotated[float, typer.Option(min=0.01, max=366, help="How far back.")] = 30,
    terminals: Annotated[
        int | None, typer.Option(min=1, help="By default as many as the stack was started with.")
    ] = None,
    cells: Annotated[int | None, typer.Option(min=1, help="Grid cells.")] = None,
    seed: Annotated[int | None, typer.Option(help="What all chance follows from.")] = None,
    scenario: Annotated[
        str, typer.Option(help=f"One of {', '.join(names())}, or a .yaml file.")
    ] = EVERYDAY,
    as_json: Annotated[bool, typer.Option("--json", help="For programs.")] = False,
) -> None:
    """Fill the stack's database with a simulated past, up to now; then start the stack.

    Virtual time through the same engine, ledgers and tickets into the same tables: telemetry,
    events, faults, service intervals, tickets. The stack must be stopped, and its database must
    have no history yet. The simulator goes on where the history ends.

    Ends with 0, or 1 when it cannot be done, with nothing written or the reason why not all.
    """
    logs.configure("warning")
    settings = Settings()
    with explained(), Steps() as steps:
        home = open_home(settings.home)
        fleet = choose(home, terminals, cells, seed)
        engines = locate(
            home.engines,
            steps.show,
            postgres=settings.database_url is None,
            mosquitto=settings.broker_url is None,
        )
        wiring = Wiring(settings, home, Vault(home.secrets), engines)
        keeping = Keeping(
            home.simulator / "state.json",
            home.simulator / "history-truth.jsonl",
            timedelta(minutes=ApiSettings.model_fields["verify_minutes"].default),
        )
        now = time.time()
        try:
            course = Course(
                load(scenario),
                fleet.terminals,
                now - days * 86_400,
                days * 86_400,
                seed=fleet.seed,
                cells=fleet.cells,
                step_s=_STEP_S,
            )
            with held(home), database_alone(wiring, steps.show) as url:
                filled = asyncio.run(_fill(wiring, url, fleet, course, keeping, steps))
        except SimulatorError as error:
            raise StackError(str(error)) from error
    if as_json:
        output.print_json(data=msgspec.to_builtins(filled))
    else:
        output.print(
            f"{filled.days:g} days of {filled.terminals} terminals: {filled.messages:,} messages, "
            f"{filled.faults:,} faults, {filled.tickets:,} tickets. Next: tellergrid up"
        )


async def _fill(
    wiring: Wiring, url: str, fleet: Fleet, course: Course, keeping: Keeping, steps: Steps
) -> Filled:
    """Fill it in; where there is a history nothing changes, the fleet of the next `up` neither."""
    await require_no_history(url)
    write_private(wiring.home.choices, fleet)
    steps.show("Migrating the database and seeding the demo grid")
    await migrate_and_seed(url, course.grid(), wiring.vault.person, wiring.api_database_password)
    wiring.vault.save()
    what = f"filling in {course.lasts_s / 86_400:g} days"
    return await fill(url, course, catalogue.load(), keeping, lambda share: steps.show(what, share))
