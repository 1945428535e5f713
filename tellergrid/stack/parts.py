"""The parts of the stack in the order they start: each knows how to run and when it is ready."""

import subprocess
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import httpx

from tellergrid.stack import mosquitto, postgres
from tellergrid.stack.errors import StartError
from tellergrid.stack.process import Program
from tellergrid.stack.wiring import Fleet, Wiring

_READY_PATIENCE_S = 60.0

Process = subprocess.Popen[bytes]


def _nothing() -> None:
    """Do nothing."""


@dataclass(frozen=True, slots=True)
class Part:
    """One child process: `before` runs ahead of every start, `ready` returns once it serves.

    `ready` raises StartError when the process ends instead, or takes too long.
    """

    name: str
    program: Program
    log: Path
    ready: Callable[[Process], None]
    before: Callable[[], None] = field(default=_nothing)


def engine_parts(wiring: Wiring, terminals: tuple[str, ...]) -> Iterator[Part]:
    """Yield the embedded engines, those that are not named from outside."""
    if (cluster := wiring.cluster) is not None:
        log = wiring.home.log("database")

        def prepare_database() -> None:
            postgres.clear_leftovers(cluster)
            postgres.prepare(cluster)

        def database_ready(process: Process) -> None:
            postgres.wait_ready(cluster, process, log)

        yield Part("database", postgres.program(cluster), log, database_ready, prepare_database)
    if (files := wiring.broker_files) is not None:
        broker_log = wiring.home.log("broker")

        def prepare_broker() -> None:
            mosquitto.prepare(files, wiring.broker_passwords(terminals))

        def broker_ready(process: Process) -> None:
            mosquitto.wait_ready(files, process, broker_log)

        yield Part("broker", mosquitto.program(files), broker_log, broker_ready, prepare_broker)


def service_parts(wiring: Wiring, fleet: Fleet | None) -> Iterator[Part]:
    """Yield our own services; the simulator when it has a fleet to play."""
    settings = wiring.settings
    collector, api = wiring.collector(), wiring.api()
    yield _web("collector", collector, wiring, f"{settings.collector_url}/readyz")
    yield _web("api", api, wiring, f"{settings.api_url}/readyz")
    if fleet is not None:
        # Its terminals connect while people already read the page: being alive is enough.
        log = wiring.home.log("simulator")
        yield Part("simulator", wiring.simulator(fleet), log, lambda _process: None)


def _web(name: str, program: Program, wiring: Wiring, url: str) -> Part:
    log = wiring.home.log(name)

    def ready(process: Process) -> None:
        deadline = time.monotonic() + _READY_PATIENCE_S
        with httpx.Client(timeout=2, trust_env=False) as client:
            while time.monotonic() < deadline and process.poll() is None:
                try:
                    if client.get(url).is_success:
                        return
                except httpx.TransportError:
                    pass
                time.sleep(0.05)
        raise StartError(f"The {name} did not start. The end of {log}:\n{postgres.tail(log)}")

    return Part(name, program, log, ready)
