"""A technician as dispatch knows them."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from fleet.dispatch.place import Place
from fleet.sla.calendar import ALWAYS, FOREVER, Calendar, Span, openings

_FAR = timedelta(days=60)


@dataclass(frozen=True, slots=True)
class Technician:
    """`lines`: 1 is branch staff, 2 a field engineer. `place` is where they were last, else home.

    `most` is how many visits they may have to do at a time, `visits` those they have and keep: a
    visit is all there is to do at one site, by its key; what has none is a visit of its own.
    `disabled`: their account is, so they hear of nothing and can accept nothing.
    """

    id: int
    code: str
    skills: frozenset[str]
    lines: frozenset[int] = frozenset({1, 2})
    cells: frozenset[str] = frozenset()
    shifts: Calendar = ALWAYS
    absences: Sequence[Span] = ()
    place: Place | None = None
    most: int = 8
    visits: frozenset[str] = frozenset()
    disabled: bool = False

    def on_shift(self, at: datetime) -> bool:
        """Whether they work at an instant, absences apart."""
        return next(openings(self.shifts, at, at + timedelta(microseconds=1)), None) is not None

    def absent(self, at: datetime) -> bool:
        """Whether they are away at an instant."""
        return any(span.begin <= at < span.end for span in self.absences)

    def shift(self, at: datetime) -> Span | None:
        """What is left of the shift at an instant, or the next one; nothing within sixty days.

        A shift that goes on past midnight is one. An absence ends it, and puts it off.
        """
        begin = end = None
        for opening in openings(self.shifts, at, at + _FAR):
            for span in _without(opening, self.absences):
                if end is not None and span.begin != end:
                    return Span(begin or at, end)
                begin, end = begin or span.begin, span.end
                if end >= FOREVER:
                    break
        return None if begin is None or end is None else Span(begin, end)


def _without(opening: Span, absences: Sequence[Span]) -> list[Span]:
    """An opening, with the absences cut out."""
    left = [opening]
    for away in absences:
        left = [
            part
            for span in left
            for part in (
                Span(span.begin, min(span.end, away.begin)),
                Span(max(span.begin, away.end), span.end),
            )
            if part.begin < part.end
        ]
    return left
