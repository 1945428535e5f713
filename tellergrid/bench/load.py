"""Load at a fixed rate over plain HTTP: latencies count from when a request was due, not sent.

A slow answer so delays no request after it, as people do not wait for one another. The client is
as small as can be: it shares the machine with what it measures.
"""

import asyncio
import math
from collections import defaultdict
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from itertools import count

from tellergrid.bench.line import HungUp, Line
from tellergrid.stack.ports import LOOPBACK

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
        """The 99th percentile of each route: what 99 of a hundred requests did not take longer."""
        return {
            route: round(sorted(found)[math.ceil(0.99 * len(found)) - 1] * 1000, 1)
            for route, found in self.latencies.items()
        }


class _Lines:
    """Lines to the processes; one is made when none is free, and all are closed at the end."""

    def __init__(self) -> None:
        self._made: list[Line] = []
        self._free: dict[int, list[Line]] = defaultdict(list)

    async def ask(self, port: int, request: bytes) -> bool:
        """Whether the answer is 200; a line that was given up on is not used again.

        A server hangs up lines that lie idle, and a burst leaves many: that is no answer to what
        is asked next, and it is asked on another line.
        """
        free = self._free[port]
        while free:
            line = free.pop()
            try:
                good = await line.ask(request)
            except HungUp:
                continue
            free.append(line)
            return good
        line = await self._another(port)
        good = await line.ask(request)
        free.append(line)
        return good

    async def close(self) -> None:
        """Hang up every line, however its last request ended, and wait until that is done."""
        for line in self._made:
            await line.close()

    async def _another(self, port: int) -> Line:
        line = await Line.to(LOOPBACK, port)
        self._made.append(line)
        return line


@asynccontextmanager
async def _lines() -> AsyncIterator[_Lines]:
    lines = _Lines()
    try:
        yield lines
    finally:
        await lines.close()


async def loaded(asks: Sequence[Ask], rate: float, seconds: float) -> Outcome:
    """Ask in turn, so many a second, for so long."""
    outcome = Outcome()
    loop = asyncio.get_running_loop()
    requests = [(ask, ask.bytes) for ask in asks]

    async def one(lines: _Lines, ask: Ask, request: bytes, due: float) -> None:
        try:
            async with asyncio.timeout(_PATIENCE_S):
                good = await lines.ask(ask.port, request)
        except (OSError, ValueError):
            good = False
        if good:
            outcome.latencies[ask.route].append(loop.time() - due)
        else:
            outcome.errors += 1

    async with _lines() as lines:
        began = loop.time()
        async with asyncio.TaskGroup() as tasks:
            for number in count():
                after = number / rate
                if after >= seconds:
                    break
                due = began + after
                await asyncio.sleep(max(0.0, due - loop.time()))
                tasks.create_task(one(lines, *requests[number % len(requests)], due))
        outcome.lasted_s = loop.time() - began
    return outcome
