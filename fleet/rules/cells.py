"""Cells as the engine sees them: their members, which of them are bad, and the quorum's verdict."""

import math
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from fleet.rules.flapping import Transitions
from fleet.rules.hold import HOLDING, Hold, Signal
from fleet.rules.plan import CellRule
from fleet.rules.terminal import Terminal


@dataclass(slots=True)
class Gathering:
    """The members that one quorum rule counts in one cell, by code, and which of them are bad."""

    members: dict[str, Terminal] = field(default_factory=dict)
    bad: set[str] = field(default_factory=set)


@dataclass(slots=True)
class Cell:
    """One cell: the cells above it, what each quorum rule counts in it, and its holds."""

    code: str
    above: tuple[tuple[int, str], ...] = ()
    gatherings: dict[str, Gathering] = field(default_factory=dict)
    holds: dict[tuple[str, str], Hold] = field(default_factory=dict)
    transitions: dict[tuple[str, str], Transitions] = field(default_factory=dict)

    def join(self, rule: CellRule, terminal: Terminal) -> None:
        """Count a terminal as a member for a rule."""
        gathering = self.gatherings.setdefault(rule.rule.name, Gathering())
        gathering.members[terminal.code] = terminal
        self.recount(rule, terminal)

    def leave(self, rule: CellRule, terminal: Terminal) -> None:
        """Count it no more."""
        gathering = self.gatherings[rule.rule.name]
        del gathering.members[terminal.code]
        gathering.bad.discard(terminal.code)

    def recount(self, rule: CellRule, terminal: Terminal) -> None:
        """Note whether a member is bad."""
        bad = self.gatherings[rule.rule.name].bad
        if terminal.holds_any(rule.members):
            bad.add(terminal.code)
        else:
            bad.discard(terminal.code)

    def verdict(self, rule: CellRule, *, held: bool) -> Signal:
        """Whether the quorum is reached, of the members in service: silent ones are among them.

        With `within` it is reached by members that went bad within so long of one another; it lasts
        while so many are bad, whenever they went.
        """
        gathering = self.gatherings.get(rule.rule.name, _NOBODY)
        members = [code for code, each in gathering.members.items() if each.in_service]
        share = math.ceil(rule.quorum.share * len(members) - 1e-9)
        needed = max(rule.quorum.at_least, share)
        bad = [gathering.members[code] for code in gathering.bad]
        bad = [member for member in bad if member.in_service]
        if len(bad) < needed:
            return Signal.CLEAR
        if held or rule.quorum.within is None:
            return Signal.RAISE
        together = _together(sorted(_began(member, rule) for member in bad), needed)
        return Signal.RAISE if together <= rule.quorum.within else Signal.CLEAR


_NOBODY = Gathering()


def homes(terminal: Terminal, rules: tuple[CellRule, ...]) -> Iterator[tuple[CellRule, str]]:
    """The cell in which each quorum rule counts a terminal: its own, or the one of a level above."""
    for rule in rules:
        if rule.quorum.level is None:
            yield rule, terminal.cell
        else:
            yield from (
                (rule, code) for level, code in terminal.above if level == rule.quorum.level
            )


def _together(times: list[datetime], needed: int) -> timedelta:
    """The shortest while in which so many of these times lie."""
    ends = zip(times, times[needed - 1 :], strict=False)
    return min(last - first for first, last in ends)


def _began(terminal: Terminal, rule: CellRule) -> datetime:
    """When a member went bad, by our clock."""
    began = [
        hold.started_at
        for (name, _), hold in terminal.holds.items()
        if name in rule.members and hold.phase in HOLDING
    ]
    return min(began) + terminal.lag
