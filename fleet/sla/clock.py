"""Time on a calendar, minus pauses: how much is used, and when a target is reached."""

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime, timedelta

from fleet.sla.calendar import FOREVER, Calendar, Span, openings

_NONE = timedelta()


def union(spans: Iterable[Span]) -> tuple[Span, ...]:
    """The same time in spans that neither overlap nor touch, in order."""
    joined: list[Span] = []
    for span in sorted(span for span in spans if span.begin < span.end):
        if joined and span.begin <= joined[-1].end:
            joined[-1] = Span(joined[-1].begin, max(joined[-1].end, span.end))
        else:
            joined.append(span)
    return tuple(joined)


def used(calendar: Calendar, begin: datetime, end: datetime, pauses: Iterable[Span]) -> timedelta:
    """How long the clock ran between two instants."""
    joined = union(pauses)
    if calendar.always and not joined:  # most clocks: the arithmetic of the others is for nothing
        return max(end - begin, _NONE)
    ran = _running(calendar, begin, end, joined)
    return sum((span.end - span.begin for span in ran), _NONE)


def due(
    calendar: Calendar, begin: datetime, target: timedelta, pauses: Iterable[Span]
) -> datetime | None:
    """When the clock has run for `target`; nothing while a pause without end keeps it from that."""
    left = target
    joined = union(pauses)
    if calendar.always and not joined:
        return begin + target if FOREVER - begin >= target else None
    until = joined[-1].begin if joined and joined[-1].end >= FOREVER else FOREVER
    for span in _running(calendar, begin, until, joined):
        if span.end - span.begin >= left:
            return span.begin + left
        left -= span.end - span.begin
    return None


def _running(
    calendar: Calendar, begin: datetime, end: datetime, pauses: Sequence[Span]
) -> Iterator[Span]:
    """Open and not paused."""
    for opening in openings(calendar, begin, end):
        reached = opening.begin
        for pause in pauses:
            if pause.end <= reached or pause.begin >= opening.end:
                continue
            if pause.begin > reached:
                yield Span(reached, pause.begin)
            reached = pause.end
        if reached < opening.end:
            yield Span(reached, opening.end)
