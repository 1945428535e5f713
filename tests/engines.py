"""Real engines for tests: a PostgreSQL with TimescaleDB, and Mosquitto as we ship it.

They are the ones the embedded stack runs on, unpacked once into its home, started on free ports in
a folder that is deleted afterwards. They die with the test run, even when it is killed.

`database_url`     a fresh migrated database for one test, cloned from a template
`empty_database_url` the same without our tables
`database_server`  a whole server for one test, which may kill, stop and start it
`broker`           a Mosquitto for one test, which may kill, stop and start it
"""

import asyncio
import os
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field, replace
from itertools import count
from pathlib import Path

import psycopg
import pytest

from fleet.db.migrate import migrate
from fleet.db.pool import connect
from fleet.mqtt.credentials import terminal_password
from tellergrid.engines.locate import Engines, MosquittoEngine, PostgresEngine, locate
from tellergrid.stack import mosquitto, postgres, process
from tellergrid.stack.home import Home, open_home
from tellergrid.stack.ports import LOOPBACK, free_port
from tellergrid.stack.rights import engine_rights, give
from tests.machine import PATIENCE_S

_REPOSITORY = Path(__file__).parents[1]
TERMINAL_SECRET = "the terminals' secret in tests"
_TEMPLATE = "tellergrid_template"
_CONNACK = b"\x20"


@dataclass(slots=True)
class DatabaseServer:
    """A PostgreSQL server; `kill` is a crash, `stop` and `start` are orderly."""

    cluster: postgres.Cluster
    log: Path
    _running: "subprocess.Popen[bytes] | None" = field(default=None, init=False)

    @property
    def url(self) -> str:
        """The URL of a migrated database on it."""
        return self.cluster.url(_TEMPLATE)

    def start(self) -> None:
        """Start it and wait until it takes connections."""
        postgres.clear_leftovers(self.cluster)
        postgres.prepare(self.cluster)
        self._running = process.start(postgres.program(self.cluster), self.log)
        postgres.wait_ready(self.cluster, self._running, self.log, PATIENCE_S)

    def stop(self) -> None:
        """Stop it in order: open connections are cut, nothing committed is lost."""
        if self._running is not None:
            process.stop(self._running, signal.SIGINT, PATIENCE_S)

    def kill(self) -> None:
        """Crash it: SIGKILL to the server and all its processes."""
        assert self._running is not None
        self._signal(signal.SIGKILL)
        self._running.wait()

    def freeze(self) -> None:
        """Let it hang: nothing answers until `thaw`."""
        self._signal(signal.SIGSTOP)

    def thaw(self) -> None:
        """Let it go on after `freeze`."""
        self._signal(signal.SIGCONT)

    def _signal(self, number: signal.Signals) -> None:
        """To the server, then to its processes, of which each is a process group of its own."""
        assert self._running is not None
        server = self._running.pid
        os.kill(server, signal.SIGSTOP)  # that it starts none meanwhile
        children = Path(f"/proc/{server}/task/{server}/children").read_text(encoding="ascii")
        os.kill(server, number)
        for child in children.split():
            with suppress(ProcessLookupError):  # it may have ended by itself
                os.kill(int(child), number)


