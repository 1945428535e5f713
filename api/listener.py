"""Hears what the database notifies, and wakes whoever waits for changes.

A notification says only that something changed; who is woken looks for itself. One that is lost
(the connection was away) costs no more than the wait for the next look: everybody polls, slowly.

Of many processes one leads, and does the scheduled work: the one whose listening connection holds a
lock. With the process, or its connection, the lock goes to another within seconds.
"""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager

import psycopg
import structlog
from psycopg import AsyncConnection
from psycopg.rows import TupleRow

from api.scheduled import lock_key
from fleet.db.pool import connect
from fleet.db.sql import load

_RETRY_S = 1.0
_STAND_AGAIN_S = 1.0  # a leader's death is noticed within this time
_PROBE_S = 30.0  # a connection that died silently is noticed within this time

_SQL = load("api", "listener")
_LEAD = lock_key("lead")
_log = structlog.get_logger("api.listener")


class Listener:
    """Waits on a connection of its own for notifications; `run` it as a task."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._waiting: set[asyncio.Event] = set()
        self._leads = False

    @property
    def leads(self) -> bool:
        """Whether this process is the one that does the scheduled work."""
        return self._leads

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
        try:
            async with await connect(self._url, name="api-listener", autocommit=True) as connection:
                await connection.execute(_SQL["listen"])
                await self._stand(connection)
                self.wake()  # also for what came while nobody listened
                while True:
                    heard = await self._hears(connection)
                    if await self._stand(connection) or heard:
                        self.wake()
        finally:
            self._leads = False

    async def _hears(self, connection: AsyncConnection[TupleRow]) -> bool:
        """Wait for a notification, but not for long; whether there was one."""
        heard = False
        patience_s = _PROBE_S if self._leads else _STAND_AGAIN_S
        async for _ in connection.notifies(timeout=patience_s, stop_after=1):
            heard = True
        return heard

    async def _stand(self, connection: AsyncConnection[TupleRow]) -> bool:
        """Take the lead if nobody has it; whether this process leads that did not before."""
        if self._leads:
            await connection.execute(_SQL["probe"])
            return False
        cursor = await connection.execute(_SQL["stand"], {"key": _LEAD})
        self._leads = await cursor.fetchone() == (True,)
        return self._leads
