"""Gaps in `seq`: noticed at once, asked for again, given up after a day. Pure: time is handed in.

Rules:

- A gap has `grace` to close by itself: a message may be on its way.
- Then it is asked for, a bounded piece at a time, piece after piece. When every piece has been
  asked for once, the next round waits twice as long as the one before, up to `longest`.
- Of all terminals together no more than `per_second` commands go out: a broker that lost its queue
  must not be answered with a storm.
- A terminal that is offline is not asked, and no round is counted.
- What brought nothing in `rounds` rounds, or for `give_up`, the day that a terminal keeps its
  journal, is lost. It is counted and written down; should it come all the same, it is stored. (The
  rounds are few because a message that we put into quarantine is missing, too: each time it is sent
  again it lands there again.)
- Of a boot with too many gaps (`fleet.ledger`) the oldest are lost at once, and so is what the
  oldest boot misses of a terminal that misses something in more than `boots`: one that says another
  boot with every message would be asked for all of them, day and night, in everybody's place.
- A gap wider than any journal (`fleet.ledger.WIDEST`) is a counter that was set, and nothing is
  missing there.
- Of a terminal's first boot the count begins where it was first heard: what came before may have
  gone elsewhere.
- What a boot that is over may have said behind its last number (`Tails`) is asked for where no gap
  is due.
"""

import heapq
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from types import MappingProxyType

from collector.manners import MANNERS, Ask, Key, Manners
from collector.tails import Known, Tails
from fleet.ledger import Received, Span, size, without
from fleet.telemetry import Resend


@dataclass(frozen=True, slots=True)
class Stored:
    """What the database knows of a region's gaps."""

    first_boots: Mapping[int, int]
    missing: Mapping[Key, list[Span]]
    lost: Mapping[Key, list[Span]]
    tails: Mapping[Key, Known] = field(default_factory=dict)


@dataclass(slots=True)
class _Gap:
    """What one boot misses; `since` is when something last came of it."""

    missing: list[Span]
    since: datetime
    due: datetime
    wait: timedelta
    position: int = 0
    round: int = 0
    asked: bool = False


