"""Load at a fixed rate over plain HTTP: latencies count from when a request was due, not sent.

A slow answer so delays no request after it, as people do not wait for one another. The client is
as small as can be: it shares the machine with what it measures.
"""

import asyncio
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import count

_OK = b" 200 "
_LENGTH = b"content-length:"
_PATIENCE_S = 10


@dataclass(frozen=True, slots=True)
class Ask:
    """A request: of which route, to which process, on which path, with whose token."""

    route: str
    port: int
    path: str
    token: str

    @property
    def bytes(self) -> bytes:
        """As it goes over the wire."""
        return (
            f"GET {self.path} HTTP/1.1\r\nHost: bench\r\nAuthorization: Bearer {self.token}\r\n\r\n"
        ).encode()


@dataclass(slots=True)
class Outcome:
    """Latencies by route in seconds, and how many requests got another answer than 200, or none."""

    latencies: dict[str, list[float]] = field(default_factory=lambda: defaultdict(list))
    errors: int = 0
    lasted_s: float = 0.0

    @property
    def answered(self) -> int:
        """How many were answered well."""
        return sum(map(len, self.latencies.values()))

    def p99_ms(self) -> Mapping[str, float]:
        """The 99th percentile of each route."""
        return {
            route: round(sorted(found)[int(0.99 * (len(found) - 1))] * 1000, 1)
            for route, found in self.latencies.items()
        }


class _Connections:
    """Connections to one port that are free; made when there is none."""

    def __init__(self, port: int) -> None:
        self._port = port
        self._free: list[tuple[asyncio.StreamReader, asyncio.StreamWriter]] = []

    async def ask(self, request: bytes) -> bool:
        """Whether the answer is 200."""
        if self._free:
            reader, writer = self._free.pop()
        else:
            reader, writer = await asyncio.open_connection("127.0.0.1", self._port)
        writer.write(request)
        head = (await reader.readuntil(b"\r\n\r\n")).lower()
        length = head.partition(_LENGTH)[2].partition(b"\r\n")[0]
        await reader.readexactly(int(length))
        self._free.append((reader, writer))
        return _OK in head.partition(b"\r\n")[0]

    def close(self) -> None:
        for _, writer in self._free:
            writer.close()


async def loaded(asks: Sequence[Ask], rate: float, seconds: float) -> Outcome:
    """Ask in turn, so many a second, for so long."""
    connections = {port: _Connections(port) for port in {ask.port for ask in asks}}
    outcome = Outcome()
    loop = asyncio.get_running_loop()
    began = loop.time()

    async def one(ask: Ask, due: float) -> None:
        try:
            async with asyncio.timeout(_PATIENCE_S):
                good = await connections[ask.port].ask(ask.bytes)
        except (OSError, EOFError, ValueError):
            good = False
        if good:
            outcome.latencies[ask.route].append(loop.time() - due)
        else:
            outcome.errors += 1

    async with asyncio.TaskGroup() as tasks:
        for number in count():
            due = began + number / rate
            if due - began >= seconds:
                break
            await asyncio.sleep(max(0.0, due - loop.time()))
            tasks.create_task(one(asks[number % len(asks)], due))
    outcome.lasted_s = loop.time() - began
    for each in connections.values():
        each.close()
    return outcome
