"""Why a cell has a fault, or none: who is counted, who is bad since when, and what that takes."""

import math
from collections.abc import Iterator
from datetime import datetime, timedelta

from fleet.rules import duration
from fleet.rules.cells import Cell, Gathering, known
from fleet.rules.explanation import (
    Answer,
    Explanation,
    Known,
    Member,
    Standing,
    Window,
    moving,
    timer_of,
    told,
)
from fleet.rules.hold import HOLDING
from fleet.rules.rule import Quorum, Rule


def explain_cell(
    cell: Cell,
    rule: Rule,
    region: str,
    at: datetime,
    catalogue: str,
    standing: Standing,
    faults: tuple[Known, ...] = (),
    windows: tuple[Window, ...] = (),
    told_after: timedelta = timedelta(),
) -> Explanation:
    """Explain what a rule says of a cell as it stands at `at`, in its part in a region.

    `faults` are those of the rule there that are open then, `windows` what holds their tickets.
    What a cell counts that hears of its members in order is known `told_after` it was so.
    """
    answers: tuple[Answer, ...] = ()
    members: tuple[Member, ...] = ()
    conclusion = "no fault: the rule counts nobody in this cell"
    gathering = cell.gatherings.get(rule.name)
    if not rule.enabled:
        conclusion = "no fault: the rule is not enabled for this cell"
    elif gathering is not None and isinstance(rule.trigger, Quorum):
        members = tuple(_bad(gathering, rule.trigger))
        answers = (_answer(cell, rule, rule.trigger, gathering, region, told_after),)
        conclusion = answers[0].conclusion
    if faults:
        counted = f"; {_counted(gathering, rule)}" if gathering else ""
        conclusion = told(faults[0], windows) + counted
    return Explanation(
        subject=cell.code,
        rule=rule.name,
        at=at,
        catalogue=catalogue,
        standing=standing,
        conclusion=conclusion,
        answers=answers,
        faults=faults,
        windows=windows,
        members=members,
    )


def _bad(gathering: Gathering, quorum: Quorum) -> Iterator[Member]:
    """Those that are bad, the first to be so first, by which rule and since when."""
    found = [
        Member(code, name, hold.started_at)
        for code in gathering.bad
        for (name, _), hold in known(gathering, gathering.members[code]).items()
        if name in quorum.members and hold.phase in HOLDING
    ]
    yield from sorted(found, key=lambda each: (each.started_at, each.terminal, each.rule))


def _answer(
    cell: Cell,
    rule: Rule,
    quorum: Quorum,
    gathering: Gathering,
    region: str,
    told_after: timedelta,
) -> Answer:
    serving, bad = len(gathering.members) - len(gathering.away), len(gathering.bad)
    timer = timer_of(cell, rule, region)
    inputs = {
        "members": len(gathering.members),
        "in service": serving,
        "bad": bad,
        "share": f"{bad / serving:.0%}" if serving else None,
        "at least": quorum.at_least,
        "share needed": f"{quorum.share:.0%}",
        "needed": max(quorum.at_least, math.ceil(quorum.share * serving - 1e-9)),
        "within": None if quorum.within is None else duration.render(quorum.within),
    }
    if told_after and gathering.in_order:
        inputs["told after"] = duration.render(told_after)
    counted = _counted(gathering, rule)
    conclusion = f"{moving(timer)}; {counted}" if timer else f"no fault: {counted}"
    if timer is None and bad >= int(inputs["needed"] or 0):
        conclusion += f", gone bad within {inputs['within']} of one another"
    if quorum.within is None:
        del inputs["within"]
    return Answer(region, dict(inputs), None, None, timer, conclusion)


def _counted(gathering: Gathering, rule: Rule) -> str:
    serving, bad = len(gathering.members) - len(gathering.away), len(gathering.bad)
    text = f"{bad} of {serving} terminals in service are bad"
    if isinstance(rule.trigger, Quorum):
        needed = f"{rule.trigger.at_least} terminals and {rule.trigger.share:.0%}"
        text += f"; it takes {needed} of those in service"
    return text
