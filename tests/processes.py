"""Processes that a test looks at from outside."""

import ssl
from collections.abc import Iterator
from pathlib import Path

# For httpx, which else reads all certificates of the machine for every client, and that takes ten
# times as long as to ask: `verify=OPENLY`, where there is no TLS.
OPENLY = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)


def descendants(pid: int) -> Iterator[int]:
    """The processes that a process started, and those that they did."""
    for child in _children(pid):
        yield child
        yield from descendants(child)


def _children(pid: int) -> list[int]:
    """Those of all its threads; none of a process that has ended, though it may be meanwhile."""
    found: list[int] = []
    try:
        for path in Path(f"/proc/{pid}/task").glob("*/children"):
            found += map(int, path.read_text(encoding="ascii").split())
    except OSError:
        pass
    return found