@dataclass(slots=True)
class BrokerServer:
    """A Mosquitto as shipped, with the service accounts; terminals are added by name.

    It keeps its port and its queues over `stop` and `start`; `kill` loses what was not saved.
    """

    files: mosquitto.BrokerFiles
    log: Path
    _terminals: set[str] = field(default_factory=set, init=False)
    _running: "subprocess.Popen[bytes] | None" = field(default=None, init=False)

    host = LOOPBACK
    terminal_secret = TERMINAL_SECRET

    @property
    def port(self) -> int:
        """The port it listens on, the same over restarts."""
        return self.files.port

    @property
    def pid(self) -> int:
        """Its process."""
        assert self._running is not None
        return self._running.pid

    def password(self, username: str) -> str:
        """The password of a service account or of a terminal."""
        if username in mosquitto.SERVICE_ACCOUNTS:
            return f"password of {username}"
        return terminal_password(TERMINAL_SECRET, username)

    def url(self, username: str) -> str:
        """`mqtt://user:password@host:port` for an account."""
        password = self.password(username).replace(" ", "%20")
        return f"mqtt://{username}:{password}@{self.host}:{self.port}"

    def add_terminals(self, *terminals: str) -> None:
        """Let terminals log in; returns when the running broker knows them."""
        self._terminals.update(terminals)
        mosquitto.write_accounts(self.files.folder, self._accounts(), self.files.rights)
        assert self._running is not None
        self._running.send_signal(signal.SIGHUP)
        deadline = time.monotonic() + PATIENCE_S
        while not all(self.accepts(terminal) for terminal in terminals[-1:]):
            assert time.monotonic() < deadline, "the broker did not read its accounts again"
            time.sleep(0.01)

    def accepts(self, username: str) -> bool:
        """Whether an account may log in."""
        return accepts(self.port, username, self.password(username))

    def publish(
        self,
        topic: str,
        payload: bytes,
        username: str = "tester",
        *,
        retain: bool = False,
        each_line: bool = False,
    ) -> None:
        """Publish with `mosquitto_pub`, a client that is not ours, at QoS 1 over MQTT 5.

        With `each_line` each is a message, and they follow one another at once.
        """
        command = [str(self.files.engine.clients / "mosquitto_pub"), "-V", "5", "-q", "1"]
        command += ["-l" if each_line else "-s"]
        command += ["-h", self.host, "-p", str(self.port), "-t", topic]
        command += ["-u", username, "-P", self.password(username)]
        subprocess.run(
            [*command, "-r"] if retain else command, input=payload, check=True, timeout=PATIENCE_S
        )

    def start(self) -> None:
        """Start it on its port and wait until it listens."""
        mosquitto.prepare(self.files, self._accounts())
        self._running = process.start(mosquitto.program(self.files), self.log)
        mosquitto.wait_ready(self.files, self._running, self.log, PATIENCE_S)

    def stop(self) -> None:
        """Stop it in order: queues are saved."""
        if self._running is not None:
            process.stop(self._running, signal.SIGTERM, PATIENCE_S)

    def kill(self) -> None:
        """Crash it."""
        assert self._running is not None
        self._running.kill()
        self._running.wait()

    def _accounts(self) -> dict[str, str]:
        names = (*mosquitto.SERVICE_ACCOUNTS, *sorted(self._terminals))
        return {name: self.password(name) for name in names}


def shared_home() -> Home:
    """The home whose engines every test uses: the repository's, unless another is named."""
    return open_home(Path(os.environ.get("TELLERGRID_HOME", _REPOSITORY / ".tellergrid")))


@pytest.fixture(scope="session")
def engines() -> Engines:
    """The engines, unpacked on first use."""
    return locate(shared_home().engines, lambda _what, _share: None)


@pytest.fixture(scope="session")
def engine_folder() -> Iterator[Path]:
    """A folder the engines' user may enter, which pytest's own is not when root tests."""
    folder = Path(tempfile.mkdtemp(prefix="tellergrid-test-"))
    folder.chmod(0o711)
    yield folder
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(scope="session")
def postgres_engine(engines: Engines) -> PostgresEngine:
    """PostgreSQL with TimescaleDB."""
    assert engines.postgres is not None
    return engines.postgres


@pytest.fixture(scope="session")
def mosquitto_engine(engines: Engines) -> MosquittoEngine:
    """Mosquitto and its clients."""
    assert engines.mosquitto is not None
    return engines.mosquitto


@pytest.fixture(scope="session")
def shared_database_server(
    postgres_engine: PostgresEngine, engine_folder: Path
) -> Iterator[DatabaseServer]:
    """One server for the whole run, with the migrated template; not for killing."""
    cluster = postgres.Cluster(
        postgres_engine,
        engine_folder / "database",
        free_port(),
        password="in tests",
        rights=engine_rights(),
        durable=False,
    )
    server = DatabaseServer(cluster, engine_folder / "database.log")
    server.start()
    _administer(cluster, f"CREATE DATABASE {_TEMPLATE}")
    asyncio.run(_migrate(server.url))
    # Nobody may connect to it, TimescaleDB's own workers included: a database in use is not cloned.
    _administer(cluster, f"ALTER DATABASE {_TEMPLATE} ALLOW_CONNECTIONS false")
    _administer(
        cluster,
        f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname='{_TEMPLATE}'",
    )
    yield server
    server.stop()


@pytest.fixture
def database_url(shared_database_server: DatabaseServer) -> Iterator[str]:
    """The URL of a migrated database of the test's own."""
    yield from _cloned(shared_database_server.cluster, _TEMPLATE)


