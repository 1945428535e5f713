"""What the engine's steps left to be written down."""

from copy import copy
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from fleet.rules.changes import Change, HoldKey
from fleet.rules.flapping import Transitions
from fleet.rules.hold import Hold
from fleet.rules.slope import Slope
from fleet.rules.steps import Step
from fleet.rules.terminal import Kept


@dataclass(frozen=True, slots=True)
class Jump:
    """A terminal's clock was set `by` so much, between the message before `seq` and that one."""

    terminal_id: int
    boot: int
    seq: int
    ts: datetime
    arrived_at: datetime
    by: timedelta


@dataclass(slots=True)
class Record:
    """Changes in their order; the holds that moved (None: idle again); the transitions that count
    for flapping (None: forgotten); the times of counted events, by terminal and rule; values on
    their way, by terminal, rule and item (None: forgotten); the terminals touched by more than
    heartbeats, those whose status or storage is another; messages that wait, by terminal, boot and
    seq (None: no more); clocks that were set, and whether a terminal's is wrong since; steps that
    cells do not know yet, by terminal and place (None: no more)."""

    changes: list[Change] = field(default_factory=list)
    holds: dict[HoldKey, Hold | None] = field(default_factory=dict)
    transitions: dict[HoldKey, Transitions | None] = field(default_factory=dict)
    counts: dict[tuple[str, str], tuple[datetime, ...]] = field(default_factory=dict)
    slopes: dict[tuple[str, str, str], Slope | None] = field(default_factory=dict)
    terminals: set[int] = field(default_factory=set)
    restated: set[int] = field(default_factory=set)
    kept: dict[tuple[int, int, int], Kept | None] = field(default_factory=dict)
    jumps: list[Jump] = field(default_factory=list)
    off: dict[int, bool] = field(default_factory=dict)
    steps: dict[tuple[int, int], Step | None] = field(default_factory=dict)

    def taken(self) -> "Record":
        """What is in it; it is empty then."""
        found = copy(self)
        Record.__init__(self)
        return found

    def __bool__(self) -> bool:
        return bool(self.changes or self.holds or self.terminals or self.steps)
