"""How fast a fleet may connect: a broker that starts must not be trampled."""

import asyncio


class Ramp:
    """Lets `per_s` through each second, evenly, and so many at a time."""

    def __init__(self, per_s: float, at_once: int = 100) -> None:
        self._gap_s = 1 / per_s
        self._next = 0.0
        self._places = asyncio.Semaphore(at_once)

    async def __aenter__(self) -> None:
        """Wait for one's turn."""
        await self._places.acquire()
        loop = asyncio.get_running_loop()
        turn = max(self._next, loop.time())
        self._next = turn + self._gap_s
        try:
            await asyncio.sleep(turn - loop.time())
        except BaseException:
            self._places.release()
            raise

    async def __aexit__(self, *_: object) -> None:
        """Make room for another."""
        self._places.release()
