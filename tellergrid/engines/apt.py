"""An apt of our own: the machine's mirror and keys, but no file shared with the machine's apt.

Works without root and changes nothing outside its folder. Signatures are checked as ever; an
empty status file makes apt resolve every dependency, so what is unpacked stands on its own.
"""

import os
import shutil
import subprocess
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from fnmatch import fnmatch
from pathlib import Path
from urllib.parse import unquote

from tellergrid.engines import sources
from tellergrid.engines.errors import (
    EnginesError,
    NoAptError,
    NotDebianError,
    OfflineError,
    UnverifiedError,
)

_KEYRINGS = (
    "/usr/share/keyrings/debian-archive-keyring.gpg",
    "/usr/share/keyrings/debian-archive-keyring.pgp",
)
_CONFIGURATION = """\
Dir::Etc::sourcelist "{root}/debian.sources";
Dir::Etc::sourceparts "{root}/none.d";
Dir::Etc::preferences "{root}/none";
Dir::Etc::preferencesparts "{root}/none.d";
Dir::State "{root}/state";
Dir::State::status "{root}/status";
Dir::Cache "{root}/cache";
Dir::Cache::pkgcache "";
Dir::Cache::srcpkgcache "";
Debug::NoLocking "true";
#clear APT::Architectures;
APT::Architecture "{architecture}";
APT::Architectures {{ "{architecture}"; }};
APT::Install-Recommends "false";
APT::Sandbox::User "";
APT::Update::Error-Mode "any";
APT::Get::AllowUnauthenticated "false";
Acquire::AllowInsecureRepositories "false";
Acquire::AllowWeakRepositories "false";
Acquire::Languages "none";
Acquire::Retries "3";
"""
_UNSIGNED = ("NO_PUBKEY", "is not signed", "signature", "Hash Sum mismatch", "EXPKEYSIG")
_UNREACHABLE = ("Could not resolve", "Failed to fetch", "Could not connect", "Temporary failure")

Waiting = Callable[[], None]


@dataclass(frozen=True, slots=True)
class Package:
    """A package as apt would fetch it."""

    name: str
    version: str
    size: int


class Apt:
    """apt-get over a private folder; `close` is never needed, the folder may be deleted."""

    def __init__(self, root: Path, suite: str) -> None:
        if shutil.which("apt-get") is None or shutil.which("dpkg-deb") is None:
            raise NoAptError("This machine has no apt, from which the engines would be unpacked.")
        self._configuration = root / "apt.conf"
        for folder in ("none.d", "state/lists/partial", "cache/archives/partial"):
            (root / folder).mkdir(parents=True, exist_ok=True)
        (root / "status").touch()
        (root / "debian.sources").write_text(sources.render(_mirror(), suite, _keyring()))
        self._configuration.write_text(
            _CONFIGURATION.format(root=root, architecture=architecture())
        )

    def update(self, waiting: Waiting) -> None:
        """Fetch and verify the suite's package lists."""
        self._run(["update"], waiting=waiting)

    def closure(self, names: Sequence[str], without: Iterable[str]) -> list[Package]:
        """Resolve packages and all they depend on, less those that match a pattern."""
        patterns = tuple(without)
        printed = self._run(["install", "-y", "--print-uris", *names])
        packages = [read_package(line) for line in printed.splitlines() if line.startswith("'")]
        return [p for p in packages if not any(fnmatch(p.name, pattern) for pattern in patterns)]

    def download(self, packages: Iterable[Package], into: Path, waiting: Waiting) -> None:
        """Fetch packages into a folder; each is checked against the signed lists."""
        into.mkdir(parents=True, exist_ok=True)
        named = [f"{package.name}={package.version}" for package in packages]
        self._run(["download", *named], folder=into, waiting=waiting)

    def _run(
        self,
        arguments: Sequence[str],
        *,
        folder: Path | None = None,
        waiting: Waiting | None = None,
    ) -> str:
        command = ["apt-get", "-q", "-c", str(self._configuration), *arguments]
        with subprocess.Popen(
            command,
            cwd=folder,
            env={**os.environ, "LC_ALL": "C", "DEBIAN_FRONTEND": "noninteractive"},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        ) as process:
            while True:
                try:
                    printed, complaints = process.communicate(timeout=0.2)
                    break
                except subprocess.TimeoutExpired:
                    if waiting is not None:
                        waiting()
        if process.returncode != 0:
            raise failure(arguments[0], complaints)
        return printed


def architecture() -> str:
    """Name this machine's architecture in Debian's words, such as `amd64`."""
    answer = subprocess.run(
        ["dpkg", "--print-architecture"], check=True, capture_output=True, text=True
    )
    return answer.stdout.strip()


def _mirror() -> sources.Mirror:
    """Find Debian's mirror in the machine's own configuration."""
    found: list[sources.Source] = []
    for path in _source_files():
        text = path.read_text(errors="replace")
        parse = sources.parse_deb822 if path.suffix == ".sources" else sources.parse_one_line
        found.extend(parse(text))
    mirror = sources.debian_mirror(found)
    if mirror is None:
        raise NotDebianError(
            "None of this machine's apt mirrors is Debian's, so the engines cannot be unpacked "
            "from it. Its own packages may do: a PostgreSQL with TimescaleDB, and Mosquitto 2.0.13 "
            "or later, are used when they are installed."
        )
    return mirror


def _source_files() -> list[Path]:
    """List the machine's sources files, wherever its apt says they are."""
    answer = subprocess.run(
        ["apt-config", "shell", "L", "Dir::Etc::sourcelist/f", "P", "Dir::Etc::sourceparts/d"],
        check=True,
        capture_output=True,
        text=True,
    ).stdout
    named = dict(line.split("=", 1) for line in answer.splitlines() if "=" in line)
    main = Path(named.get("L", "").strip("'") or "/etc/apt/sources.list")
    parts = Path(named.get("P", "").strip("'") or "/etc/apt/sources.list.d")
    paths = [main, *sorted(parts.glob("*.sources")), *sorted(parts.glob("*.list"))]
    return [path for path in paths if path.is_file()]


def _keyring() -> str | None:
    return next((path for path in _KEYRINGS if Path(path).is_file()), None)


def read_package(line: str) -> Package:
    """Read one line of `--print-uris`: 'uri' file size checksum."""
    _, file, size, *_ = line.split()
    name, version, _ = file.split("_", 2)
    return Package(name, unquote(version), int(size))


def failure(step: str, complaints: str) -> EnginesError:
    """Name what apt-get's complaints mean."""
    detail = "\n".join(complaints.strip().splitlines()[-6:])
    if any(word in complaints for word in _UNSIGNED):
        return UnverifiedError(
            "The mirror's signature could not be verified; the package debian-archive-keyring "
            "holds Debian's keys and may be missing or too old.",
            detail=detail,
        )
    if any(word in complaints for word in _UNREACHABLE):
        return OfflineError("The machine's Debian mirror could not be reached.", detail=detail)
    return EnginesError(f"apt-get {step} failed.", detail=detail)
