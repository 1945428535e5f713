"""The cells of a region: who is counted where, and what their quorums say when something moved."""

from collections.abc import Iterator
from dataclasses import replace

from fleet.grid import UNASSIGNED
from fleet.rules.cells import Cell, above, homes
from fleet.rules.hold import Signal
from fleet.rules.plan import cell_rules
from fleet.rules.rule import Rule
from fleet.rules.selection import Selection
from fleet.rules.terminal import Terminal

Verdict = tuple[Cell, Rule, Signal]
"""What a rule says of a cell."""


class Quorums:
    """The cells that have members here, by code, and the rules that count in them."""

    def __init__(self, selection: Selection, region: str, in_order: frozenset[str]) -> None:
        """The quorums `in_order` count what was told, and are asked apart from the others."""
        self.rules = tuple(
            replace(each, in_order=each.rule.name in in_order)
            for each in cell_rules(selection.rules.values())
        )
        self.cells: dict[str, Cell] = {}
        self._selection = selection
        self._region = region
        self._counted = frozenset[str]().union(*(each.members for each in self.rules))
        self._touched: dict[bool, set[str]] = {False: set(), True: set()}

    def join(self, terminal: Terminal) -> None:
        """Count a terminal as a member of its cells."""
        for each, code in homes(terminal, self.rules):
            cell = self.cells.setdefault(code, Cell(code))
            cell.above = above(terminal, code)
            cell.join(each, terminal)
            self._touched[each.in_order].add(code)

    def leave(self, terminal: Terminal) -> None:
        """Count it no more."""
        for each, code in homes(terminal, self.rules):
            self.cells[code].leave(each, terminal)
            self._touched[each.in_order].add(code)

    def recount(self, terminal: Terminal, *, in_order: bool = False) -> None:
        """A terminal came into service or went out of it."""
        for each, code in homes(terminal, self.rules):
            if each.in_order is in_order:
                self.cells[code].recount(each, terminal)
                self._touched[in_order].add(code)

    def moved(self, terminal: Terminal, rule: str) -> None:
        """A terminal's hold of a rule is another: those who count it count again."""
        if rule not in self._counted:
            return
        for each, code in homes(terminal, self.rules):
            if rule in each.members:
                self.cells[code].recount(each, terminal)
                self._touched[each.in_order].add(code)

    def touch(self, cell: str) -> None:
        """Ask a cell's quorum rules again when it is next time."""
        for touched in self._touched.values():
            touched.add(cell)

    def are_touched(self) -> bool:
        """Whether quorums that count what was told are to be asked again."""
        return bool(self._touched[True])

    def verdicts(self, *, in_order: bool = False) -> Iterator[Verdict]:
        """What the rules say of every cell that was touched, until none is any more."""
        touched = self._touched[in_order]
        while touched:
            cell = self.cells[touched.pop()]
            if cell.code == UNASSIGNED:
                continue
            for each in self.rules:
                if each.in_order is in_order:
                    rule = self._selection.of_cell(each.rule, cell.code, cell.above)
                    held = (rule.name, self._region) in cell.holds
                    yield cell, rule, cell.verdict(rule, held=held)
