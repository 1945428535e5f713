"""One life of the stack, from the first check to the last stop."""

import asyncio
import os
from collections.abc import Callable
from dataclasses import dataclass

import structlog

from fleet import demo
from tellergrid.stack import postgres, record
from tellergrid.stack.files import write_private
from tellergrid.stack.home import held
from tellergrid.stack.leftovers import SUPERVISOR, clear_leftovers
from tellergrid.stack.parts import engine_parts, service_parts
from tellergrid.stack.ports import require_each_its_own, require_free
from tellergrid.stack.record import Account, Address, Record, Running
from tellergrid.stack.seeding import migrate_and_seed
from tellergrid.stack.supervisor import Supervisor, describe
from tellergrid.stack.wiring import Fleet, Wiring


@dataclass(frozen=True, slots=True)
class Audience:
    """Who is told: `step` of what is being done, `up` once when everything serves, or why not."""

    step: Callable[[str], None]
    up: Callable[[Record], None]
    failed: Callable[[str], None]


def run(wiring: Wiring, fleet: Fleet, audience: Audience, *, simulator: bool) -> None:
    """Bring the stack up, keep it up until asked to stop, and take it down.

    Raises StackError when a part does not start, AlreadyRunningError when the home is held, and
    KeyboardInterrupt when interrupted before everything was up; whatever was started is stopped.
    """
    with held(wiring.home):
        clear_leftovers(wiring.home)
        _require_ports(wiring)
        write_private(wiring.home.choices, fleet)
        written = _record(wiring, fleet, simulator=simulator)

        def changed(processes: dict[str, Running]) -> None:
            written.processes = _ourselves() | processes
            record.write(wiring.home, written)

        with (wiring.home.log("supervisor")).open("a") as log:
            supervisor = Supervisor(_journal(log.fileno()), changed)
            supervisor.listen()
            try:
                changed({})
                _start(wiring, fleet, supervisor, written, audience)
                supervisor.all_started()
                written.healthy_once = True
                record.write(wiring.home, written)
                audience.up(written)
                supervisor.watch()
            finally:
                supervisor.stop()
                wiring.home.record.unlink(missing_ok=True)


def _start(
    wiring: Wiring, fleet: Fleet, supervisor: Supervisor, written: Record, audience: Audience
) -> None:
    grid = demo.grid(fleet.seed, fleet.terminals, fleet.cells)
    terminals = tuple(terminal.code for terminal in grid.terminals)
    for part in engine_parts(wiring, terminals):
        audience.step(f"Starting the {part.name}")
        supervisor.start(part)
    if (cluster := wiring.cluster) is not None:
        postgres.create_database(cluster)
    audience.step("Migrating the database and seeding the demo grid")
    people = asyncio.run(
        migrate_and_seed(
            wiring.database_url, grid, wiring.vault.person, wiring.api_database_password
        )
    )
    wiring.vault.save()
    written.accounts = [Account(one.username, one.password, one.role) for one in people]
    for part in service_parts(wiring, fleet if written.simulator else None):
        audience.step(f"Starting the {part.name}")
        supervisor.start(part)


def _require_ports(wiring: Wiring) -> None:
    settings = wiring.settings
    wanted = {"collector": settings.collector_port, "api": settings.api_port}
    if wiring.broker_files is not None:
        wanted = {"broker": settings.broker_port} | wanted
    if wiring.cluster is not None:
        wanted = {"database": settings.database_port} | wanted
    require_each_its_own(wanted)
    for part, port in wanted.items():
        require_free(port, part)


def _record(wiring: Wiring, fleet: Fleet, *, simulator: bool) -> Record:
    engines, broker = wiring.engines, wiring.broker
    wiring.vault.save()  # with the passwords the broker's accounts just got
    versions: dict[str, str] = {}
    tools: dict[str, str] = {}
    if engines.postgres is not None:
        versions |= engines.postgres.versions
        tools |= {name: str(engines.postgres.bin / name) for name in ("psql", "pg_dump")}
    if engines.mosquitto is not None:
        versions |= engines.mosquitto.versions
        clients = engines.mosquitto.clients
        tools |= {name: str(clients / name) for name in ("mosquitto_pub", "mosquitto_sub")}
    return Record(
        api=Address(wiring.settings.api_url),
        collector=Address(wiring.settings.collector_url),
        broker=broker,
        database=Address(wiring.database_url),
        accounts=[],
        terminal_secret=wiring.terminal_secret,
        seed=fleet.seed,
        terminals=fleet.terminals,
        cells=fleet.cells,
        simulator=simulator,
        versions=versions,
        tools=tools,
    )


def _ourselves() -> dict[str, Running]:
    ourselves = describe(os.getpid())
    return {} if ourselves is None else {SUPERVISOR: ourselves}


def _journal(descriptor: int) -> Callable[..., object]:
    """Return a writer of one JSON line an event."""
    logger = structlog.wrap_logger(
        structlog.WriteLogger(os.fdopen(os.dup(descriptor), "w", buffering=1)),
        processors=[
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.JSONRenderer(),
        ],
    )
    return logger.info  # type: ignore[no-any-return]  # structlog's loggers are of any type
