"""What a rule of the catalogue is: a trigger, how long it must hold, and what dispatch needs.

While a rule's trigger holds, its `impact` applies to the terminal at once; `hold` delays only the
fault, and so the ticket. All times are event time, but for `Silent` and `Unseen`, which are judged
on arrival.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from typing import Literal

from fleet.rules.condition import Condition
from fleet.rules.flapping import DEFAULT, Flapping
from fleet.rules.hold import Signal
from fleet.rules.severity import Severity
from fleet.service_state import ServiceState
from fleet.snapshot import Value
from fleet.telemetry import Event
from fleet.vocabulary import COMPONENTS as REPORTED

KINDS = ("atm", "recycler", "kiosk")
SKILLS = ("cash", "card", "printer", "electronics", "network", "security")
COMPONENTS = (*REPORTED, "storage", "terminal", "network")
"""What a rule may be about: a component of the contract, a cash unit, the whole, its line."""
IMPACTS = (
    ServiceState.OFFLINE,
    ServiceState.SUPERVISOR,
    ServiceState.OUT_OF_SERVICE,
    ServiceState.CASH_OUT,
    ServiceState.DEGRADED,
)

Scope = Literal["terminal", "cell"]


@dataclass(frozen=True, slots=True)
class When:
    """A condition over a terminal's values, or with `each` over every member of a list.

    Without `clear_when` it clears when `condition` is false. Unknown neither fires nor clears.
    """

    condition: Condition
    clear_when: Condition | None = None
    each: str | None = None

    def verdict(self, values: Mapping[str, Value], *, held: bool) -> Signal:
        """What it says of some values, to a hold that is under way or to none."""
        raised = self.condition.evaluate(values)
        if raised:
            return Signal.RAISE
        if not held:  # idle answers all else alike: whether it clears need not be asked
            return Signal.NEITHER
        if self.clear_when is not None:
            return Signal.CLEAR if self.clear_when.evaluate(values) else Signal.NEITHER
        return Signal.NEITHER if raised is None else Signal.CLEAR


@dataclass(frozen=True, slots=True)
class Silent:
    """Nothing was heard from the terminal, by arrival, for `after`."""

    after: timedelta


@dataclass(frozen=True, slots=True)
class Unseen:
    """The terminal was never heard, by arrival, for `after` since it was commissioned."""

    after: timedelta


@dataclass(frozen=True, slots=True)
class Unsaid:
    """Snapshots come without a component that was in them before; `hold` is for how long."""

    component: str


@dataclass(frozen=True, slots=True)
class Rate:
    """A number rose by more than `by` within a while, or with `rises` false fell by so much.

    `of` is its path or, with `each`, its name inside a member. While `given` is false nothing is
    looked at, and what was before is forgotten.
    """

    of: str
    by: float
    rises: bool
    within: timedelta
    each: str | None = None
    given: Condition | None = None


@dataclass(frozen=True, slots=True)
class Offline:
    """The terminal's last will said that it is gone."""


@dataclass(frozen=True, slots=True)
class Count:
    """So many events of a kind within a while; what is None is not looked at."""

    event: str
    at_least: int
    within: timedelta
    component: str | None = None
    event_id: str | None = None
    action: str | None = None
    outcome: str | None = None

    def matches(self, message: Event) -> bool:
        """Whether an event is of the kind that is counted."""
        return (
            message.event == self.event
            and self.component in (None, message.component)
            and self.event_id in (None, message.event_id)
            and self.action in (None, message.action)
            and self.outcome in (None, message.outcome)
        )


@dataclass(frozen=True, slots=True)
class Quorum:
    """So many terminals of a cell at once: at least a number of them and at least a share.

    A terminal counts while any of the rules named in `members` holds for it, pending or firing.
    With `within` it takes so many that went bad within so long of one another. With `level` the
    cell is the one of that level above the terminal's own.
    """

    members: tuple[str, ...]
    at_least: int
    share: float
    within: timedelta | None = None
    level: int | None = None


class During(StrEnum):
    """In which hours of its terminal the hold of a rule counts."""

    SERVICE = "service_hours"
    CLOSED = "closed_hours"


@dataclass(frozen=True, slots=True)
class Lasting:
    """The fault of the rule is there: what a stage waits for that comes with time alone."""


Trigger = When | Silent | Unseen | Unsaid | Offline | Count | Rate | Quorum | Lasting


@dataclass(frozen=True, slots=True)
class Stage:
    """A worse severity of the same fault: once the trigger has held for `hold`, until it has been
    gone for `clear_hold`."""

    to: Severity
    trigger: When | Lasting
    hold: timedelta
    clear_hold: timedelta = timedelta()


@dataclass(frozen=True, slots=True)
class Rule:
    """One rule; `kinds` and `vendors` empty mean all, `line` 1 branch staff, 2 engineer.

    One that is not `enabled` is for those only whom an override enables it for. A `shadow` is on
    trial: its faults are counted, and nothing follows from them.
    """

    name: str
    scope: Scope
    kinds: frozenset[str]
    trigger: Trigger
    hold: timedelta
    clear_hold: timedelta
    severity: Severity
    impact: ServiceState | None
    component: str
    skill: str
    line: int
    title: str
    remedy: str
    parts: tuple[str, ...]
    flapping: Flapping = DEFAULT
    caused_by: tuple[str, ...] = ()
    """Rules of the same terminal whose faults speak for this one's: no mains, no card reader."""
    vendors: frozenset[str] = frozenset()
    enabled: bool = True
    shadow: bool = False
    stages: tuple[Stage, ...] = ()
    """Worse severities that its fault may come to, the least first."""
    schedule: During | None = None
    """In which hours alone its hold counts; None: in all."""
    of: str = ""
    """Of a stage: the rule whose fault it rates (`fleet.rules.stages`)."""
