"""Sessions over TLS and mutual TLS, against a real Mosquitto, with the certificates of a fleet."""

import asyncio
import ssl
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from signal import SIGTERM

import pytest
import uvloop

import collector.settings
import simulator.settings
from fleet.mqtt import Broker, Connection, Filter, Message, Session, Unreachable, connect, trust
from simulator.certificates import Certificates
from tellergrid.certificates import Authority
from tellergrid.engines.locate import MosquittoEngine
from tellergrid.stack import mosquitto, process
from tellergrid.stack.ports import LOOPBACK, free_port
from tellergrid.stack.reach import broker
from tellergrid.stack.rights import engine_rights, give, own_folder
from tests.machine import PATIENCE_S

CONFIGURATION = """
per_listener_settings true
listener {plain} 127.0.0.1
allow_anonymous true
listener {tls} 127.0.0.1
allow_anonymous true
certfile {folder}/server.pem
keyfile {folder}/server.key
listener {mutual} 127.0.0.1
cafile {folder}/ca.pem
certfile {folder}/server.pem
keyfile {folder}/server.key
require_certificate true
use_identity_as_username true
use_username_as_clientid true
"""


@dataclass(frozen=True, slots=True)
class Secured:
    """A broker with a TLS listener and one that asks for certificates."""

    folder: Path
    tls: int
    mutual: int

    def trusted(self, name: str | None = None) -> ssl.SSLContext:
        """What trusts its authority, with a certificate of our own or without."""
        files = Certificates(self.folder)
        if name is None:
            return trust(files.pem("ca"))
        return trust(files.pem("ca"), files.pem(name), files.key(name))


@pytest.fixture(scope="module")
def secured(mosquitto_engine: MosquittoEngine, engine_folder: Path) -> Iterator[Secured]:
    folder, rights = engine_folder / "secured", engine_rights()
    own_folder(folder, rights)
    authority = Authority(Certificates(folder), timedelta(days=1))
    authority.issue(("ATM-0001", "ATM-0002"))
    authority.issue_server("server", [LOOPBACK])
    plain, tls, mutual = free_port(), free_port(), free_port()
    files = mosquitto.BrokerFiles(mosquitto_engine, folder, plain, rights)
    text = CONFIGURATION.format(folder=folder, plain=plain, tls=tls, mutual=mutual)
    files.configuration.write_text(text)
    for path in folder.iterdir():
        give(path, rights)
    running = process.start(mosquitto.program(files), folder / "log")
    mosquitto.wait_ready(files, running, folder / "log")
    yield Secured(folder, tls, mutual)
    process.stop(running, SIGTERM)


def ignore(_connection: Connection, _message: Message) -> None:
    """Nothing is heard."""


async def test_a_message_goes_there_and_back_over_tls(secured: Secured) -> None:
    heard: asyncio.Future[bytes] = asyncio.get_running_loop().create_future()
    broker = Broker(LOOPBACK, secured.tls, tls=secured.trusted())
    connection = await connect(broker, Session("one"), lambda _, m: heard.set_result(m.payload))
    await connection.subscribe([Filter("a/b")])
    await connection.publish("a/b", b"x" * 100_000)
    async with asyncio.timeout(PATIENCE_S):
        assert await heard == b"x" * 100_000
    await connection.disconnect()


async def all_gathered(broker: Broker, sizes: Sequence[int]) -> list[int]:
    """Payloads of these sizes as they come on a line that gathers."""
    heard: list[int] = []
    complete = asyncio.Event()

    def take(connection: Connection, message: Message) -> None:
        heard.append(len(message.payload))
        connection.acknowledge([message.packet_id or 0])
        if len(heard) == len(sizes):
            complete.set()

    listener = await connect(broker, Session("listener", gather_s=0.002), take)
    await listener.subscribe([Filter("a/b")])
    speaker = await connect(broker, Session("speaker", waiting_line=len(sizes)), ignore)
    for size in sizes:
        speaker.publish("a/b", bytes(size))
    async with asyncio.timeout(PATIENCE_S):
        await complete.wait()
    await listener.disconnect()
    await speaker.disconnect()
    return heard


@pytest.mark.parametrize("loop", [asyncio.new_event_loop, uvloop.new_event_loop])
def test_a_line_that_gathers_misses_nothing_over_tls(
    secured: Secured, loop: Callable[[], asyncio.AbstractEventLoop]
) -> None:
    """What was decrypted while nothing was read has no socket to announce it."""
    broker = Broker(LOOPBACK, secured.tls, tls=secured.trusted())
    sizes = [100_000 if n % 50 == 0 else n for n in range(1_000)]
    with asyncio.Runner(loop_factory=loop) as runner:
        assert runner.run(all_gathered(broker, sizes)) == sizes


async def test_a_broker_that_nobody_vouches_for_is_not_spoken_to(secured: Secured) -> None:
    broker = Broker(LOOPBACK, secured.tls, tls=ssl.create_default_context())
    with pytest.raises(Unreachable, match=r"(?i)certificate"):
        await connect(broker, Session("one"), ignore)


async def test_without_a_certificate_of_its_own_nobody_comes_in(secured: Secured) -> None:
    broker = Broker(LOOPBACK, secured.mutual, tls=secured.trusted())
    with pytest.raises(Unreachable):
        await connect(broker, Session("ATM-0001", connect_timeout_s=5), ignore)


async def test_a_terminal_is_whom_its_certificate_names(secured: Secured) -> None:
    """Another with a certificate of its own claims its client id, and does not throw it out."""
    first = Broker(LOOPBACK, secured.mutual, tls=secured.trusted("ATM-0001"))
    second = Broker(LOOPBACK, secured.mutual, tls=secured.trusted("ATM-0002"))
    honest = await connect(first, Session("ATM-0001"), ignore)
    impostor = await connect(second, Session("ATM-0001"), ignore)
    await honest.publish("a/b", b"still here")
    assert not honest.closed.done()
    await impostor.disconnect()
    await honest.disconnect()


def test_files_that_are_no_certificates_are_named(tmp_path: Path) -> None:
    nonsense = tmp_path / "nonsense.pem"
    nonsense.write_text("nonsense")
    with pytest.raises(ValueError, match=r"nonsense\.pem: not certificates"):
        trust(nonsense)


@pytest.mark.parametrize(
    "told",
    [
        lambda: collector.settings.Settings().broker,
        lambda: simulator.settings.Settings().broker,
        broker,
    ],
    ids=["collector", "simulator", "command line"],
)
async def test_a_service_is_told_by_its_environment(
    secured: Secured, monkeypatch: pytest.MonkeyPatch, told: Callable[[], Broker]
) -> None:
    """`mqtts://` with its authority and its own certificate: it comes in where one is asked for."""
    folder = secured.folder
    for name, value in (
        ("DATABASE_URL", "postgresql://nowhere"),
        ("BROKER_URL", f"mqtts://{LOOPBACK}:{secured.mutual}"),
        ("BROKER_CA", str(folder / "ca.pem")),
        ("BROKER_CERTIFICATE", str(folder / "ATM-0002.pem")),
        ("BROKER_KEY", str(folder / "ATM-0002.key")),
    ):
        monkeypatch.setenv(f"TELLERGRID_{name}", value)
    connection = await connect(told(), Session("any"), ignore)
    await connection.disconnect()
