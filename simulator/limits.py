"""What the machine allows: open files, and ports to connect from."""

import resource
import socket
from collections.abc import Sequence
from pathlib import Path

from simulator.errors import LimitError

SPARE_FILES = 64
_PORTS = Path("/proc/sys/net/ipv4/ip_local_port_range")
_PORTS_ELSEWHERE = 28_000


def make_room(connections: int, sources: int) -> None:
    """Raise our own limit to what so many connections need; raises LimitError when it is not let.

    `sources` is from how many addresses they are made.
    """
    needed = connections + SPARE_FILES
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    unbound = hard == resource.RLIM_INFINITY
    if needed > hard and not unbound:
        raise LimitError(
            f"{connections:,} connections need {needed:,} open files, and this process may have "
            f"{hard:,} (ulimit -Hn). Raise that limit, for the broker too; or share the fleet out "
            "among processes with --share 1/2, --share 2/2; or share connections with --multiplex 8"
        )
    if needed > soft:
        resource.setrlimit(resource.RLIMIT_NOFILE, (needed, hard))
    ports = ports_there_are() * max(1, sources)
    if connections > ports:
        raise LimitError(
            f"{connections:,} connections to one address need as many ports, and there are "
            f"{ports:,} ({_PORTS}). Name more addresses to connect from with --source-address, or "
            "share connections with --multiplex 8"
        )


def require_sources(addresses: Sequence[str]) -> None:
    """Raise LimitError for an address from which this machine cannot connect."""
    for one in addresses:
        family = socket.AF_INET6 if ":" in one else socket.AF_INET
        with socket.socket(family, socket.SOCK_STREAM) as probe:
            try:
                probe.bind((one, 0))
            except OSError as error:
                raise LimitError(
                    f"--source-address {one}: {error.strerror}. It is to be an address of this "
                    "machine, as `ip address` lists them"
                ) from error


def ports_there_are() -> int:
    """How many connections one address of ours can make to one address of the broker."""
    try:
        first, last = map(int, _PORTS.read_text(encoding="ascii").split())
    except (OSError, ValueError):
        return _PORTS_ELSEWHERE
    return last - first + 1
