"""The hours of one terminal: by the schedules it serves by, each while it is in use; else always.

Its own schedules come before those of its cell, these before those of the cells above, and those of
its kind are last.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from fleet.sla.calendar import FOREVER, Span
from fleet.windows.schedule import Schedule, openings
from fleet.windows.spans import clipped, merged, outside

_LOOKS = (timedelta(days=2), timedelta(days=15), timedelta(days=400))
_REMEMBERED = 256


@dataclass(frozen=True, slots=True)
class Use:
    """A schedule, and when it is served by."""

    valid: Span
    schedule: Schedule


@dataclass(frozen=True, slots=True)
class Hours:
    """Uses in layers: the first that has one at an instant decides; without any it serves."""

    layers: tuple[tuple[Use, ...], ...] = ()
    _known: dict[tuple[datetime, timedelta, bool], datetime] = field(
        default_factory=dict, compare=False, repr=False
    )

    def __deepcopy__(self, _memo: object) -> "Hours":
        return self

    def open(self, asked: Span) -> list[Span]:
        """When it serves, of what is asked for: in order, apart."""
        found: list[Span] = []
        left = [asked]
        for layer in self.layers:
            for use in layer:
                for part in clipped(left, use.valid):
                    found += openings(use.schedule, part)
            taken = [use.valid for use in layer]
            left = [rest for part in left for rest in outside(taken, part)]
        return merged([*found, *left])

    def lasting(self, since: datetime, length: timedelta, *, closed: bool = False) -> datetime:
        """When it will first have been open for so long without a break since then; or `closed`."""
        if not self.layers:
            return FOREVER if closed else since + length
        key = (since, length, closed)
        if key not in self._known:
            if len(self._known) >= _REMEMBERED:
                self._known.clear()
            self._known[key] = self._lasting(since, length, closed=closed)
        return self._known[key]

    def _lasting(self, since: datetime, length: timedelta, *, closed: bool) -> datetime:
        for look in _LOOKS:
            asked = Span(since, since + look + length)
            spans: Sequence[Span] = self.open(asked)
            if closed:
                spans = list(outside(spans, asked))
            for span in spans:
                if span.end - span.begin >= length:
                    return span.begin + length
        return FOREVER


ALWAYS = Hours()
"""Of a terminal that serves by no schedule."""
