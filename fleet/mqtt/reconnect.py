"""Coming back after a loss: one connection after the other, with jittered exponential back-off."""

import asyncio
import random
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from dataclasses import dataclass
from typing import Generic, Protocol, Self, TypeVar

from fleet.mqtt.errors import ConnectionLost, MqttError, Refused, TakenOver, Unreachable

OnFailure = Callable[[MqttError, float], None]


class Closing(Protocol):
    """What ends some day, and says why: None when we ended it ourselves."""

    closed: asyncio.Future[MqttError | None]


Kept = TypeVar("Kept", bound=Closing)


@dataclass(frozen=True, slots=True)
class Backoff:
    """How long to wait after each failure in a row: anything up to a doubling bound.

    Full jitter: a broker that restarts is not met by its whole fleet at one instant. A connection
    that held for `stable_s` starts the row anew. `random` is handed in, so that a test or a
    simulation repeats itself.
    """

    random: random.Random
    base_s: float = 1.0
    cap_s: float = 30.0
    stable_s: float = 10.0

    def delays(self) -> Iterator[float]:
        """Yield the seconds to wait, without end."""
        bound = self.base_s
        while True:
            yield self.random.uniform(0, bound)
            bound = min(self.cap_s, bound * 2)


def connections(
    open: Callable[[], Awaitable[Kept]],  # noqa: A002 - what it does, at the place of use
    backoff: Backoff,
    on_failure: OnFailure | None = None,
) -> AsyncIterator[Kept]:
    """Yield a connection, and another when it is lost, until we disconnect it ourselves.

    `on_failure(error, delay_s)` is told of every loss and failed attempt. Raises what waiting
    cannot cure: a permanent Refused, TakenOver, ProtocolViolation. Whoever iterates closes the
    connection in hand when leaving.
    """
    return _Connections(open, backoff, on_failure)


class _Connections(Generic[Kept]):
    def __init__(
        self,
        opener: Callable[[], Awaitable[Kept]],
        backoff: Backoff,
        on_failure: OnFailure | None,
    ) -> None:
        self._open = opener
        self._backoff = backoff
        self._on_failure = on_failure
        self._delays = backoff.delays()
        self._current: Kept | None = None
        self._since = 0.0

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> Kept:
        loop = asyncio.get_running_loop()
        if self._current is not None:
            error = await asyncio.shield(self._current.closed)
            self._current = None
            if error is None:
                raise StopAsyncIteration
            if loop.time() - self._since >= self._backoff.stable_s:
                self._delays = self._backoff.delays()
            await self._wait_out(error)
        while True:
            try:
                self._current = await self._open()
            except MqttError as error:
                await self._wait_out(error)
            else:
                self._since = loop.time()
                return self._current

    async def _wait_out(self, error: MqttError) -> None:
        if not passes(error):
            raise error
        delay = next(self._delays)
        if self._on_failure is not None:
            self._on_failure(error, delay)
        await asyncio.sleep(delay)


def passes(error: MqttError) -> bool:
    """Whether trying again, unchanged, may succeed."""
    if isinstance(error, Refused):
        return not error.permanent
    return isinstance(error, Unreachable | ConnectionLost) and not isinstance(error, TakenOver)
