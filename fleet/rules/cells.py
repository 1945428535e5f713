"""Cells as the engine sees them: their members, which of them are bad, and the quorum's verdict."""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from uuid import UUID

from fleet.rules.flapping import Transitions
from fleet.rules.hold import Hold, Phase, Signal
from fleet.rules.plan import CellRule
from fleet.rules.rule import Quorum, Rule
from fleet.rules.terminal import Terminal


@dataclass(slots=True)
class Cell:
    """One cell: its members by code, who is bad by rule, and its holds."""

    code: str
    above: tuple[str, ...] = ()
    members: dict[str, Terminal] = field(default_factory=dict)
    bad: dict[str, set[str]] = field(default_factory=dict)
    holds: dict[tuple[str, str], Hold] = field(default_factory=dict)
    transitions: dict[tuple[str, str], Transitions] = field(default_factory=dict)

    def recount(self, rules: tuple[CellRule, ...], terminal: Terminal) -> None:
        """Note whether a member is bad, for each quorum rule."""
        for rule in rules:
            bad = self.bad.setdefault(rule.rule.name, set())
            if terminal.code in self.members and terminal.holds_any(rule.members):
                bad.add(terminal.code)
            else:
                bad.discard(terminal.code)

    def verdict(self, rule: Rule) -> Signal:
        """Whether the quorum is reached: of the members in service, silent ones included."""
        quorum = rule.trigger
        if not rule.enabled or not isinstance(quorum, Quorum):
            return Signal.CLEAR
        share = math.ceil(quorum.share * len(self.members) - 1e-9)
        needed = max(quorum.at_least, share)
        return Signal.RAISE if len(self.bad.get(rule.name, ())) >= needed else Signal.CLEAR


def speaker(
    cells: Mapping[str, Cell], rules: tuple[CellRule, ...], cell: str, rule: str
) -> UUID | None:
    """The open fault of a cell that speaks for a member's fault of this rule, if there is one."""
    return next((h.fault_id for h in _over(cells, rules, cell, rule) if h.fault_id), None)


def undecided(cells: Mapping[str, Cell], rules: tuple[CellRule, ...], cell: str, rule: str) -> bool:
    """Whether a quorum that counts this rule is reached but its own hold is not over yet."""
    return any(h.phase is Phase.PENDING for h in _over(cells, rules, cell, rule))


def _over(
    cells: Mapping[str, Cell], rules: tuple[CellRule, ...], cell: str, rule: str
) -> list[Hold]:
    if cell not in cells:
        return []
    holds = cells[cell].holds
    found = (holds.get((each.rule.name, "")) for each in rules if rule in each.members)
    return [hold for hold in found if hold is not None]