@pytest.fixture
def second_database_url(shared_database_server: DatabaseServer) -> Iterator[str]:
    """Another one, for a test that compares."""
    yield from _cloned(shared_database_server.cluster, _TEMPLATE)


@pytest.fixture
def empty_database_url(shared_database_server: DatabaseServer) -> Iterator[str]:
    """The URL of a database of the test's own, not migrated."""
    yield from _cloned(shared_database_server.cluster, "template0")


@pytest.fixture(scope="session")
def stopped_database(
    shared_database_server: DatabaseServer, engine_folder: Path
) -> postgres.Cluster:
    """A stopped, migrated cluster, from which servers for one test are copied."""
    shared = shared_database_server.cluster
    cluster = replace(shared, data=engine_folder / "stopped", port=free_port())
    server = DatabaseServer(cluster, engine_folder / "stopped.log")
    server.start()
    _administer(cluster, f"CREATE DATABASE {_TEMPLATE}")
    asyncio.run(_migrate(server.url))
    server.stop()
    return cluster


@pytest.fixture
def database_server(stopped_database: postgres.Cluster) -> Iterator[DatabaseServer]:
    """A server of the test's own, migrated, durable, running; the test may kill it."""
    with own_database(stopped_database) as server:
        yield server


@pytest.fixture
def broker(mosquitto_engine: MosquittoEngine, engine_folder: Path) -> Iterator[BrokerServer]:
    """A broker of the test's own, running; the test may kill it."""
    with own_broker(mosquitto_engine, engine_folder) as server:
        yield server


@contextmanager
def own_database(stopped: postgres.Cluster) -> Iterator[DatabaseServer]:
    """A durable copy of a stopped server, running inside the block."""
    data = stopped.data.with_name(f"server-{next(_NUMBERS)}")
    shutil.copytree(stopped.data, data)
    for path in (data, *data.rglob("*")):
        give(path, stopped.rights)
    cluster = replace(stopped, data=data, port=free_port(), durable=True)
    server = DatabaseServer(cluster, data.with_suffix(".log"))
    server.start()
    try:
        yield server
    finally:
        server.stop()
        shutil.rmtree(data)


@contextmanager
def own_broker(engine: MosquittoEngine, parent: Path) -> Iterator[BrokerServer]:
    """A broker with a folder and a port of its own, running inside the block."""
    folder = parent / f"broker-{next(_NUMBERS)}"
    files = mosquitto.BrokerFiles(engine, folder, free_port(), engine_rights())
    server = BrokerServer(files, folder.with_suffix(".log"))
    server.start()
    try:
        yield server
    finally:
        server.stop()
        shutil.rmtree(folder)


_NUMBERS = count(1)


def _cloned(cluster: postgres.Cluster, template: str) -> Iterator[str]:
    name = f"test_{next(_NUMBERS)}"
    # Copying files is the faster way where nothing is synced to disk.
    _administer(cluster, f"CREATE DATABASE {name} TEMPLATE {template} STRATEGY file_copy")
    yield cluster.url(name)
    _administer(cluster, f"DROP DATABASE {name} WITH (FORCE)")


def _administer(cluster: postgres.Cluster, statement: str) -> None:
    with psycopg.connect(cluster.url("postgres"), autocommit=True) as connection:
        connection.execute(statement.encode())


async def _migrate(url: str) -> None:
    connection = await connect(url, name="test", autocommit=True)
    try:
        await migrate(connection)
    finally:
        await connection.close()


def accepts(port: int, username: str, password: str) -> bool:
    """Whether a broker lets an account in, asked with the plainest CONNECT there is."""
    with socket.create_connection((LOOPBACK, port), timeout=PATIENCE_S) as connection:
        connection.sendall(_connect_packet(username, password))
        answer = connection.recv(4)
        return answer[:1] == _CONNACK and answer[3] == 0


def _connect_packet(username: str, password: str) -> bytes:
    def text(value: str) -> bytes:
        return len(value).to_bytes(2) + value.encode()

    # MQTT 5, clean start, with a name and a password, keep-alive 30 s, no properties.
    rest = text("MQTT") + b"\x05\xc2\x00\x1e\x00" + text("") + text(username) + text(password)
    assert len(rest) < 128, "its length would take more than one byte"
    return b"\x10" + bytes([len(rest)]) + rest
