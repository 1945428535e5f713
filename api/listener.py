"""Hears what the database notifies, and wakes whoever waits for changes.

A notification says only that something changed; who is woken looks for itself. One that is lost
(the connection was away) costs no more than the wait for the next look: everybody polls, slowly.
"""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager

import psycopg
import structlog

from fleet.db.pool import connect
from fleet.db.sql import load

_RETRY_S = 1.0
_PROBE_S = 30.0  # a connection that died silently is noticed within this time

_SQL = load("api", "listener")
_log = structlog.get_logger("api.listener")


class Listener:
    """Waits on a connection of its own for notifications; `run` it as a task."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._waiting: set[asyncio.Event] = set()

    @contextmanager
    def wakeups(self) -> Iterator[asyncio.Event]:
        """An event that is set whenever something may have changed; whoever waits clears it."""
        event = asyncio.Event()
        self._waiting.add(event)
        try:
            yield event
        finally:
            self._waiting.discard(event)

    def wake(self) -> None:
        """Wake everybody."""
        for event in self._waiting:
            event.set()

    async def run(self) -> None:
        """Listen until cancelled, through every loss of the database."""
        while True:
            try:
                await self._listen()
            except psycopg.Error as error:
                _log.warning("not listening", error=str(error).strip(), retry_s=_RETRY_S)
            await asyncio.sleep(_RETRY_S)

    async def _listen(self) -> None:
        async with await connect(self._url, name="api-listener", autocommit=True) as connection:
            await connection.execute(_SQL["listen"])
            while True:
                self.wake()  # also for what came while nobody listened
                async for _ in connection.notifies(timeout=_PROBE_S, stop_after=1):
                    pass
                await connection.execute(_SQL["probe"])
