"""Severity in stages: each is a hold of its own beside the hold of the fault that it rates.

So a stage has its own `for` and `clear_for`, its timers are as exact as any, and it goes on across
restarts as any hold does. While the fault fires its severity is the worst of its own and of those
stages that hold. While it is clearing nothing is rated: it may be over already.
"""

from dataclasses import replace
from functools import lru_cache

from fleet.rules.rule import Rule

_BETWEEN = "/"


@lru_cache(maxsize=4096)
def stages(rule: Rule) -> tuple[Rule, ...]:
    """The stages of a rule, as rules: `jam/critical` is the stage of `jam` that is critical."""
    return tuple(
        replace(
            rule,
            name=f"{rule.name}{_BETWEEN}{stage.to}",
            trigger=stage.trigger,
            hold=stage.hold,
            clear_hold=stage.clear_hold,
            severity=stage.to,
            impact=None,
            caused_by=(),
            stages=(),
            of=rule.name,
        )
        for stage in rule.stages
    )


def rated(name: str) -> str:
    """The rule that a stage rates, by the name of the stage; of any other rule its own name."""
    return name.partition(_BETWEEN)[0]
