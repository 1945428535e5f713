"""The catalogue arranged for evaluation: per kind of terminal, which rules an input touches."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from itertools import chain

from fleet.rules.condition import Answer, Condition
from fleet.rules.rule import Count, Offline, Quorum, Rate, Rule, Silent, Unsaid, Unseen, When
from fleet.rules.stages import stages
from fleet.service_state import ServiceState
from fleet.snapshot import Value


@dataclass(frozen=True, slots=True)
class Plan:
    """The rules of some terminals: alike in kind, vendor and what is overridden for them."""

    rules: Mapping[str, Rule]
    conditions: tuple[tuple[Rule, When], ...]
    by_input: Mapping[str, tuple[tuple[Rule, When], ...]]
    """By path; of lists `storage[].status` for a member's, `storage` for who is in it."""
    asked: tuple[tuple[str, Answer], ...]
    asked_together: tuple[Condition, ...]
    """The conditions over metrics alone, those over one of them and those over several: an
    unchanged snapshot asks no others."""
    mixed: frozenset[str]
    """Metrics that a condition reads beside something else."""
    silent: Mapping[str, timedelta]
    offline: tuple[Rule, ...]
    counts: tuple[tuple[Rule, Count], ...]
    impacts: Mapping[str, ServiceState]
    rates: Mapping[str, tuple[tuple[Rule, Rate], ...]]
    """The rules about how fast a value moves, by what they read."""
    parts: Mapping[str, tuple[Rule, ...]]
    """The rules about components that are said no more, by component."""
    unseen: Mapping[str, timedelta]
    staged: Mapping[str, tuple[Rule, ...]]
    """The rules that have stages which read an input, by input."""

    def __deepcopy__(self, _memo: object) -> "Plan":
        return self

    def touched(self, inputs: Iterable[str]) -> Iterable[tuple[Rule, When]]:
        """The conditions that read any of these inputs, each once."""
        found = {
            rule.name: (rule, trigger)
            for name in inputs
            for rule, trigger in self.by_input.get(name, ())
        }
        return found.values()

    def raises(self, metrics: Mapping[str, Value]) -> bool:
        """Whether metrics alone raise anything."""
        for path, answer in self.asked:  # asked of nearly every message: no more than it takes
            if answer(metrics.get(path)):
                return True
        together = self.asked_together
        return bool(together) and any(condition.evaluate(metrics) for condition in together)

    def mixes(self, before: Mapping[str, Value], after: Mapping[str, Value]) -> bool:
        """Whether metrics changed that are read beside something else."""
        return any(after.get(name) != before.get(name) for name in self.mixed)


@dataclass(frozen=True, slots=True)
class CellRule:
    """A quorum rule of cells; `members` are the terminal rules it counts."""

    rule: Rule
    quorum: Quorum
    members: frozenset[str]
    in_order: bool = False
    """What it counts is told in order: it hears of it once nothing earlier can come."""


def plan(rules: Iterable[Rule], kind: str) -> Plan:
    """The plan for a kind of terminal."""
    mine = [
        rule
        for rule in rules
        if rule.enabled and rule.scope == "terminal" and kind in (rule.kinds or {kind})
    ]
    conditions = [(rule, rule.trigger) for rule in mine if isinstance(rule.trigger, When)]
    by_input: dict[str, list[tuple[Rule, When]]] = {}
    for rule, trigger in conditions:
        for name in _inputs(trigger):
            by_input.setdefault(name, []).append((rule, trigger))
    rates = _rates(mine)
    of_metrics = {w.condition for name in by_input if _metric(name) for _, w in by_input[name]}
    alone = [each for each in of_metrics if all(map(_metric, each.inputs))]
    return Plan(
        rules={each.name: each for rule in mine for each in (rule, *stages(rule))},
        conditions=tuple(conditions),
        by_input={name: tuple(readers) for name, readers in by_input.items()},
        asked=tuple(each.only for each in alone if each.only),
        asked_together=tuple(each for each in alone if not each.only),
        mixed=frozenset(
            filter(_metric, chain(rates, *(each.inputs for each in of_metrics.difference(alone))))
        ),
        silent={r.name: r.trigger.after for r in mine if isinstance(r.trigger, Silent)},
        offline=tuple(rule for rule in mine if isinstance(rule.trigger, Offline)),
        counts=tuple((rule, rule.trigger) for rule in mine if isinstance(rule.trigger, Count)),
        impacts={r.name: r.impact for r in mine if r.impact is not None and not r.shadow},
        rates=rates,
        parts=_parts(mine),
        unseen={r.name: r.trigger.after for r in mine if isinstance(r.trigger, Unseen)},
        staged=_staged(mine),
    )


def cell_rules(rules: Iterable[Rule]) -> tuple[CellRule, ...]:
    """The quorum rules."""
    return tuple(
        CellRule(rule, rule.trigger, frozenset(rule.trigger.members))
        for rule in rules
        if isinstance(rule.trigger, Quorum)
    )


def _rates(rules: Iterable[Rule]) -> Mapping[str, tuple[tuple[Rule, Rate], ...]]:
    found: dict[str, tuple[tuple[Rule, Rate], ...]] = {}
    for rule in rules:
        if isinstance(rate := rule.trigger, Rate):
            own = {rate.of} if rate.each is None else {rate.each, f"{rate.each}[].{rate.of}"}
            for name in own | (rate.given.inputs if rate.given else frozenset()):
                found[name] = (*found.get(name, ()), (rule, rate))
    return found


def _parts(rules: Iterable[Rule]) -> Mapping[str, tuple[Rule, ...]]:
    found: dict[str, tuple[Rule, ...]] = {}
    for rule in rules:
        if isinstance(rule.trigger, Unsaid):
            component = rule.trigger.component
            found[component] = (*found.get(component, ()), rule)
    return found


def _staged(rules: Iterable[Rule]) -> Mapping[str, tuple[Rule, ...]]:
    found: dict[str, tuple[Rule, ...]] = {}
    for rule in rules:
        triggers = [stage.trigger for stage in rule.stages]
        read = frozenset[str]().union(*(_inputs(t) for t in triggers if isinstance(t, When)))
        for name in read:
            found[name] = (*found.get(name, ()), rule)
    return found


def _metric(name: str) -> bool:
    return name.startswith("metrics.")


def _inputs(trigger: When) -> frozenset[str]:
    conditions = [trigger.condition, *([trigger.clear_when] if trigger.clear_when else [])]
    if trigger.each is None:
        return frozenset(name for each in conditions for name in each.inputs)
    paths = (path for each in conditions for path in each.paths)
    return frozenset({trigger.each, *(f"{trigger.each}[].{path}" for path in paths)})


NO_PLAN = plan((), "")
"""Of a terminal that no engine has adopted yet."""
