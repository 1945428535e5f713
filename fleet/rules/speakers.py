"""Who speaks for whom: a cell's fault for its members' and for those of narrower cells, a
terminal's cause for its consequences. Whoever is spoken for raises no ticket of its own.

What speaks is decided first: while the hold of a cell or a cause is pending, those that it would
speak for wait. A wider cell comes before a narrower one, a cell before its members, a cause before
its consequences.
"""

from collections.abc import Iterable, Iterator, Mapping
from uuid import UUID

from fleet.rules.causes import closure
from fleet.rules.cells import Cell, homes
from fleet.rules.changes import HoldKey
from fleet.rules.hold import Hold, Phase
from fleet.rules.plan import CellRule
from fleet.rules.rule import Rule
from fleet.rules.steps import Fire
from fleet.rules.terminal import Terminal

Subject = Terminal | Cell
Spoken = tuple[Subject, str, str, Hold]
"""A hold that may be spoken for: whose, of which rule, on which item."""


def key_of(subject: Subject, rule: str, item: str) -> HoldKey:
    """Under which key a hold of a subject is written down."""
    scope = "terminal" if isinstance(subject, Terminal) else "cell"
    return HoldKey(scope, subject.code, rule, item)


class Speakers:
    """The order of deciding among the rules of a catalogue."""

    def __init__(
        self,
        rules: Mapping[str, Rule],
        cell_rules: tuple[CellRule, ...],
        cells: Mapping[str, Cell],
        in_order: frozenset[str],
    ) -> None:
        """Of the rules `in_order` what was told counts, not what is so meanwhile."""
        self._in_order = in_order
        speaking = [each for each in cell_rules if not each.rule.shadow]
        self._cell_rules = tuple(sorted(speaking, key=_width))
        self._cells = cells
        caused_by = {name: rule.caused_by for name, rule in rules.items()}
        self._causes = {name: tuple(closure(name, caused_by)) for name in rules}
        self._effects: dict[str, frozenset[str]] = {
            name: frozenset(other for other, causes in self._causes.items() if name in causes)
            for name in rules
        }
        counted = frozenset[str]().union(*(each.members for each in speaking))
        self.spoken_for = counted | {name for name, causes in self._causes.items() if causes}
        """Rules about terminals that must ask before they fire."""

    def speaker(self, subject: Subject, rule: str) -> UUID | None:
        """The open fault that speaks for a fault of this rule: the widest cell's first."""
        return next((h.fault_id for h in self._over(subject, rule) if h.fault_id), None)

    def speaks(self, subject: Subject, rule: str) -> bool:
        """Whether others may wait for a fault of this rule."""
        return isinstance(subject, Cell) or bool(self._effects.get(rule))

    def undecided(self, subject: Subject, rule: str) -> bool:
        """Whether something that would speak for it is pending still, or not told yet."""
        return any(_is_open(hold) for hold in self._over(subject, rule))

    def known(self, subject: Subject) -> Iterator[tuple[tuple[str, str], Hold]]:
        """The holds of a subject, as far as others know of them, by rule and item."""
        if isinstance(subject, Cell) or not (self._in_order or subject.steps):
            yield from subject.holds.items()
            return
        # Of a rule that was told in order by the catalogue before, a fault may wait still.
        untold = {step.word.id for step in subject.steps.values() if isinstance(step.word, Fire)}
        for key, hold in subject.holds.items():
            if key[0] not in self._in_order and hold.fault_id not in untold:
                yield key, hold
        yield from subject.told.items()

    def under(self, subject: Subject, rule: str) -> Iterator[Spoken]:
        """The faults that a fault of this rule may speak for."""
        if isinstance(subject, Cell):
            yield from self._of_cell(subject, rule)
        else:
            effects = self._effects.get(rule, frozenset())
            yield from self._faults(subject, effects)

    def _of_cell(self, cell: Cell, rule: str) -> Iterator[Spoken]:
        mine = next((each for each in self._cell_rules if each.rule.name == rule), None)
        if mine is None or rule not in cell.gatherings:
            return
        narrower = [other for other in self._cell_rules if _narrower(other, mine)]
        within: dict[str, Cell] = {}
        for terminal in cell.gatherings[rule].members.values():
            yield from self._faults(terminal, mine.members)
            for _, code in homes(terminal, tuple(narrower)):
                within[code] = self._cells[code]
        for inner in within.values():
            yield from self._faults(inner, frozenset(other.rule.name for other in narrower))

    def _over(self, subject: Subject, rule: str) -> Iterator[Hold]:
        if isinstance(subject, Terminal):
            for each, code in homes(subject, self._cell_rules):
                if rule in each.members and code in self._cells:
                    yield from self._of(self._cells[code], each.rule.name)
            for cause in self._causes.get(rule, ()):
                yield from self._of(subject, cause)
            return
        mine = next((each for each in self._cell_rules if each.rule.name == rule), None)
        for each in self._cell_rules:
            if mine is not None and _narrower(mine, each):
                level = each.quorum.level or 0
                if level < len(subject.above):
                    code = subject.above[len(subject.above) - 1 - level]
                    if code in self._cells:
                        yield from self._of(self._cells[code], each.rule.name)

    def _of(self, subject: Subject, rule: str) -> Iterable[Hold]:
        return [hold for (name, _), hold in self.known(subject) if name == rule]

    def _faults(self, subject: Subject, rules: frozenset[str]) -> list[Spoken]:
        return [
            (subject, name, item, hold)
            for (name, item), hold in self.known(subject)
            if name in rules and hold.fault_id
        ]


def _is_open(hold: Hold) -> bool:
    return hold.phase is Phase.PENDING or hold.fault_id is None


def _width(rule: CellRule) -> int:
    """The widest first: level 0 is the top of the grid, a terminal's own cell the narrowest."""
    return 1_000_000 if rule.quorum.level is None else rule.quorum.level


def _narrower(one: CellRule, other: CellRule) -> bool:
    """Whether a rule counts some of the same in cells below the other's."""
    return _width(one) > _width(other) and bool(one.members & other.members)
