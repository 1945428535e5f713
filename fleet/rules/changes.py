"""What a step of the engine changes: plain values, for one place to write down.

`shadow` is the name of the rule on trial that a change of a fault is of; "" for a real one.
"""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID, uuid5

from fleet.rules.rule import Rule
from fleet.rules.severity import Severity
from fleet.service_state import ServiceState

# Any fixed namespace: a fault's id follows from what it is, so a replay gives the same one.
_FAULTS = UUID("6f0c3c1e-6b1d-5d0a-9a77-2f6f1d9d9c11")


@dataclass(frozen=True, slots=True)
class HoldKey:
    """Whose hold: a terminal's (by code) or a cell's, of a rule, on an item or "" for the whole."""

    scope: str
    subject: str
    rule: str
    item: str = ""


@dataclass(frozen=True, slots=True)
class Transition:
    """A terminal's service state from `at` on, and the rules that made it so."""

    terminal_id: int
    state: ServiceState
    at: datetime
    causes: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Fired:
    """A fault: its condition held since `started_at` and its hold time was over at `fired_at`."""

    id: UUID
    key: HoldKey
    rule: Rule
    terminal_id: int | None
    cell: str
    started_at: datetime
    fired_at: datetime
    suppressed_by: UUID | None
    severity: Severity


@dataclass(frozen=True, slots=True)
class Rated:
    """From `at` on a fault is of another severity: `worse` than before, or less."""

    id: UUID
    severity: Severity
    worse: bool
    at: datetime
    shadow: str = ""


@dataclass(frozen=True, slots=True)
class Cleared:
    """A fault is over since `cleared_at`; decided at `at`, when the clear hold was over."""

    id: UUID
    cleared_at: datetime
    at: datetime
    shadow: str = ""


@dataclass(frozen=True, slots=True)
class Suppressed:
    """From `at` on a cell's fault speaks for this one; `by` None: it speaks for itself again."""

    id: UUID
    by: UUID | None
    at: datetime
    shadow: str = ""


@dataclass(frozen=True, slots=True)
class Flapped:
    """At `at` a fault began to flap, or with `flapping` false was steady again."""

    id: UUID
    flapping: bool
    at: datetime
    shadow: str = ""


FaultChange = Fired | Rated | Cleared | Suppressed | Flapped
Change = Transition | FaultChange


def fault_id(key: HoldKey, started_at: datetime) -> UUID:
    """The id of the fault that began then."""
    began = started_at.isoformat()
    return uuid5(_FAULTS, "\n".join((key.scope, key.subject, key.rule, key.item, began)))
