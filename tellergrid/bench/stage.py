"""Engines for one benchmark: as shipped, on free ports, in a folder that goes afterwards."""

import asyncio
import os
import secrets
import shutil
import signal
import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from fleet.db.migrate import migrate
from fleet.db.pool import connect
from tellergrid.engines.locate import locate
from tellergrid.settings import Settings
from tellergrid.stack import mosquitto, postgres, process
from tellergrid.stack.errors import StackError
from tellergrid.stack.home import open_home
from tellergrid.stack.ports import LOOPBACK, free_port
from tellergrid.stack.rights import engine_rights

_TICKS = os.sysconf("SC_CLK_TCK")


@dataclass(frozen=True, slots=True)
class Stage:
    """A running database and broker."""

    database_url: str
    broker_port: int
    passwords: dict[str, str]
    folder: Path
    database_pid: int
    broker_pid: int

    def broker_url(self, account: str) -> str:
        """The broker, as one of its accounts."""
        return f"mqtt://{account}:{self.passwords[account]}@{LOOPBACK}:{self.broker_port}"

    def cpu_s(self) -> dict[str, float]:
        """CPU time of the engines so far."""
        return {"broker": cpu_s(self.broker_pid), "database": cpu_s(self.database_pid, family=True)}


@contextmanager
def staged(progress: Callable[[str], None]) -> Iterator[Stage]:
    """Start both; each commit's instant is kept, to measure from publish to commit."""
    engines = locate(open_home(Settings().home).engines, lambda what, _share: progress(what))
    if engines.postgres is None or engines.mosquitto is None:
        raise StackError(
            "bench ingest measures engines of its own: unset TELLERGRID_DATABASE_URL and"
            " TELLERGRID_BROKER_URL."
        )
    folder = Path(tempfile.mkdtemp(prefix="tellergrid-bench-"))
    folder.chmod(0o711)
    rights = engine_rights()
    cluster = postgres.Cluster(
        engines.postgres, folder / "database", free_port(), secrets.token_hex(16), rights
    )
    files = mosquitto.BrokerFiles(engines.mosquitto, folder / "broker", free_port(), rights)
    passwords = {name: secrets.token_hex(16) for name in mosquitto.SERVICE_ACCOUNTS}
    with ExitStack() as stack:
        stack.callback(shutil.rmtree, folder, ignore_errors=True)
        progress("starting a database and a broker")
        postgres.prepare(cluster)
        program = postgres.program(cluster)
        program = replace(program, command=(*program.command, "-c", "track_commit_timestamp=on"))
        log = folder / "database.log"
        database = process.start(program, log)
        stack.callback(process.stop, database, program.stop_signal)
        postgres.wait_ready(cluster, database, log)
        postgres.create_database(cluster)
        mosquitto.prepare(files, passwords)
        broker_log = folder / "broker.log"
        broker = process.start(mosquitto.program(files), broker_log)
        stack.callback(process.stop, broker, signal.SIGTERM)
        mosquitto.wait_ready(files, broker, broker_log)
        asyncio.run(_migrate(cluster.url()))
        yield Stage(cluster.url(), files.port, passwords, folder, database.pid, broker.pid)


@contextmanager
def broker_alone(
    progress: Callable[[str], None], terminals: Mapping[str, str]
) -> Iterator[tuple[int, dict[str, str], Path]]:
    """Start a broker that lets these terminals in; yields its port, passwords and folder."""
    engines = locate(open_home(Settings().home).engines, lambda what, _share: progress(what))
    if engines.mosquitto is None:
        raise StackError("This measures a broker of its own: unset TELLERGRID_BROKER_URL.")
    folder = Path(tempfile.mkdtemp(prefix="tellergrid-bench-"))
    folder.chmod(0o711)
    files = mosquitto.BrokerFiles(
        engines.mosquitto, folder / "broker", free_port(), engine_rights()
    )
    passwords = {name: secrets.token_hex(16) for name in mosquitto.SERVICE_ACCOUNTS}
    with ExitStack() as stack:
        stack.callback(shutil.rmtree, folder, ignore_errors=True)
        mosquitto.prepare(files, passwords | dict(terminals))
        progress("starting a broker")
        log = folder / "broker.log"
        broker = process.start(mosquitto.program(files), log)
        stack.callback(process.stop, broker, signal.SIGTERM)
        mosquitto.wait_ready(files, broker, log)
        yield files.port, passwords, folder


def cpu_s(pid: int, *, family: bool = False) -> float:
    """CPU time of a process; with `family` also of its children, those that ended included."""
    own = _ticks(pid, ended_children=family)
    if family:
        own += sum(_ticks(child) for child in _children(pid))
    return own / _TICKS


def rss_mib(pid: int) -> float:
    """Resident memory of a process."""
    pages = int(Path(f"/proc/{pid}/statm").read_text(encoding="ascii").split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 2**20


def _ticks(pid: int, *, ended_children: bool = False) -> int:
    try:
        fields = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()
    except OSError:
        return 0
    times = [int(each) for each in fields[11:15]]
    return sum(times if ended_children else times[:2])


def _children(pid: int) -> list[int]:
    found: list[int] = []
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            parent = stat.read_text(encoding="utf-8").rpartition(")")[2].split()[1]
        except OSError:
            continue
        if int(parent) == pid:
            found.append(int(stat.parent.name))
    return found


async def _migrate(url: str) -> None:
    async with await connect(url, name="bench", autocommit=True) as connection:
        await migrate(connection)
