"""Which messages of a boot are already stored: ranges of `seq`, so that duplicates can be dropped
and losses counted.

There are no more than `MOST` ranges, however a terminal counts. Beyond that the oldest gaps are
given up, and the ledger is *blurred* up to there: it is written down as one range. What comes there
all the same is looked for in what is stored itself (`sharpen`), so it is neither lost nor doubled.

A gap wider than `WIDEST` is none: no journal holds so many, and nobody sent them.
"""

from bisect import bisect_right
from collections.abc import Iterable, Sequence

Span = tuple[int, int]
"""Numbers from the first to the last, both included."""

MOST = 1000
"""Ranges of a boot: so many gaps are not losses on the way, but a terminal that cannot count."""
WIDEST = 1_000_000
"""Numbers in a row that may be missing messages: ten a second for a day, as far as journals go,
are fewer. Whoever leaves out more goes on counting from elsewhere."""


class Received:
    """A set of sequence numbers kept as disjoint ranges; in-order arrival costs one comparison."""

    __slots__ = ("_below", "_firsts", "_lasts", "blurred_to", "doubled", "last", "reshaped")

    def __init__(
        self, ranges: Iterable[tuple[int, int]] = (), doubled: int = 0, blurred_to: int = 0
    ) -> None:
        """Begin with ranges (first, last), both included, ascending and disjoint."""
        pairs = list(ranges)
        self._firsts = [first for first, _ in pairs]
        self._lasts = [last for _, last in pairs]  # the highest may be behind: see `_ends`
        self.last = self._lasts[-1] if pairs else 0
        """The highest number, 0 if there is none."""
        self.doubled = doubled
        self.reshaped = False
        """Whether more happened than numbers in order, since whoever wrote it down said False."""
        self.blurred_to = blurred_to
        """Up to here, 0 for nowhere, the ranges do not say what is missing."""
        self._below: Received | None = None  # what there is up to there, once it was looked for

    def add(self, seq: int) -> bool:
        """Note a number; False, and counted as doubled, if it was there already."""
        if self.last == seq - 1 and self.last:
            self.last = seq
            return True
        self.reshaped = True
        if seq <= self.blurred_to:
            new = self._sharp().add(seq)
            self.doubled += not new
            return new
        firsts, lasts = self._firsts, self._ends()
        place = bisect_right(firsts, seq) - 1
        if place >= 0 and seq <= lasts[place]:
            self.doubled += 1
            return False
        touches_before = place >= 0 and lasts[place] == seq - 1
        touches_after = place + 1 < len(firsts) and firsts[place + 1] == seq + 1
        if touches_before and touches_after:
            lasts[place] = lasts.pop(place + 1)
            firsts.pop(place + 1)
        elif touches_before:
            lasts[place] = seq
        elif touches_after:
            firsts[place + 1] = seq
        else:
            firsts.insert(place + 1, seq)
            lasts.insert(place + 1, seq)
        self.last = lasts[-1]
        return True

    def goes_on(self, seq: int) -> bool:
        """Whether a number is the next one behind the highest."""
        return self.last == seq - 1 and self.last > 0

    def __contains__(self, seq: int) -> bool:
        if seq > self.last:
            return False
        if seq <= self.blurred_to:
            return seq in self._sharp()
        place = bisect_right(self._firsts, seq) - 1
        return place >= 0 and seq <= self._ends()[place]

    def is_blurred(self, seq: int) -> bool:
        """Whether `sharpen` is to be called before anybody asks for a number."""
        return seq <= self.blurred_to and self._below is None

    def sharpen(self, ranges: Iterable[Span]) -> None:
        """Learn what there is up to where it is blurred."""
        self._below = Received(ranges)

    def _sharp(self) -> "Received":
        if self._below is None:
            raise LookupError(f"what there is up to {self.blurred_to} was not looked for")
        return self._below

    def bound(self, most: int = MOST) -> list[Span]:
        """Give up the oldest gaps where there are more ranges than that; returns those of messages,
        counting from 1."""
        surplus = len(self._firsts) - most
        if surplus <= 0:
            return []
        joined = self.ranges[: surplus + 1]
        if self._below is not None:
            self._below.go_on(joined, self.blurred_to)
        self.blurred_to = joined[-1][1]
        self._firsts[: surplus + 1], self._lasts[: surplus + 1] = [1], [self.blurred_to]
        self.reshaped = True
        return messages(without([(1, self.blurred_to)], joined))

    def go_on(self, ranges: Iterable[Span], behind: int) -> None:
        """Take in what of higher ranges is behind a number that nothing here is beyond."""
        self._ends()
        for first, last in ranges:
            if last > behind:
                self._firsts.append(max(first, behind + 1))
                self._lasts.append(last)
                self.last = last

    def _ends(self) -> list[int]:
        """The last of each range; a number in order, as nearly all are, touches `last` alone."""
        if self._lasts:
            self._lasts[-1] = self.last
        return self._lasts

    @property
    def ranges(self) -> list[tuple[int, int]]:
        """The ranges (first, last), both included, ascending."""
        return list(zip(self._firsts, self._ends(), strict=True))

    @property
    def missing(self) -> list[Span]:
        """The gaps (first, last) below the highest number, counting from 1."""
        return self.gaps(from_one=True)

    def unbroken(self, *, from_one: bool) -> bool:
        """Whether there are no `gaps`; costs one comparison."""
        firsts = self._firsts
        return not firsts or (len(firsts) == 1 and (not from_one or firsts[0] <= 1))

    def gaps(self, *, from_one: bool) -> list[Span]:
        """The gaps below the highest number, counting from 1 or from the lowest."""
        before = 0 if from_one or not self._firsts else self._firsts[0] - 1
        gaps = []
        for first, last in self.ranges:
            if first > before + 1:
                gaps.append((before + 1, first - 1))
            before = last
        return messages(gaps)


def messages(gaps: Iterable[Span]) -> list[Span]:
    """The gaps that are missing messages, and not a counter that was set."""
    return [(first, last) for first, last in gaps if last - first < WIDEST]


def size(spans: Iterable[Span]) -> int:
    """How many numbers there are in disjoint spans."""
    return sum(last - first + 1 for first, last in spans)


def without(spans: Sequence[Span], removed: Sequence[Span]) -> list[Span]:
    """The numbers of `spans` that are not in `removed`; both ascending and disjoint."""
    left: list[Span] = []
    place = 0
    for span in spans:
        first, last = span
        while place < len(removed) and removed[place][1] < first:
            place += 1
        ahead = place
        while first <= last and ahead < len(removed) and removed[ahead][0] <= last:
            if removed[ahead][0] > first:
                left.append((first, removed[ahead][0] - 1))
            first = removed[ahead][1] + 1
            ahead += 1
        if first <= last:
            left.append((first, last))
    return left
