"""Spans of time, from and to: merged, cut, counted."""

from collections.abc import Iterable, Sequence

Span = tuple[float, float]


def merged(spans: Iterable[Span], gap_s: float = 0.0) -> list[Span]:
    """Overlapping spans as one, and those no more than a gap apart."""
    found: list[Span] = []
    for begin, end in sorted(spans):
        if found and begin <= found[-1][1] + gap_s:
            found[-1] = (found[-1][0], max(found[-1][1], end))
        else:
            found.append((begin, end))
    return found


def without(span: Span, holes: Iterable[Span]) -> list[Span]:
    """What is left of a span; `holes` are in order and do not overlap."""
    left: list[Span] = []
    begin, end = span
    for hole_begins, hole_ends in holes:
        if hole_ends <= begin or hole_begins >= end:
            continue
        if hole_begins > begin:
            left.append((begin, hole_begins))
        begin = max(begin, hole_ends)
    if begin < end:
        left.append((begin, end))
    return left


def differing_s(one: Sequence[Span], other: Sequence[Span]) -> float:
    """How long exactly one of two sets of spans holds; each is in order and does not overlap."""
    return seconds(one) + seconds(other) - 2 * shared_s(one, other)


def shared_s(one: Sequence[Span], other: Sequence[Span]) -> float:
    """How long both hold."""
    total, i, j = 0.0, 0, 0
    while i < len(one) and j < len(other):
        total += max(0.0, min(one[i][1], other[j][1]) - max(one[i][0], other[j][0]))
        if one[i][1] < other[j][1]:
            i += 1
        else:
            j += 1
    return total


def seconds(spans: Iterable[Span]) -> float:
    """How long they are together."""
    return sum(end - begin for begin, end in spans)


def reached(members: Iterable[Sequence[Span]], needed: int) -> list[Span]:
    """When so many of the members' spans hold at once."""
    spans = [span for member in members for span in member]
    turns = sorted([(begin, 1) for begin, _ in spans] + [(end, -1) for _, end in spans])
    found: list[Span] = []
    count, since = 0, 0.0
    for at, step in turns:
        before, count = count, count + step
        if before < needed <= count:
            since = at
        elif count < needed <= before and at > since:
            found.append((since, at))
    return found
