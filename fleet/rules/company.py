"""Whose faults are told in one order: that of what happened, whatever the order of its news.

A quorum that counts what terminals say of themselves hears of it when their messages come, and
those of different terminals come in any order. So such a quorum, the rules that it counts, and all
that these speak for or are spoken for by, are told only when nothing earlier can come any more.
Quorums that count only what we notice ourselves, by our own clock, need not wait for anything.
"""

from collections.abc import Iterable, Mapping

from fleet.rules.plan import CellRule
from fleet.rules.rule import Offline, Rule, Silent, Unseen

OURS = Offline | Silent | Unseen
"""What is judged on arrival or its absence: our clock says when it happened."""


def in_company(rules: Mapping[str, Rule], quorums: Iterable[CellRule]) -> frozenset[str]:
    """The rules, of terminals and of cells, whose faults must be told in the order of events."""
    companies: list[set[str]] = []
    for each in quorums:
        _unite(companies, {each.rule.name, *each.members})
    for name, rule in rules.items():
        if rule.caused_by:
            _unite(companies, {name, *rule.caused_by})
    late = {name for each in quorums for name in each.members if _is_said(rules.get(name))}
    return frozenset[str]().union(*(each for each in companies if each & late))


def _unite(companies: list[set[str]], new: set[str]) -> None:
    """Add one company; those that share somebody with it are one with it."""
    apart = [each for each in companies if not each & new]
    companies[:] = [*apart, new.union(*(each for each in companies if each & new))]


def _is_said(rule: Rule | None) -> bool:
    return rule is not None and not isinstance(rule.trigger, OURS)
