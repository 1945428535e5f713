"""Two batches at a time: one is judged while the one before it is being written.

Rules:

- Batches are written one after the other, in their order, each acknowledged when it is committed.
- When a batch cannot be written, it is written packet by packet; and the next one, which was judged
  on what is not so, is judged anew.
- Nobody else may use the desk's connection while a batch is under way: `settle` first.
"""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from types import TracebackType
from typing import Self

from collector.claim import Seen
from collector.desk import ONE_IS_BAD, Desk, Judged
from collector.intake import Arrival

Acknowledge = Callable[[list[Arrival]], None]


@dataclass(frozen=True, slots=True)
class _UnderWay:
    arrivals: list[Arrival]
    now: datetime
    seen: Seen
    task: asyncio.Task[None]


def untraced(desk: Desk, acknowledge: Acknowledge, _region: str) -> "Writer":
    """A writer that nobody watches."""
    return Writer(desk, acknowledge)


class Writer:
    """Keeps one batch under way; as a context, it leaves none behind."""

    def __init__(self, desk: Desk, acknowledge: Acknowledge) -> None:
        self._desk = desk
        self._acknowledge = acknowledge
        self._under_way: _UnderWay | None = None

    async def __aenter__(self) -> Self:
        """Begin with nothing under way."""
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, _error: BaseException | None,
        _traceback: TracebackType | None,
    ) -> None:  # fmt: skip
        """Finish what is under way, unless all is being cancelled."""
        if kind is not None and issubclass(kind, asyncio.CancelledError) and self._under_way:
            self._under_way.task.cancel()
        await self.settle()

    @property
    def unacknowledged(self) -> int:
        """How many packets are under way."""
        return len(self._under_way.arrivals) if self._under_way else 0

    async def put(self, arrivals: list[Arrival], now: datetime, seen: Seen) -> None:
        """Judge a batch, then have it written when the one before it is.

        Raises what ends the desk's connection, of this batch or of the one before.
        """
        judged = await self._judge(arrivals, now)
        if not await self.settle() and judged is not None:
            judged = await self._judge(arrivals, now)
        if judged is None:
            await self._singly(arrivals, now, seen)
            return
        task = asyncio.create_task(self._write(judged, arrivals, seen))
        self._under_way = _UnderWay(arrivals, now, seen, task)

    async def settle(self) -> bool:
        """Wait until nothing is under way; False when that took reading everything back."""
        under_way, self._under_way = self._under_way, None
        if under_way is None:
            return True
        try:
            await under_way.task
        except ONE_IS_BAD:
            await self._singly(under_way.arrivals, under_way.now, under_way.seen)
            return False
        return True

    async def _judge(self, arrivals: list[Arrival], now: datetime) -> Judged | None:
        """None when one of the packets cannot be judged."""
        try:
            opening = self._desk.open(arrivals)
            if self._desk.needs_reading(opening):
                if not await self.settle():  # what was opened is of before
                    opening = self._desk.open(arrivals)
                await self._desk.read(opening)
            return await self._desk.judge(opening, now)
        except ONE_IS_BAD:
            return None

    async def _write(self, judged: Judged, arrivals: list[Arrival], seen: Seen) -> None:
        await self._desk.write(judged, seen)
        self._acknowledge(arrivals)

    async def _singly(self, arrivals: list[Arrival], now: datetime, seen: Seen) -> None:
        await self._desk.commit_singly(arrivals, now)
        await self._desk.note(seen)
        self._acknowledge(arrivals)
