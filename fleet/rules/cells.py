"""Cells as the engine sees them: their members, which of them are bad, and the quorum's verdict."""

import math
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from fleet.rules.flapping import Transitions
from fleet.rules.hold import HOLDING, Hold, Signal
from fleet.rules.plan import CellRule
from fleet.rules.rule import Quorum, Rule
from fleet.rules.terminal import Terminal


@dataclass(slots=True)
class Gathering:
    """The terminals of one cell that one quorum rule is about, by code; which of them are not in
    service, and which of those that are, are bad. With `in_order`, by what was told of them."""

    in_order: bool = False
    members: dict[str, Terminal] = field(default_factory=dict)
    away: set[str] = field(default_factory=set)
    bad: set[str] = field(default_factory=set)


@dataclass(slots=True)
class Cell:
    """One cell: the cells above it, what each quorum rule counts in it, and its holds."""

    code: str
    above: tuple[str, ...] = ()
    gatherings: dict[str, Gathering] = field(default_factory=dict)
    holds: dict[tuple[str, str], Hold] = field(default_factory=dict)
    transitions: dict[tuple[str, str], Transitions] = field(default_factory=dict)

    def join(self, rule: CellRule, terminal: Terminal) -> None:
        """Count a terminal as a member for a rule."""
        gathering = self.gatherings.setdefault(rule.rule.name, Gathering(rule.in_order))
        gathering.members[terminal.code] = terminal
        self.recount(rule, terminal)

    def leave(self, rule: CellRule, terminal: Terminal) -> None:
        """Count it no more."""
        gathering = self.gatherings[rule.rule.name]
        del gathering.members[terminal.code]
        gathering.away.discard(terminal.code)
        gathering.bad.discard(terminal.code)

    def recount(self, rule: CellRule, terminal: Terminal) -> None:
        """Note whether a member is in service, and bad."""
        gathering = self.gatherings[rule.rule.name]
        serves = terminal.served if gathering.in_order else terminal.in_service
        _put(gathering.away, terminal.code, there=not serves)
        bad = serves and _holds_any(known(gathering, terminal), rule.members)
        _put(gathering.bad, terminal.code, there=bad)

    def verdict(self, rule: Rule, *, held: bool) -> Signal:
        """Whether the quorum is reached, of the members in service: silent ones are among them.

        With `within` it is reached by members that went bad within so long of one another; it lasts
        while so many are bad, whenever they went.
        """
        quorum = rule.trigger
        gathering = self.gatherings.get(rule.name)
        if gathering is None or not rule.enabled or not isinstance(quorum, Quorum):
            return Signal.CLEAR
        serving = len(gathering.members) - len(gathering.away)
        needed = max(quorum.at_least, math.ceil(quorum.share * serving - 1e-9))
        if len(gathering.bad) < needed:
            return Signal.CLEAR
        if held or quorum.within is None:
            return Signal.RAISE
        began = sorted(_began(gathering, gathering.members[code], quorum) for code in gathering.bad)
        together = _together(began, needed)
        return Signal.RAISE if together <= quorum.within else Signal.CLEAR


def known(gathering: Gathering, terminal: Terminal) -> dict[tuple[str, str], Hold]:
    """A member's holds as far as they are counted."""
    return terminal.told if gathering.in_order else terminal.holds


def _holds_any(holds: dict[tuple[str, str], Hold], rules: frozenset[str]) -> bool:
    return any(rule in rules and hold.phase in HOLDING for (rule, _), hold in holds.items())


def _put(codes: set[str], code: str, *, there: bool) -> None:
    if there:
        codes.add(code)
    else:
        codes.discard(code)


def homes(terminal: Terminal, rules: tuple[CellRule, ...]) -> Iterator[tuple[CellRule, str]]:
    """The cell in which each quorum rule counts a terminal: its own, or the one of a level above.

    Levels count from the top of the grid, which is 0.
    """
    path = (terminal.cell, *terminal.above)
    for rule in rules:
        level = rule.quorum.level
        if level is None:
            yield rule, terminal.cell
        elif level < len(path):
            yield rule, path[len(path) - 1 - level]


def above(terminal: Terminal, cell: str) -> tuple[str, ...]:
    """The cells above one of those that a terminal is in, the nearest first."""
    path = (terminal.cell, *terminal.above)
    return path[path.index(cell) + 1 :]


def _together(times: list[datetime], needed: int) -> timedelta:
    """The shortest while in which so many of these times lie."""
    ends = zip(times, times[needed - 1 :], strict=False)
    return min(last - first for first, last in ends)


def _began(gathering: Gathering, terminal: Terminal, quorum: Quorum) -> datetime:
    """When a member went bad, by our clock."""
    return min(
        hold.counted_at or hold.started_at
        for (name, _), hold in known(gathering, terminal).items()
        if name in quorum.members and hold.phase in HOLDING
    )