class Repair:
    """The open gaps of a region."""

    def __init__(self, stored: Stored, now: datetime, manners: Manners = MANNERS) -> None:
        self._manners = manners
        self._first = dict(stored.first_boots)
        self._lost = dict(stored.lost)
        self._gaps: dict[Key, _Gap] = {}
        self._boots: dict[int, set[int]] = {}
        self._queue: list[tuple[datetime, Key]] = []
        self._paced_at = now
        self._allowance = 0.0
        self.messages = 0
        """How many messages are missing now."""
        self.late = 0
        self.resent = 0
        """Messages that closed a gap, unasked and asked for, until whoever counts them says 0."""
        self.hopeless: dict[Key, list[Span]] = {}
        """What was given up and is to be written down; whoever has done so empties it."""
        self.too_many = 0
        """Messages that are lost for their boot had too many gaps, until whoever counts them says
        0."""
        self.tails = Tails(stored.tails, now, manners)
        for key, missing in stored.missing.items():
            self._open(key, missing, now)

    def __len__(self) -> int:
        return len(self._gaps)

    def note(
        self,
        batch: Mapping[Key, Received],
        now: datetime,
        given_up: Mapping[Key, Sequence[Span]] = MappingProxyType({}),
    ) -> None:
        """Look at the ledgers that a committed batch has touched, and gave up gaps of."""
        for key, received in batch.items():
            terminal_id, boot = key
            first = self._first.setdefault(terminal_id, boot)
            if boot < first:
                first = self._first[terminal_id] = boot
            if spans := given_up.get(key):
                counted = spans if boot > first else [span for span in spans if span[0] > 1]
                self._lose(key, counted, received.blurred_to)
            if key in self._gaps or not received.unbroken(from_one=boot > first):
                missing = received.gaps(from_one=boot > first)
                self._compare(key, without(missing, self._lost.get(key, [])), now)

    def forget(self, terminal_id: int) -> None:
        """Nobody is there to be asked any more."""
        for key in [key for key in self._gaps if key[0] == terminal_id]:
            self._close(key)
        self.tails.forget(terminal_id)

    def due(self, now: datetime, absent: Callable[[int], bool]) -> list[Ask]:
        """What to ask for now; `absent` says which terminal is offline."""
        self._pace(now)
        asks: list[Ask] = []
        while self._allowance >= 1 and self._queue and self._queue[0][0] <= now:
            when, key = heapq.heappop(self._queue)
            gap = self._gaps.get(key)
            if gap is None or gap.due != when:
                continue
            if gap.round >= self._manners.rounds or now - gap.since >= self._manners.give_up:
                self._give_up(key, gap)
            elif absent(key[0]):
                self._put(key, gap, now + gap.wait)
            else:
                asked = self._ask(key, gap, now)
                self._allowance -= len(asked)
                asks += asked
        behind = self.tails.due(now, absent, most=int(self._allowance))
        self._allowance -= len(behind)
        return asks + behind

    def _lose(self, key: Key, spans: Sequence[Span], up_to: int) -> None:
        """Gaps are over, for there are too many; its ledger remembers none up to a number."""
        lost, gap = self._lost.pop(key, []), self._gaps.get(key)
        self.too_many += size(without(spans, lost))
        if left := without(lost, [(1, up_to)]):
            self._lost[key] = left
        if gap is None:
            return
        if missing := without(gap.missing, [(1, up_to)]):
            self.messages += size(missing) - size(gap.missing)
            gap.missing = missing
        else:
            self._close(key)

    def _give_up(self, key: Key, gap: _Gap) -> None:
        self._lost[key] = sorted([*self._lost.get(key, []), *gap.missing])
        self.hopeless[key] = gap.missing
        self._close(key)

    def _compare(self, key: Key, missing: list[Span], now: datetime) -> None:
        gap = self._gaps.get(key)
        if gap is None:
            if missing:
                self._open(key, missing, now)
            return
        came = size(without(gap.missing, missing))
        if gap.asked:
            self.resent += came
        else:
            self.late += came
        if not missing:
            self._close(key)
            return
        self.messages += size(missing) - size(gap.missing)
        grown = missing[-1][1] > gap.missing[-1][1]
        gap.missing = missing
        if came:
            gap.since, gap.round, gap.wait = now, 0, self._manners.first_wait
        if grown and gap.due > now + self._manners.grace:
            self._put(key, gap, now + self._manners.grace)

    def _open(self, key: Key, missing: list[Span], now: datetime) -> None:
        gap = self._gaps[key] = _Gap(missing, now, now, self._manners.first_wait)
        self.messages += size(missing)
        self._put(key, gap, now + self._manners.grace)
        terminal_id, boot = key
        boots = self._boots.setdefault(terminal_id, set())
        boots.add(boot)
        if len(boots) > self._manners.boots:
            oldest = terminal_id, min(boots)
            self._give_up(oldest, self._gaps[oldest])

    def _close(self, key: Key) -> None:
        self.messages -= size(self._gaps.pop(key).missing)
        terminal_id, boot = key
        self._boots[terminal_id].discard(boot)
        if not self._boots[terminal_id]:
            del self._boots[terminal_id]

    def _put(self, key: Key, gap: _Gap, due: datetime) -> None:
        gap.due = due
        heapq.heappush(self._queue, (due, key))

    def _ask(self, key: Key, gap: _Gap, now: datetime) -> list[Ask]:
        pieces = _pieces(gap.missing, gap.position, self._manners)
        gap.asked = True
        gap.position = pieces[-1][1]
        if gap.position < gap.missing[-1][1]:
            wait = self._manners.grace
        else:
            wait, gap.position = gap.wait, 0
            gap.round += 1
            gap.wait = min(gap.wait * 2, self._manners.longest)
        self._put(key, gap, now + wait)
        terminal_id, boot = key
        return [Ask(terminal_id, Resend(boot, first, last), wait) for first, last in pieces]

    def _pace(self, now: datetime) -> None:
        """What was not used is not saved up for more than a second."""
        passed = max(0.0, (now - self._paced_at).total_seconds())
        self._paced_at = now
        most = self._manners.per_second
        self._allowance = min(most, self._allowance + passed * most)


def _pieces(missing: Iterable[Span], position: int, manners: Manners) -> list[Span]:
    """The next spans behind `position`, or the first ones; so many numbers and spans at most."""
    spans = list(missing)
    ahead = without(spans, [(0, position)]) or spans
    pieces: list[Span] = []
    left = manners.numbers
    for first, last in ahead[: manners.spans]:
        if left > 0:
            pieces.append((first, min(last, first + left - 1)))
            left -= pieces[-1][1] - first + 1
    return pieces
