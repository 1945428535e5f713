"""What a terminal said last in a boot that is over: asked for, in case. Pure: time is handed in.

A broker that is killed loses what it had acknowledged. In the boot that goes on a later number
shows it; behind the last number of a boot that is over nothing does. Rules:

- When a terminal has gone on with a higher boot, it is asked for the `numbers` behind the last one
  that is known of the boot before, and of the boots between, of which nothing was ever stored, for
  those from 1: of the `between` newest. A counter that goes further than `step` at once was set.
- It is asked after `grace`, and again `first_wait` later, so that one lost command loses nothing:
  so many `times`. Then there is nothing, or nothing any more.
- Nobody knows whether there is anything. So nothing is missing and nothing is lost.
- When something comes, it is asked for what is behind that, until nothing more comes.
- A terminal that is offline is waited for.
- Of a terminal that says another boot with every message the newest boots are asked for.
"""

import heapq
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple

from collector.manners import Ask, Key, Manners
from fleet.telemetry import MAX_SEQ, Resend


class Known(NamedTuple):
    """Of a boot that is over: its last number, and the next boot of which anything is stored."""

    last: int
    next: int


@dataclass(slots=True)
class _Tail:
    """A boot that is asked for what is behind `last`; `asked` so many times."""

    last: int
    due: datetime
    asked: int = 0


class Tails:
    """The boots of a region behind which is still to be asked."""

    def __init__(self, stored: Mapping[Key, Known], now: datetime, manners: Manners) -> None:
        self._manners = manners
        self._tails: dict[Key, _Tail] = {}
        self._boots: dict[int, set[int]] = {}
        self._queue: list[tuple[datetime, Key]] = []
        self.came = 0
        """Messages that came of it, until whoever counts them says 0."""
        self.over: set[Key] = set()
        """Behind which was asked often enough; whoever has written it down empties it."""
        self.note(stored, now)

    def __len__(self) -> int:
        return len(self._tails)

    def note(self, found: Mapping[Key, Known], now: datetime) -> None:
        """Look at boots that are over and behind which was not asked yet, as they are stored."""
        for key, known in sorted(found.items()):
            tail = self._tails.get(key)
            if tail is None:
                for boot in self._between(key[1], known.next):
                    self._open((key[0], boot), 0, now)
                self._open(key, known.last, now)
            elif known.last > tail.last:
                self.came += known.last - tail.last
                tail.last, tail.asked = known.last, 0
                self._put(key, tail, now + self._manners.grace)

    def forget(self, terminal_id: int) -> None:
        """Nobody is there to be asked any more."""
        for boot in self._boots.pop(terminal_id, ()):
            del self._tails[terminal_id, boot]

    def due(self, now: datetime, absent: Callable[[int], bool], most: int) -> list[Ask]:
        """What to ask for now, so many at most; `absent` says which terminal is offline."""
        asks: list[Ask] = []
        while len(asks) < most and self._queue and self._queue[0][0] <= now:
            when, key = heapq.heappop(self._queue)
            tail = self._tails.get(key)
            if tail is None or tail.due != when:
                continue
            if tail.asked == self._manners.times or tail.last == MAX_SEQ:
                self._leave(key)
                continue
            self._put(key, tail, now + self._manners.first_wait)
            if not absent(key[0]):
                tail.asked += 1
                asks.append(self._ask(key, tail))
        return asks

    def _between(self, boot: int, known: int) -> Iterator[int]:
        if known - boot <= self._manners.step:
            yield from range(max(boot + 1, known - self._manners.between), known)

    def _open(self, key: Key, last: int, now: datetime) -> None:
        if key in self._tails:
            return
        terminal_id, boot = key
        tail = self._tails[key] = _Tail(last, now)
        self.over.discard(key)
        self._put(key, tail, now + self._manners.grace)
        boots = self._boots.setdefault(terminal_id, set())
        boots.add(boot)
        if len(boots) > self._manners.boots + self._manners.between:
            self._leave((terminal_id, min(boots)))

    def _leave(self, key: Key) -> None:
        del self._tails[key]
        self.over.add(key)
        terminal_id, boot = key
        self._boots[terminal_id].discard(boot)
        if not self._boots[terminal_id]:
            del self._boots[terminal_id]

    def _put(self, key: Key, tail: _Tail, due: datetime) -> None:
        tail.due = due
        heapq.heappush(self._queue, (due, key))

    def _ask(self, key: Key, tail: _Tail) -> Ask:
        terminal_id, boot = key
        last = min(tail.last + self._manners.numbers, MAX_SEQ)
        return Ask(terminal_id, Resend(boot, tail.last + 1, last), self._manners.first_wait)
