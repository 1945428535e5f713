"""What a perfect system would have said of a run: from the truth, the holds of the catalogue and
what a terminal's sensors can show at all."""

import math
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass

from fleet.rules.catalogue import Catalogue
from fleet.rules.rule import Count, Quorum, Rule, Silent
from simulator.behaviour import Behaviour
from simulator.truth import Label, Line, Run
from simulator.wire import NOTICED_S
from tellergrid.score.spans import Span, merged, reached, without

SLACK_S = 3.0
"""What lasts no more than a rule's hold and this may be raised or not: neither is wrong."""
RECURS_S = 300.0
"""What is wrong again so soon is the same trouble still."""
AWAY = ("offline", "silent")
"""Reported as one another when one follows the other: a terminal that nobody hears."""


@dataclass(frozen=True, slots=True)
class Expected:
    """A fault that must be raised if `sure`; `why_not` says why one need not."""

    terminal: str
    name: str
    item: str
    span: Span
    cause: str
    component: str
    sure: bool
    why_not: str | None = None


@dataclass(frozen=True, slots=True)
class ExpectedCell:
    """A cell that so many members were unreachable in that there must be one fault for it."""

    cell: str
    span: Span
    sure: bool


@dataclass(frozen=True, slots=True)
class World:
    """What is known of the run beside the labels."""

    run: Run
    end: float
    catalogue: Catalogue
    behaviour: Behaviour
    absences: list[Span]
    cells: Mapping[str, list[str]]
    """The terminals of each cell."""

    @property
    def slack_s(self) -> float:
        """How much later than at once news may come through this world's lines."""
        how = self.behaviour
        late = how.lost or how.late or how.doubled or how.overtaken
        return SLACK_S + (how.heartbeat_s + 2 * how.late_s if late else 0.0)


def expected(world: World, truth: list[Line]) -> list[Expected]:
    """Every trouble there was, with the fault it must become."""
    rules = {rule.name: rule for rule in world.catalogue.rules}
    labels: dict[tuple[str, str, str], list[Label]] = defaultdict(list)
    mute: dict[str, list[Span]] = defaultdict(list)
    for line in truth:
        if isinstance(line, Label):
            labels[line.terminal, line.name, line.item].append(line)
            if line.name in AWAY:
                mute[line.terminal].append((line.begins_at, line.ends_at or world.end))
    found: list[Expected] = []
    for (terminal, name, _), same in labels.items():
        rule = rules.get(name)
        first = {each.begins_at: each for each in reversed(same)}
        clear_s = rule.clear_hold.total_seconds() if rule else 0.0
        # A hold under way is not bridged by a moment of order, as a fault is that has fired.
        spans = merged((each.begins_at, each.ends_at or world.end) for each in same)
        unseen = world.absences if name in AWAY else merged(mute[terminal])
        for span in merged(spans, max(clear_s, RECURS_S)):
            stretches = [each for each in spans if span[0] <= each[0] <= span[1]]
            found.append(_expect(world, first[span[0]], stretches, rule, unseen))
    return found


def _expect(
    world: World, label: Label, stretches: list[Span], rule: Rule | None, unseen: list[Span]
) -> Expected:
    component = rule.component if rule else ""
    span = (stretches[0][0], stretches[-1][1])
    pieces = [piece for stretch in stretches for piece in without(stretch, unseen)]
    seen = max((end - begin for begin, end in pieces), default=0.0)
    lasted = max(end - begin for begin, end in stretches)
    hold_s = _hold_s(rule) if rule else 0.0
    slack_s = world.slack_s
    if label.name in AWAY and world.behaviour.half_open:
        slack_s += NOTICED_S
    if label.name == "silent":
        slack_s += world.behaviour.heartbeat_s
    why_not = None
    if label.hidden:
        why_not = "no sensor notices it"
    elif seen <= hold_s:
        why_not = "over before the rule's hold"
    elif seen < lasted and seen <= hold_s + slack_s:
        why_not = "the terminal could not be heard"
    sure = why_not is None and seen > hold_s + slack_s
    return Expected(
        label.terminal, label.name, label.item, span, label.cause, component, sure, why_not
    )


def expected_cells(world: World, truth: list[Line]) -> list[ExpectedCell]:
    """The cells whose quorum of unreachable members was truly reached."""
    quorums = [rule for rule in world.catalogue.rules if isinstance(rule.trigger, Quorum)]
    away: dict[str, list[Span]] = defaultdict(list)
    for line in truth:
        if isinstance(line, Label) and line.name in AWAY:
            begin = line.begins_at
            if line.name == "silent":
                begin += _silence_s(world.catalogue)
            end = line.ends_at or world.end
            away[line.terminal] += without((begin, end), world.absences) if end > begin else []
    found: list[ExpectedCell] = []
    for rule in quorums:
        assert isinstance(rule.trigger, Quorum)  # noqa: S101 - chosen so above
        hold_s, gap_s = rule.hold.total_seconds(), rule.clear_hold.total_seconds()
        for cell, members in world.cells.items():
            share = math.ceil(rule.trigger.share * len(members) - 1e-9)
            needed = max(rule.trigger.at_least, share)
            spans = reached([merged(away[code]) for code in members], needed)
            for span in merged(spans, gap_s):
                longest = max(e - b for b, e in spans if span[0] <= b and e <= span[1])
                if longest > hold_s - SLACK_S:
                    found.append(ExpectedCell(cell, span, longest > hold_s + SLACK_S))
    return found


def _hold_s(rule: Rule) -> float:
    """How long it takes from the trouble to the fault: as long as the rule looks, and its hold."""
    trigger, hold_s = rule.trigger, rule.hold.total_seconds()
    if isinstance(trigger, Silent):
        return hold_s + trigger.after.total_seconds()
    return hold_s + (trigger.within.total_seconds() if isinstance(trigger, Count) else 0.0)


def _silence_s(catalogue: Catalogue) -> float:
    triggers = (rule.trigger for rule in catalogue.rules)
    return next((each.after.total_seconds() for each in triggers if isinstance(each, Silent)), 0.0)
