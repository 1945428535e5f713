"""The stages of a rule's severity, from its YAML fields."""

from datetime import timedelta

import yaml

from fleet.rules.document import Fields, nearest
from fleet.rules.rule import Lasting, Quorum, Stage, Trigger, When
from fleet.rules.severity import Severity
from fleet.rules.triggers import read_condition

STAGE = ("to", "after", "when", "clear_when", "for", "clear_for")
"""The fields of one stage."""
_OF_CONDITION = ("clear_when", "for", "clear_for")


def read_stages(fields: Fields, trigger: Trigger, severity: Severity) -> tuple[Stage, ...]:
    """The stages of a rule, from the least to the worst, each worse than the one before."""
    found: list[Stage] = []
    for node in fields.members("escalate"):
        inner = Fields(fields.source, node, STAGE)
        if not isinstance(node, yaml.MappingNode):
            continue
        floor = found[-1].to if found else severity
        stage = _stage(inner, trigger, _worse(floor))
        if stage is not None:
            found.append(stage)
    return tuple(found)


def _worse(floor: Severity) -> tuple[str, ...]:
    every = list(Severity)
    return tuple(each.value for each in every[: every.index(floor)])


def _stage(fields: Fields, trigger: Trigger, worse: tuple[str, ...]) -> Stage | None:
    node = fields.scalar("to")
    if node is None:
        return None
    if node.value not in worse:
        hint = nearest(node.value, worse) if worse else "nothing is worse than critical"
        message = f"to cannot be {node.value}: each stage is worse than the one before"
        fields.report("to", message, hint)
        return None
    to = Severity(node.value)
    if ("after" in fields) == ("when" in fields):
        fields.report("to", "a stage comes with time or with a condition", "after: 2h, or when: …")
        return None
    if "after" in fields:
        for key in _OF_CONDITION:
            if key in fields:
                fields.report(key, f"{key} does not go with after: such a stage lasts to the end")
        return Stage(to, Lasting(), fields.duration("after", timedelta(seconds=1)))
    if isinstance(trigger, Quorum):
        fields.report("when", "a cell reads no property: its stages come with after")
        return None
    each = trigger.each if isinstance(trigger, When) else None
    condition = read_condition(fields, "when", each)
    clear = read_condition(fields, "clear_when", each) if "clear_when" in fields else None
    hold, clear_hold = fields.duration("for"), fields.duration("clear_for")
    if condition is None:
        return None
    return Stage(to, When(condition, clear, each), hold, clear_hold)
