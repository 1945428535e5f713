"""The hold of a rule: hysteresis on both edges, as a table.

A condition that turns true is `pending` for the rule's `for`; then the fault fires. One that turns
false is `clearing` for `clear_for`; then the fault clears. While a condition is unknown, or between
the two thresholds of `when` and `clear_when`, neither edge goes on: nothing fires, nothing clears.

Every phase answers every signal: the table is whole, and tests and the diagram in the docs are made
from it.
"""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from types import MappingProxyType
from uuid import UUID

from fleet.rules.severity import Severity


class Phase(StrEnum):
    """Where a hold stands."""

    IDLE = "idle"
    PENDING = "pending"
    FIRING = "firing"
    CLEARING = "clearing"


class Signal(StrEnum):
    """What the condition says, or that the hold time is over."""

    RAISE = "raise"
    CLEAR = "clear"
    NEITHER = "neither"
    DUE = "due"


TABLE: MappingProxyType[tuple[Phase, Signal], Phase] = MappingProxyType(
    {
        (Phase.IDLE, Signal.RAISE): Phase.PENDING,
        (Phase.IDLE, Signal.CLEAR): Phase.IDLE,
        (Phase.IDLE, Signal.NEITHER): Phase.IDLE,
        (Phase.IDLE, Signal.DUE): Phase.IDLE,
        (Phase.PENDING, Signal.RAISE): Phase.PENDING,
        (Phase.PENDING, Signal.CLEAR): Phase.IDLE,
        (Phase.PENDING, Signal.NEITHER): Phase.IDLE,
        (Phase.PENDING, Signal.DUE): Phase.FIRING,
        (Phase.FIRING, Signal.RAISE): Phase.FIRING,
        (Phase.FIRING, Signal.CLEAR): Phase.CLEARING,
        (Phase.FIRING, Signal.NEITHER): Phase.FIRING,
        (Phase.FIRING, Signal.DUE): Phase.FIRING,
        (Phase.CLEARING, Signal.RAISE): Phase.FIRING,
        (Phase.CLEARING, Signal.CLEAR): Phase.CLEARING,
        (Phase.CLEARING, Signal.NEITHER): Phase.FIRING,
        (Phase.CLEARING, Signal.DUE): Phase.IDLE,
    }
)

TIMED = frozenset({Phase.PENDING, Phase.CLEARING})
"""Phases that end by themselves when their hold time is over."""

HOLDING = frozenset({Phase.PENDING, Phase.FIRING})
"""Phases in which the condition holds: the rule's impact applies, and a quorum counts it."""


@dataclass(slots=True)
class Hold:
    """One rule's hold on one subject (or one item of it); `since` is when the phase began,
    `started_at` when the condition first held. `shadow`: its fault is one of a rule on trial."""

    phase: Phase
    since: datetime
    started_at: datetime
    fault_id: UUID | None = None
    suppressed_by: UUID | None = None
    flapping: bool = False
    shadow: bool = False
    severity: Severity | None = None
    """Of a fault that was told: how severe it was said to be, last."""
    counted_at: datetime | None = None
    """Of a terminal's: since when cells count it, by our clock, by its lag when it went bad."""
