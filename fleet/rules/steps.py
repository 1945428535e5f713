"""A step of what is told in order: what a terminal's hold did, and what is to be said of it."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from fleet.rules.changes import Cleared, Flapped, Rated
from fleet.rules.hold import Hold
from fleet.rules.severity import Severity


@dataclass(frozen=True, slots=True)
class Fire:
    """A hold was over: it is a fault, and who speaks for it is found when it is told. `shadow`: it
    is one of a rule on trial."""

    id: UUID
    started_at: datetime
    at: datetime
    severity: Severity
    shadow: bool = False


Word = Fire | Rated | Cleared | Flapped
"""What is to be said with a step."""


@dataclass(slots=True)
class Step:
    """One hold of a terminal, before and after; `at` is when that counts among cells, by our clock.

    With `serves` it is no hold: the terminal came into service or went out of it. What is `counted`
    waits only for a decision to be said.
    """

    at: datetime
    rule: str
    item: str
    before: Hold | None = None
    after: Hold | None = None
    word: Word | None = None
    serves: bool | None = None
    counted: bool = False
