"""How many of the connections to the database an account may have at a time.

There are few. Whoever asks for much at once, or for what takes long, waits for their own requests,
and leaves connections to others: without that one account kept all of them, and everybody else was
told that the database does not answer.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from api.errors import TooMany

MOST = 4  # of eight
_SOON_S = 2


class Turns:
    """So many at a time for each account; of those who wait, who came first is first."""

    def __init__(self, most: int = MOST) -> None:
        self._most = most
        self._turns: dict[str, asyncio.Semaphore] = {}
        self._asking: dict[str, int] = {}

    @asynccontextmanager
    async def taken(self, account: str, patience_s: float) -> AsyncIterator[None]:
        """A turn of an account; raises `TooMany` where there is none for so long."""
        turn = self._turns.setdefault(account, asyncio.Semaphore(self._most))
        self._asking[account] = self._asking.get(account, 0) + 1
        try:
            try:
                async with asyncio.timeout(patience_s):
                    await turn.acquire()
            except TimeoutError:
                raise TooMany("Too many requests at once that take long.", _SOON_S) from None
            try:
                yield
            finally:
                turn.release()
        finally:
            self._asking[account] -= 1
            if not self._asking[account]:
                del self._asking[account], self._turns[account]
