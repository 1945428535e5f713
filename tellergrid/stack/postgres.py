"""The embedded PostgreSQL: made once, configured at each start, asked when it is ready."""

import shutil
import signal
import subprocess
import time
from dataclasses import dataclass, field
from importlib import resources
from pathlib import Path
from urllib.parse import quote

import psycopg

from fleet.db import sql
from tellergrid.engines.locate import PostgresEngine
from tellergrid.stack.errors import StackError, StartError
from tellergrid.stack.ports import LOOPBACK
from tellergrid.stack.process import Program, end, started_ticks
from tellergrid.stack.rights import Rights, give, own_folder

USER = "tellergrid"
DATABASE = "tellergrid"
_SQL = sql.load("tellergrid.stack", "postgres")
_HBA = "host all all 127.0.0.1/32 scram-sha-256\n"
# Background workers: TimescaleDB's scheduler, one a database, and what it starts.
_BACKGROUND_WORKERS = 4
_OTHER_WORKERS = 8


@dataclass(frozen=True, slots=True)
class Cluster:
    """A database cluster: where it is, who may enter. `durable` off is for tests alone."""

    engine: PostgresEngine
    data: Path
    port: int
    password: str = field(repr=False)
    rights: Rights | None = None
    durable: bool = True
    background_workers: int = _BACKGROUND_WORKERS

    def url(self, database: str = DATABASE) -> str:
        """Return how its owner reaches one of its databases."""
        return self.url_as(USER, self.password, database)

    def url_as(self, user: str, password: str, database: str = DATABASE) -> str:
        """Return how somebody else does."""
        return f"postgresql://{user}:{quote(password, safe='')}@{LOOPBACK}:{self.port}/{database}"


def prepare(cluster: Cluster) -> None:
    """Make the cluster if it is not there, and write its configuration.

    A killed attempt leaves only a folder that the next one clears away.
    """
    if not (cluster.data / "PG_VERSION").exists():
        _initialise(cluster)
    made_by = (cluster.data / "PG_VERSION").read_text().strip()
    if made_by != str(cluster.engine.major):
        raise StackError(
            f"The data in {cluster.data} were written by PostgreSQL {made_by}, and PostgreSQL "
            f"{cluster.engine.major} is what was found. Dump and restore them, or start afresh "
            "with `tellergrid clean`."
        )
    for name, text in (("postgresql.conf", configuration(cluster)), ("pg_hba.conf", _HBA)):
        path = cluster.data / name
        path.write_text(text)
        give(path, cluster.rights)


def configuration(cluster: Cluster) -> str:
    """Render `postgresql.conf`."""
    template = resources.files("tellergrid.stack").joinpath("postgresql.conf").read_text()
    return template.format(
        port=cluster.port,
        fsync="on" if cluster.durable else "off",
        background_workers=cluster.background_workers,
        worker_processes=cluster.background_workers + _OTHER_WORKERS,
    )


def program(cluster: Cluster) -> Program:
    """Say how the cluster is run; SIGINT is its fast shutdown."""
    return Program(
        name="database",
        command=(str(cluster.engine.bin / "postgres"), "-D", str(cluster.data)),
        environment={"LC_ALL": "C"},
        stop_signal=signal.SIGINT,
        rights=cluster.rights,
        folder=cluster.data,
    )


def clear_leftovers(cluster: Cluster) -> None:
    """End a database that a killed supervisor left on our data, and drop its stale pid file.

    PostgreSQL itself refuses to start when the number in that file is any living process of the
    same user, ours or not.
    """
    pid_file = cluster.data / "postmaster.pid"
    try:
        pid = int(pid_file.read_text().splitlines()[0])
    except (OSError, ValueError, IndexError):
        pid_file.unlink(missing_ok=True)
        return
    ticks = started_ticks(pid)
    if ticks is not None and _works_in(pid, cluster.data):
        end(pid, ticks, signal.SIGINT)
    pid_file.unlink(missing_ok=True)


def wait_ready(
    cluster: Cluster, process: "subprocess.Popen[bytes]", log: Path, patience_s: float = 60.0
) -> None:
    """Return once the cluster takes connections; raise StartError when it ends or takes too long.

    After a crash it replays its journal first, which may take a while.
    """
    deadline = time.monotonic() + patience_s
    while time.monotonic() < deadline:
        if process.poll() is not None:
            break
        try:
            psycopg.connect(cluster.url("postgres"), connect_timeout=2).close()
        except psycopg.OperationalError:
            time.sleep(0.05)
        else:
            return
    raise StartError(f"The database did not start. The end of {log}:\n{tail(log)}")


def create_database(cluster: Cluster) -> None:
    """Create the stack's database with its extension, unless they are there."""
    with psycopg.connect(cluster.url("postgres"), autocommit=True) as connection:
        if connection.execute(_SQL["is_database"], (DATABASE,)).fetchone() is None:
            connection.execute(_SQL["create_database"])
    with psycopg.connect(cluster.url(), autocommit=True) as connection:
        connection.execute(_SQL["create_extension"])


def tail(log: Path, lines: int = 15) -> str:
    """Return the end of a log."""
    try:
        return "\n".join(log.read_text(errors="replace").splitlines()[-lines:])
    except OSError:
        return "(there is none)"


def _initialise(cluster: Cluster) -> None:
    """Run initdb in a folder beside the data, and rename it when it is whole."""
    making = cluster.data.with_name(f"{cluster.data.name}.making")
    shutil.rmtree(making, ignore_errors=True)
    own_folder(making, cluster.rights)
    secret = making.with_name(f"{making.name}.password")
    secret.touch(mode=0o600)
    secret.write_text(cluster.password)
    give(secret, cluster.rights)
    command = [str(cluster.engine.bin / "initdb"), "-D", str(making), "--username", USER]
    command += ["--pwfile", str(secret), "--auth", "scram-sha-256", "--encoding", "UTF8"]
    command += ["--no-locale", "--data-checksums"]
    rights = cluster.rights
    answer = subprocess.run(
        command if cluster.durable else [*command, "--no-sync"],
        user=rights.uid if rights else None,
        group=rights.gid if rights else None,
        extra_groups=[] if rights else None,
        cwd=making,
        env={"LC_ALL": "C", "PATH": "/usr/bin:/bin"},
        capture_output=True,
        text=True,
        check=False,
    )
    secret.unlink()
    if answer.returncode != 0:
        raise StartError(f"initdb failed:\n{answer.stdout}{answer.stderr}")
    making.rename(cluster.data)


def _works_in(pid: int, folder: Path) -> bool:
    """Say whether a process has a folder as its own; PostgreSQL works in its data folder."""
    try:
        return Path(f"/proc/{pid}/cwd").resolve(strict=True) == folder.resolve()
    except OSError:
        return False
