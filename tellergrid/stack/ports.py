"""Whether a port is free, and who holds it when it is not."""

import errno
import pwd
import socket
from pathlib import Path

from tellergrid.stack.errors import PortTakenError

LOOPBACK = "127.0.0.1"
_LISTENING = "0A"
_PROC = Path("/proc")


def require_free(port: int, part: str, variable: str) -> None:
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
                f"End that, or choose another port: {variable}=<port> tellergrid up"
            ) from problem


def free_port() -> int:
    """Return a port nothing listens on at this moment."""
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        probe.bind((LOOPBACK, 0))
        port: int = probe.getsockname()[1]
        return port


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
