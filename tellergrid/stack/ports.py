"""Whether a port is free, and who holds it when it is not."""

import errno
import pwd
import secrets
import socket
from collections.abc import Mapping
from pathlib import Path

from tellergrid.stack.errors import PortTakenError

LOOPBACK = "127.0.0.1"
_LISTENING = "0A"
_PROC = Path("/proc")
_OURS = range(10_000, 28_000)  # below what we listen on by default, and above what is well known
_TRIES = 1000
_given: set[int] = set()


def _variable(part: str) -> str:
    return f"TELLERGRID_{part.upper()}_PORT"


def require_each_its_own(wanted: Mapping[str, int]) -> None:
    """Raise PortTakenError where two parts are to listen on one port.

    All are free before the first one is started; then the second would never come, and whoever
    asks it whether it is well is answered by the first.
    """
    parts: dict[int, str] = {}
    for part, port in wanted.items():
        if (other := parts.setdefault(port, part)) != part:
            names = f"{_variable(other)} and {_variable(part)}"
            raise PortTakenError(f"{names} are both {port}: each part needs a port of its own.")


def require_free(port: int, part: str) -> None:
    """Raise PortTakenError, naming holder and remedy, when a part's port cannot be listened on."""
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((LOOPBACK, port))
        except OSError as problem:
            if problem.errno not in {errno.EADDRINUSE, errno.EACCES}:
                raise
            raise PortTakenError(
                f"Port {port}, wanted for the {part}, is held by {holder(port)}. "
                f"End that, or choose another port by {_variable(part)}."
            ) from problem


def free_port() -> int:
    """Return a port nothing listens on at this moment; no process is given one twice.

    It is none of those that the system takes for outgoing connections: one of these may be taken
    by anybody before it is listened on, or while who listens on it is started again.
    """
    outgoing = _outgoing()
    allowed = [port for port in _OURS if port not in outgoing and port not in _given]
    for _ in range(_TRIES if allowed else 0):
        port = secrets.choice(allowed)
        if _is_free(port):
            _given.add(port)
            return port
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        probe.bind((LOOPBACK, 0))
        any_port: int = probe.getsockname()[1]
        return any_port


def _is_free(port: int) -> bool:
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        try:
            probe.bind((LOOPBACK, port))
        except OSError:
            return False
    return True


def _outgoing() -> range:
    """The ports that the system takes for outgoing connections."""
    try:
        text = (_PROC / "sys/net/ipv4/ip_local_port_range").read_text()
    except OSError:
        return range(32_768, 61_000)
    lowest, highest = text.split()
    return range(int(lowest), int(highest) + 1)


def holder(port: int) -> str:
    """Describe the process that listens on a port, as well as /proc lets us see."""
    listening = {
        fields[9]: int(fields[7])
        for table in ("tcp", "tcp6")
        for fields in _rows(_PROC / "net" / table)
        if fields[3] == _LISTENING and int(fields[1].rpartition(":")[2], 16) == port
    }
    wanted = {f"socket:[{inode}]" for inode in listening}
    for process in _PROC.glob("[0-9]*"):
        if wanted & _sockets(process):
            command = (process / "cmdline").read_bytes().replace(b"\0", b" ").decode().strip()
            return f"process {process.name} ({command[:120]})"
    for uid in listening.values():
        return f"a process of {_user(uid)}"
    return "a process that cannot be seen from here"


def _user(uid: int) -> str:
    try:
        return f"user {pwd.getpwuid(uid).pw_name}"
    except KeyError:
        return f"user {uid}"


def _rows(table: Path) -> list[list[str]]:
    try:
        return [line.split() for line in table.read_text().splitlines()[1:]]
    except OSError:
        return []


def _sockets(process: Path) -> set[str]:
    try:
        return {str(entry.readlink()) for entry in (process / "fd").iterdir()}
    except OSError:  # another user's, or gone
        return set()
