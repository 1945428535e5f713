"""Whether a test holds, and how what came differs from what was expected, for a person to read."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta

from fleet.rules import duration
from fleet.rules.rule import Rule
from fleet.rules.selection import Selection
from fleet.rules.trials.play import play
from fleet.rules.trials.seen import Seen
from fleet.rules.trials.story import Interval, Trial
from fleet.service_state import ServiceState


@dataclass(frozen=True, slots=True)
class Verdict:
    """A test and its differences, a line each; none: it holds."""

    trial: Trial
    differences: tuple[str, ...]

    @property
    def holds(self) -> bool:
        """Whether all came as expected."""
        return not self.differences


def judge(trial: Trial, rules: Sequence[Rule] | Selection) -> Verdict:
    """Play a test and compare."""
    seen = play(trial, rules)
    return Verdict(trial, (*_faults(trial, seen), *_states(trial, seen)))


def _faults(trial: Trial, seen: Seen) -> Iterable[str]:
    """Each expected fault beside the one that came of the same rule, on the same, in its order."""
    came = sorted(seen.faults.values(), key=_order)
    unmet = [one for one in trial.faults if not any(one.meets(each) for each in came)]
    surplus = [each for each in came if not any(one.meets(each) for one in trial.faults)]
    for expected in sorted(unmet, key=_order):
        match = next((each for each in surplus if _cause(each) == _cause(expected)), None)
        yield f"expected  {_said(expected)}"
        if match is not None:
            surplus.remove(match)
        yield f"but came  {_said(_looked_at(match, expected)) if match else 'none'}"
    for each in surplus:
        yield f"not expected  {_said(replace(each, ticket=''))}"


def _states(trial: Trial, seen: Seen) -> Iterable[str]:
    for number, player in enumerate(trial.players):
        came = tuple(seen.states.get(number, ()))
        if player.states is not None and player.states != came:
            yield f"expected  states of {player.name}: {_listed(player.states)}"
            yield f"but came  states of {player.name}: {_listed(came)}"


def _order(fault: Interval) -> tuple[object, ...]:
    return fault.fire, fault.subject, fault.rule, fault.item


def _cause(fault: Interval) -> tuple[str, str, str]:
    return fault.rule, fault.subject, fault.item


def _looked_at(came: Interval, expected: Interval) -> Interval:
    return came if expected.ticket else replace(came, ticket="")


def _said(fault: Interval) -> str:
    item = f"[{fault.item}]" if fault.item else ""
    clear = "stays open" if fault.clear is None else f"clears {duration.render(fault.clear)}"
    by = f", suppressed by {fault.suppressed_by}" if fault.suppressed_by else ""
    by += ", flapping" if fault.flapping else ""
    by += "".join(f", {severity} from {duration.render(at)}" for at, severity in fault.ratings)
    by += f", ticket {fault.ticket}" if fault.ticket else ""
    start, fire = duration.render(fault.start), duration.render(fault.fire)
    return f"{fault.rule} on {fault.subject}{item}: starts {start}, fires {fire}, {clear}{by}"


def _listed(states: Iterable[tuple[timedelta, ServiceState]]) -> str:
    return ", ".join(f"{duration.render(at)} {state.value}" for at, state in states) or "none"
