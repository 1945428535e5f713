"""Terminals that log in by certificates of their own, at a Mosquitto that takes nothing else."""

import asyncio
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from signal import SIGTERM

import pytest
from typer.testing import CliRunner

from fleet.mqtt import Broker
from simulator.app import simulate
from simulator.certificates import OURSELVES, Certificates
from simulator.control import Silence
from simulator.errors import CertificateError
from simulator.fleet import Fleet
from simulator.hands import ask
from tellergrid.cli import app
from tellergrid.commands.certificates import SERVER
from tellergrid.engines.locate import MosquittoEngine
from tellergrid.stack import mosquitto, process
from tellergrid.stack.ports import LOOPBACK, free_port
from tellergrid.stack.rights import engine_rights, give, own_folder
from tests.integration.simulator.test_fleet import Watcher, plan
from tests.machine import PATIENCE_S

TERMINALS = 6
LISTENER = """
listener {port} 127.0.0.1
cafile {folder}/ca.pem
certfile {folder}/broker.pem
keyfile {folder}/broker.key
require_certificate true
use_identity_as_username true
acl_file {folder}/access
persistence_location {folder}/
"""


@dataclass(frozen=True, slots=True)
class Guarded:
    """A broker that knows people by their certificates alone, and those there are."""

    port: int
    certificates: Certificates

    def seen_by(self, name: str) -> Broker:
        """As whoever has that certificate sees it."""
        return self.certificates.of(name, Broker.parse(f"mqtts://{LOOPBACK}:{self.port}"))


@pytest.fixture
def guarded(
    mosquitto_engine: MosquittoEngine, engine_folder: Path, tmp_path: Path
) -> Iterator[Guarded]:
    """The shipped configuration, with the one listener that the how-to shows."""
    made = CliRunner().invoke(
        app, ["certificates", str(tmp_path / "pem"), "--terminals", str(TERMINALS), "--json"]
    )
    assert made.exit_code == 0, made.output
    assert f'"made": {TERMINALS + len(mosquitto.SERVICE_ACCOUNTS) + 1}' in made.output
    certificates = Certificates(tmp_path / "pem")
    folder, rights, port = engine_folder / "guarded", engine_rights(), free_port()
    files = mosquitto.BrokerFiles(mosquitto_engine, own_folder(folder, rights), port, rights)
    mosquitto.write_accounts(folder, {}, rights)
    for name in ("ca.pem", f"{SERVER}.pem", f"{SERVER}.key"):
        (folder / name).write_bytes((certificates.folder / name).read_bytes())
    *_, common = mosquitto.configuration(files).split("\n\n", 3)
    files.configuration.write_text(LISTENER.format(port=port, folder=folder) + common)
    for path in folder.iterdir():
        give(path, rights)
    running = process.start(mosquitto.program(files), folder / "log")
    mosquitto.wait_ready(files, running, folder / "log")
    yield Guarded(port, certificates)
    process.stop(running, SIGTERM)


async def test_each_terminal_is_whom_its_certificate_names(
    guarded: Guarded, tmp_path: Path
) -> None:
    """No password anywhere: births, telemetry, wills and the tester's hands are all the same."""
    wanted = replace(plan(tmp_path, TERMINALS), certificates=guarded.certificates)
    ours, tester = guarded.seen_by(OURSELVES), guarded.seen_by("tester")
    watcher = Watcher(tester)
    watching = asyncio.create_task(watcher.run())
    async with asyncio.timeout(PATIENCE_S):
        await watcher.subscribed.wait()
    fleet = Fleet(wanted, ours, None)
    playing = asyncio.create_task(simulate(fleet, ours))
    await watcher.until(lambda: len(watcher.seen) == TERMINALS)
    await watcher.until(lambda: watcher.online == {*fleet.terminals})
    gone, *_ = fleet.terminals
    terminal = fleet.terminals[gone]
    terminal.take(terminal.device.set_by_hand({"offline": True}, fleet.now()))
    await watcher.until(lambda: gone not in watcher.online)
    assert (await ask(tester, Silence(gone))).ok
    assert fleet.figures.troubles == {}
    fleet.stop()
    await playing
    watching.cancel()
    with suppress(asyncio.CancelledError):
        await watching


async def test_who_cannot_log_in_is_named_before_anybody_connects(
    guarded: Guarded, tmp_path: Path
) -> None:
    """A certificate that is missing, or is none; a broker without TLS; shared connections."""
    certificates = guarded.certificates
    wanted = replace(plan(tmp_path, TERMINALS + 2), certificates=certificates)
    ours = guarded.seen_by(OURSELVES)
    with pytest.raises(CertificateError, match=r"no certificate for .*; tellergrid certificates"):
        await simulate(Fleet(wanted, ours, None), ours)
    shared = replace(wanted, terminals=TERMINALS, multiplex=2)
    with pytest.raises(CertificateError, match="leave out --multiplex"):
        await simulate(Fleet(shared, ours, None), ours)
    with pytest.raises(CertificateError, match="mqtts://"):
        certificates.of(OURSELVES, Broker.parse(f"mqtt://{LOOPBACK}:{guarded.port}"))
    certificates.pem("tester").write_text("nonsense")
    with pytest.raises(CertificateError, match=r"tester\.pem.*not certificates"):
        guarded.seen_by("tester")
