"""Which rules lack a test: each needs one in which it fires and one in which it does not.

A test in which a rule keeps quiet counts only if it touches what the rule looks at: a story in
which nothing is said of the card reader proves nothing about the card reader's rules.
"""

from collections.abc import Iterator, Sequence

from fleet.rules.rule import (
    Count,
    Lasting,
    Offline,
    Quorum,
    Rate,
    Rule,
    Silent,
    Unsaid,
    Unseen,
    When,
)
from fleet.rules.trials.story import Fate, Trial


def lacking(rules: Sequence[Rule], trials: Sequence[Trial]) -> Iterator[tuple[str, str]]:
    """Each rule without a firing or without a non-firing test, and which of the two it lacks."""
    for rule in rules:
        about = [trial for trial in trials if trial.rule == rule.name]
        firing = [trial for trial in about if any(f.rule == rule.name for f in trial.faults)]
        if not firing:
            yield rule.name, "firing"
        if not any(trial not in firing and _touches(rule, trial) for trial in about):
            yield rule.name, "non-firing"


def _touches(rule: Rule, trial: Trial) -> bool:
    match rule.trigger:
        case When(condition=condition):
            said = {path.partition("[")[0] for each in trial.players for path in each.series}
            return bool(condition.inputs & said)
        case Silent() | Unseen():
            return _happens(trial, Fate.LOST)
        case Unsaid(component):
            return any(_is_of(path, component) for each in trial.players for path in each.series)
        case Rate(of=of, each=each):
            read = of if each is None else each
            return any(
                path.partition("[")[0] == read for player in trial.players for path in player.series
            )
        case Offline():
            return _happens(trial, Fate.WILL)
        case Count():
            return any(each.events for each in trial.players)
        case Quorum():
            return len(trial.players) > 1
        case Lasting():
            return False


def _is_of(path: str, component: str) -> bool:
    return path.partition(".")[0].partition("[")[0] == component


def _happens(trial: Trial, fate: Fate) -> bool:
    return any(sending.fate is fate for each in trial.players for sending in each.messages)
