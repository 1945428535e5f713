"""When a fault may call somebody, though windows hold tickets meanwhile."""

from collections.abc import Iterable
from datetime import datetime, timedelta

from fleet.sla.calendar import Span
from fleet.windows.spans import merged


def due(fired_at: datetime, hold: timedelta, windows: Iterable[Span]) -> datetime:
    """The instant from which a fault that is still true gets its ticket.

    Outside of every window it is when it fired. What fires within one waits until the window is
    over, and then its hold time anew: it must be true for as long as any other, seen from there.
    """
    at = fired_at
    for window in merged(windows):
        if window.begin <= at < window.end:
            at = window.end + hold
    return at
