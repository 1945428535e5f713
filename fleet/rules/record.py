"""What the engine's steps left to be written down."""

from dataclasses import dataclass, field
from datetime import datetime

from fleet.rules.changes import Change, HoldKey
from fleet.rules.flapping import Transitions
from fleet.rules.hold import Hold


@dataclass(slots=True)
class Record:
    """Changes in their order; the holds that moved (None: idle again); the transitions that count
    for flapping (None: forgotten); the times of counted events, by terminal and rule; the terminals
    touched."""

    changes: list[Change] = field(default_factory=list)
    holds: dict[HoldKey, Hold | None] = field(default_factory=dict)
    transitions: dict[HoldKey, Transitions | None] = field(default_factory=dict)
    counts: dict[tuple[str, str], tuple[datetime, ...]] = field(default_factory=dict)
    terminals: set[int] = field(default_factory=set)

    def __bool__(self) -> bool:
        return bool(self.changes or self.holds or self.terminals)
