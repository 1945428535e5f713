"""Times as spans: put together and taken away, in order and apart."""

from collections.abc import Iterable, Iterator

from fleet.sla.calendar import Span


def merged(spans: Iterable[Span]) -> list[Span]:
    """The same times in order, none overlapping or touching another; empty ones are left out."""
    found: list[Span] = []
    for span in sorted(span for span in spans if span.begin < span.end):
        if found and span.begin <= found[-1].end:
            found[-1] = Span(found[-1].begin, max(found[-1].end, span.end))
        else:
            found.append(span)
    return found


def outside(spans: Iterable[Span], whole: Span) -> Iterator[Span]:
    """What of a whole is in none of the spans, in order."""
    reached = whole.begin
    for span in merged(spans):
        if reached < min(span.begin, whole.end):
            yield Span(reached, min(span.begin, whole.end))
        reached = max(reached, span.end)
    if reached < whole.end:
        yield Span(reached, whole.end)


def clipped(spans: Iterable[Span], whole: Span) -> Iterator[Span]:
    """What of the spans lies in a whole."""
    for span in spans:
        part = Span(max(span.begin, whole.begin), min(span.end, whole.end))
        if part.begin < part.end:
            yield part
