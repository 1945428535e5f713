"""Finds the engines: installed ones that are good enough, else a private copy."""

import re
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from tellergrid.engines import recipe
from tellergrid.engines.assemble import Progress, assemble

# Before 2.0.13 Mosquitto ignores Receive Maximum once a session is resumed.
OLDEST_MOSQUITTO = (2, 0, 13)
OLDEST_POSTGRES = 15


@dataclass(frozen=True, slots=True)
class PostgresEngine:
    """PostgreSQL with TimescaleDB: the folder of its programs, its major version."""

    bin: Path
    major: int
    versions: dict[str, str]


@dataclass(frozen=True, slots=True)
class MosquittoEngine:
    """The Mosquitto broker, and the clients people try it with."""

    broker: Path
    clients: Path
    versions: dict[str, str]


@dataclass(frozen=True, slots=True)
class Engines:
    """What the embedded stack runs on; None where an engine elsewhere is used instead."""

    postgres: PostgresEngine | None
    mosquitto: MosquittoEngine | None


def locate(
    folder: Path, progress: Progress, *, postgres: bool = True, mosquitto: bool = True
) -> Engines:
    """Return the engines asked for; private copies live under `folder`. Raises EnginesError."""
    database = installed_postgres() if postgres else None
    broker = installed_mosquitto() if mosquitto else None
    missing = []
    if postgres and database is None:
        missing.append(recipe.POSTGRES)
    if mosquitto and broker is None:
        missing.append(recipe.MOSQUITTO)
    if missing:
        wanted = missing[0] if len(missing) == 1 else missing[0] + missing[1]
        copy = assemble(wanted, folder, progress)
        if recipe.POSTGRES in missing:
            database = _postgres(copy.root / "usr/lib/postgresql/17/bin")
        if recipe.MOSQUITTO in missing:
            broker = _mosquitto(copy.root / "usr/sbin/mosquitto", copy.root / "usr/bin")
    return Engines(database, broker)


def installed_postgres() -> PostgresEngine | None:
    """Find the newest installed PostgreSQL that has TimescaleDB."""
    found = [
        engine
        for folder in _postgres_folders()
        if (engine := _postgres(folder)) is not None and engine.major >= OLDEST_POSTGRES
    ]
    return max(found, key=lambda engine: engine.major, default=None)


def installed_mosquitto() -> MosquittoEngine | None:
    """Find an installed Mosquitto that is recent enough and has its clients."""
    broker = shutil.which("mosquitto") or shutil.which(
        "mosquitto", path="/usr/sbin:/usr/local/sbin:/opt/mosquitto/sbin"
    )
    client = shutil.which("mosquitto_pub")
    if broker is None or client is None or shutil.which("mosquitto_sub") is None:
        return None
    engine = _mosquitto(Path(broker), Path(client).parent)
    return engine if engine is not None and _recent(engine.versions["mosquitto"]) else None


def _postgres_folders() -> Iterator[Path]:
    for program in ("postgres", "pg_config"):
        if (found := shutil.which(program)) is not None:
            yield Path(found).resolve().parent
    yield from Path("/usr/lib/postgresql").glob("*/bin")
    yield from Path("/usr").glob("pgsql-*/bin")


def _postgres(folder: Path) -> PostgresEngine | None:
    """Look at one folder of PostgreSQL programs; None when TimescaleDB is not beside them."""
    major = _version([folder / "postgres", "--version"], r"(\d+)")
    if major is None or not (folder / "initdb").exists():
        return None
    for share in _share_folders(folder, major):
        control = share / "extension/timescaledb.control"
        if control.exists():
            timescale = re.search(r"default_version\s*=\s*'([^']+)'", control.read_text())
            versions = {
                "postgresql": _version([folder / "postgres", "--version"], r"([\d.]+)") or major,
                "timescaledb": timescale[1] if timescale else "unknown",
            }
            return PostgresEngine(folder, int(major), versions)
    return None


def _share_folders(folder: Path, major: str) -> Iterator[Path]:
    if (folder / "pg_config").exists():
        told = _version([folder / "pg_config", "--sharedir"], r"(.+)")
        if told is not None:
            yield Path(told)
    yield folder.parents[3] / f"share/postgresql/{major}"  # Debian: /usr/lib/postgresql/17/bin
    yield folder.parent / "share"
    yield folder.parent / "share/postgresql"


def _mosquitto(broker: Path, clients: Path) -> MosquittoEngine | None:
    version = _version([broker, "-h"], r"mosquitto version ([\d.]+)")
    return MosquittoEngine(broker, clients, {"mosquitto": version}) if version else None


def _recent(version: str) -> bool:
    return tuple(int(part) for part in version.split(".")) >= OLDEST_MOSQUITTO


def _version(command: list[Path | str], pattern: str) -> str | None:
    try:
        answer = subprocess.run(command, capture_output=True, text=True, check=False, timeout=10)
    except (OSError, subprocess.TimeoutExpired):
        return None
    found = re.search(pattern, answer.stdout)
    return found[1].strip() if found else None
