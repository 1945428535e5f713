"""The session over TLS and mutual TLS, against a real Mosquitto; certificates are made here."""

import asyncio
import ipaddress
import ssl
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from signal import SIGTERM

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

import collector.settings
import simulator.settings
from fleet.mqtt import Broker, Connection, Filter, Message, Session, Unreachable, connect, trust
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


class Authority:
    """A certificate authority of this test's own."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._key = ec.generate_private_key(ec.SECP256R1())
        self._name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "the bank's authority")])
        constraints = x509.BasicConstraints(ca=True, path_length=0)
        self._write("ca", self._sign(self._name, self._key, constraints))

    def issue(self, name: str) -> None:
        """A certificate and its key, `name.pem` and `name.key`."""
        key = ec.generate_private_key(ec.SECP256R1())
        subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
        here = x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address(LOOPBACK))])
        self._write(name, self._sign(subject, key, here), key)

    def trusted(self, name: str | None = None) -> ssl.SSLContext:
        """A context that trusts this authority, with a certificate of our own or without."""
        authority = self.folder / "ca.pem"
        if name is None:
            return trust(authority)
        return trust(authority, self.folder / f"{name}.pem", self.folder / f"{name}.key")

    def _sign(
        self, subject: x509.Name, key: ec.EllipticCurvePrivateKey, extension: x509.ExtensionType
    ) -> x509.Certificate:
        now = datetime.now(UTC)
        return (
            x509.CertificateBuilder()
            .subject_name(subject)
            .issuer_name(self._name)
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - timedelta(minutes=5))
            .not_valid_after(now + timedelta(days=1))
            .add_extension(extension, critical=isinstance(extension, x509.BasicConstraints))
            .sign(self._key, hashes.SHA256())
        )

    def _write(
        self,
        name: str,
        certificate: x509.Certificate,
        key: ec.EllipticCurvePrivateKey | None = None,
    ) -> None:
        pem = serialization.Encoding.PEM
        (self.folder / f"{name}.pem").write_bytes(certificate.public_bytes(pem))
        if key is not None:
            private = serialization.PrivateFormat.PKCS8
            plain = serialization.NoEncryption()
            (self.folder / f"{name}.key").write_bytes(key.private_bytes(pem, private, plain))


@dataclass(frozen=True, slots=True)
class Secured:
    """A broker with a TLS listener and one that asks for certificates."""

    authority: Authority
    tls: int
    mutual: int


@pytest.fixture(scope="module")
def secured(mosquitto_engine: MosquittoEngine, engine_folder: Path) -> Iterator[Secured]:
    folder, rights = engine_folder / "secured", engine_rights()
    own_folder(folder, rights)
    authority = Authority(folder)
    for name in ("server", "ATM-0001", "ATM-0002"):
        authority.issue(name)
    plain, tls, mutual = free_port(), free_port(), free_port()
    files = mosquitto.BrokerFiles(mosquitto_engine, folder, plain, rights)
    text = CONFIGURATION.format(folder=folder, plain=plain, tls=tls, mutual=mutual)
    files.configuration.write_text(text)
    for path in folder.iterdir():
        give(path, rights)
    running = process.start(mosquitto.program(files), folder / "log")
    mosquitto.wait_ready(files, running, folder / "log")
    yield Secured(authority, tls, mutual)
    process.stop(running, SIGTERM)


def ignore(_connection: Connection, _message: Message) -> None:
    """Nothing is heard."""


async def test_a_message_goes_there_and_back_over_tls(secured: Secured) -> None:
    heard: asyncio.Future[bytes] = asyncio.get_running_loop().create_future()
    broker = Broker(LOOPBACK, secured.tls, tls=secured.authority.trusted())
    connection = await connect(broker, Session("one"), lambda _, m: heard.set_result(m.payload))
    await connection.subscribe([Filter("a/b")])
    await connection.publish("a/b", b"x" * 100_000)
    async with asyncio.timeout(PATIENCE_S):
        assert await heard == b"x" * 100_000
    await connection.disconnect()


async def test_a_broker_that_nobody_vouches_for_is_not_spoken_to(secured: Secured) -> None:
    broker = Broker(LOOPBACK, secured.tls, tls=ssl.create_default_context())
    with pytest.raises(Unreachable, match=r"(?i)certificate"):
        await connect(broker, Session("one"), ignore)


async def test_without_a_certificate_of_its_own_nobody_comes_in(secured: Secured) -> None:
    broker = Broker(LOOPBACK, secured.mutual, tls=secured.authority.trusted())
    with pytest.raises(Unreachable):
        await connect(broker, Session("ATM-0001", connect_timeout_s=5), ignore)


async def test_a_terminal_is_whom_its_certificate_names(secured: Secured) -> None:
    """Another with a certificate of its own claims its client id, and does not throw it out."""
    authority = secured.authority
    first = Broker(LOOPBACK, secured.mutual, tls=authority.trusted("ATM-0001"))
    second = Broker(LOOPBACK, secured.mutual, tls=authority.trusted("ATM-0002"))
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
    folder = secured.authority.folder
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
