"""Which messages of a boot are already stored: ranges of `seq`, so that duplicates can be dropped
and losses counted."""

from bisect import bisect_right
from collections.abc import Iterable


class Received:
    """A set of sequence numbers kept as disjoint ranges; in-order arrival costs one comparison."""

    __slots__ = ("_firsts", "_lasts", "doubled")

    def __init__(self, ranges: Iterable[tuple[int, int]] = (), doubled: int = 0) -> None:
        """Begin with ranges (first, last), both included, ascending and disjoint."""
        pairs = list(ranges)
        self._firsts = [first for first, _ in pairs]
        self._lasts = [last for _, last in pairs]
        self.doubled = doubled

    def add(self, seq: int) -> bool:
        """Note a number; False, and counted as doubled, if it was there already."""
        firsts, lasts = self._firsts, self._lasts
        if lasts and lasts[-1] == seq - 1:
            lasts[-1] = seq
            return True
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
        return True

    def __contains__(self, seq: int) -> bool:
        place = bisect_right(self._firsts, seq) - 1
        return place >= 0 and seq <= self._lasts[place]

    @property
    def ranges(self) -> list[tuple[int, int]]:
        """The ranges (first, last), both included, ascending."""
        return list(zip(self._firsts, self._lasts, strict=True))

    @property
    def missing(self) -> list[tuple[int, int]]:
        """The gaps (first, last) below the highest number, counting from 1."""
        before = 0
        gaps = []
        for first, last in self.ranges:
            if first > before + 1:
                gaps.append((before + 1, first - 1))
            before = last
        return gaps
