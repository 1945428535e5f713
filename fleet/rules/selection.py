"""Which rules hold for whom: the catalogue's rules, and what its overrides make of them.

Terminals that the same overrides cover share one plan, so a fleet has as many plans as there are
differences, not as there are terminals.
"""

from collections.abc import Hashable, Iterable, Sequence
from dataclasses import dataclass, fields, replace
from fnmatch import fnmatchcase

from fleet.rules.plan import Plan, plan
from fleet.rules.rule import Rule, Unsaid
from fleet.rules.terminal import Terminal

_ANY = frozenset[str]()
_ATTRIBUTES = {
    "for": "hold",
    "clear_for": "clear_hold",
    "when": "condition",
    "silent_for": "after",
    "never_seen_for": "after",
    "escalate": "stages",
}
_OF_RULE = frozenset(field.name for field in fields(Rule))


@dataclass(frozen=True, slots=True)
class Where:
    """Which terminals: all that is given must match. `terminals` are codes with `*` and `?`."""

    kinds: frozenset[str] = _ANY
    vendors: frozenset[str] = _ANY
    models: frozenset[str] = _ANY
    regions: frozenset[str] = _ANY
    cells: frozenset[str] = _ANY
    terminals: frozenset[str] = _ANY

    def includes(self, terminal: Terminal) -> bool:
        """Whether a terminal is meant; a cell means all below it too."""
        return (
            (not self.kinds or terminal.kind in self.kinds)
            and (not self.vendors or terminal.vendor in self.vendors)
            and (not self.models or terminal.model in self.models)
            and (not self.regions or terminal.region in self.regions)
            and (not self.cells or not self.cells.isdisjoint((terminal.cell, *terminal.above)))
            and (not self.terminals or any(fnmatchcase(terminal.code, p) for p in self.terminals))
        )


@dataclass(frozen=True, slots=True)
class Override:
    """What some rules say elsewhere: `rules` as this override alone makes them, `keys` what it
    sets. Of several `groups` a terminal must be in one."""

    rules: tuple[Rule, ...]
    keys: tuple[str, ...]
    where: Where
    groups: tuple[Where, ...] = ()

    def covers(self, terminal: Terminal) -> bool:
        """Whether it holds for a terminal."""
        groups = not self.groups or any(group.includes(terminal) for group in self.groups)
        return groups and self.where.includes(terminal)

    def covers_cell(self, code: str, above: tuple[str, ...]) -> bool:
        """Whether it holds for a cell itself: then it is told by cells alone."""
        return not self.where.cells or not self.where.cells.isdisjoint((code, *above))

    def apply(self, rule: Rule) -> Rule:
        """The rule with what this override sets; others stay as they are."""
        variant = next((each for each in self.rules if each.name == rule.name), None)
        if variant is not None:
            for key in self.keys:
                rule = _taking(rule, variant, _attribute(rule, key))
        return rule


def _attribute(rule: Rule, key: str) -> str:
    if key == "silent_for" and isinstance(rule.trigger, Unsaid):
        return "hold"
    return _ATTRIBUTES.get(key, key)


def _taking(rule: Rule, variant: Rule, name: str) -> Rule:
    if name in _OF_RULE:
        return replace(rule, **{name: getattr(variant, name)})
    trigger = replace(rule.trigger, **{name: getattr(variant.trigger, name)})
    return replace(rule, trigger=trigger)


class Selection:
    """The rules by name, and for each terminal and cell what they say there."""

    def __init__(self, rules: Iterable[Rule], overrides: Sequence[Override] = ()) -> None:
        self.rules = {rule.name: rule for rule in rules}
        self._overrides = tuple(overrides)
        self._by_vendor = any(rule.vendors for rule in self.rules.values())
        self._plans: dict[Hashable, Plan] = {}
        self._of_cells: dict[tuple[str, str, tuple[str, ...]], Rule] = {}
        of_cells = {rule.name for rule in self.rules.values() if rule.scope != "terminal"}
        self._overridden = {
            rule.name for each in overrides for rule in each.rules if rule.name in of_cells
        }

    def plan(self, terminal: Terminal) -> Plan:
        """The rules of a terminal, arranged for evaluation."""
        chosen = tuple(each for each in self._overrides if each.covers(terminal))
        vendor = terminal.vendor if self._by_vendor else ""
        key = (terminal.kind, vendor, tuple(map(id, chosen)))
        found = self._plans.get(key)
        if found is None:
            rules = (_applied(rule, chosen) for rule in self.rules.values())
            mine = [rule for rule in rules if not rule.vendors or terminal.vendor in rule.vendors]
            found = self._plans[key] = plan(mine, terminal.kind)
        return found

    def of_cell(self, rule: Rule, code: str, above: tuple[str, ...] = ()) -> Rule:
        """What a rule about cells says in one of them."""
        if rule.name not in self._overridden:
            return rule
        found = self._of_cells.get((rule.name, code, above))
        if found is None:
            chosen = [each for each in self._overrides if each.covers_cell(code, above)]
            found = self._of_cells[rule.name, code, above] = _applied(rule, chosen)
        return found


def _applied(rule: Rule, overrides: Iterable[Override]) -> Rule:
    for each in overrides:
        rule = each.apply(rule)
    return rule
