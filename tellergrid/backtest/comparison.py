"""What happened beside what would have happened: fault by fault, rule by rule, cell by cell."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal

import msgspec

from fleet.rules.changes import HoldKey
from fleet.rules.replay import Course

What = Literal["fault added", "fault removed", "ticket added", "ticket removed"]
_FIGURES: dict[What, str] = {
    "fault added": "faults_added",
    "fault removed": "faults_removed",
    "ticket added": "tickets_added",
    "ticket removed": "tickets_removed",
}


@dataclass(frozen=True, slots=True)
class Past:
    """A fault as it is stored, and whether a ticket was there for it."""

    course: Course
    ticketed: bool


class Difference(msgspec.Struct, frozen=True, kw_only=True):
    """One thing that would have been otherwise."""

    what: What
    rule: str
    cell: str
    subject: str
    item: str
    started_at: datetime
    fired_at: datetime
    cleared_at: datetime | None


class Figures(msgspec.Struct):
    """How many faults there were and would have been, and what that adds and removes."""

    happened: int = 0
    replayed: int = 0
    faults_added: int = 0
    faults_removed: int = 0
    tickets_happened: int = 0
    tickets_added: int = 0
    tickets_removed: int = 0

    @property
    def differs(self) -> bool:
        """Whether anything would have been otherwise."""
        return any(getattr(self, name) for name in _FIGURES.values())


@dataclass(slots=True)
class Comparison:
    """All differences, with the figures of the whole, of each rule and of each cell."""

    differences: list[Difference] = field(default_factory=list)
    total: Figures = field(default_factory=Figures)
    rules: dict[str, Figures] = field(default_factory=dict)
    cells: dict[str, Figures] = field(default_factory=dict)

    def add(self, happened: Sequence[Past], replayed: Sequence[Course], since: datetime) -> None:
        """Compare a region's faults: those that fired from `since` on, on either side.

        Two are the same where they are of one cause and were open at the same time: so one that
        merely fires earlier or later is no difference. One that began before is looked at, so
        that what was open already is not taken for new.
        """
        pairs, removed, added = _matched(happened, replayed)
        for past, course in pairs:
            if past.course.fired_at >= since:
                self._pair(past, course)
        for past in removed:
            if past.course.fired_at >= since:
                self._remove(past)
        for course in added:
            if course.fired_at >= since:
                self._add(course)

    def _pair(self, past: Past, course: Course) -> None:
        self._happen(past)
        self._count(course, "replayed")
        if past.ticketed and not course.calls:
            self._note("ticket removed", past.course)
        elif course.calls and not past.ticketed and not past.course.calls:
            self._note("ticket added", course)

    def _remove(self, past: Past) -> None:
        self._happen(past)
        self._note("fault removed", past.course)
        if past.ticketed:
            self._note("ticket removed", past.course)

    def _add(self, course: Course) -> None:
        self._count(course, "replayed")
        self._note("fault added", course)
        if course.calls:
            self._note("ticket added", course)

    def _happen(self, past: Past) -> None:
        self._count(past.course, "happened")
        self._count(past.course, "tickets_happened", int(past.ticketed))

    def _count(self, course: Course, name: str, number: int = 1) -> None:
        of_rule = self.rules.setdefault(course.key.rule, Figures())
        of_cell = self.cells.setdefault(course.cell, Figures())
        for figures in (self.total, of_rule, of_cell):
            setattr(figures, name, getattr(figures, name) + number)

    def _note(self, what: What, course: Course) -> None:
        self._count(course, _FIGURES[what])
        self.differences.append(
            Difference(
                what=what,
                rule=course.key.rule,
                cell=course.cell,
                subject=course.key.subject,
                item=course.key.item,
                started_at=course.started_at,
                fired_at=course.fired_at,
                cleared_at=course.cleared_at,
            )
        )


Pairs = list[tuple[Past, Course]]


def _matched(
    happened: Sequence[Past], replayed: Sequence[Course]
) -> tuple[Pairs, list[Past], list[Course]]:
    """Pairs of one cause that overlap, and what is left on either side."""
    waiting: dict[HoldKey, list[Course]] = defaultdict(list)
    for course in sorted(replayed, key=lambda each: each.fired_at):
        waiting[course.key].append(course)
    pairs: Pairs = []
    removed: list[Past] = []
    for past in sorted(happened, key=lambda each: each.course.fired_at):
        same = [each for each in waiting[past.course.key] if _overlap(past.course, each)]
        if same:
            waiting[past.course.key].remove(same[0])
            pairs.append((past, same[0]))
        else:
            removed.append(past)
    return pairs, removed, [course for left in waiting.values() for course in left]


def _overlap(one: Course, other: Course) -> bool:
    ends_before = one.cleared_at is not None and one.cleared_at < other.started_at
    begins_after = other.cleared_at is not None and other.cleared_at < one.started_at
    return not ends_before and not begins_after
