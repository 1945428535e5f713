"""What a test of rules tells: who sends what in which snapshot, and which faults must follow.

Times are counted from the test's beginning. Snapshot `n` of every terminal is made at
`n * interval`; what becomes of it on its way is its `Sending`.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum

from fleet.service_state import ServiceState
from fleet.snapshot import Value

NO_TIME = timedelta()


class Fate(StrEnum):
    """What becomes of a snapshot."""

    SENT = "sent"
    LOST = "lost"
    TWICE = "twice"
    LATE = "late"
    WILL = "will"
    BOOT = "boot"


@dataclass(frozen=True, slots=True)
class Sending:
    """One snapshot's way: arrived (`late` by a delay), doubled or lost; or, in its place, the last
    will; or after a new start of the terminal."""

    fate: Fate = Fate.SENT
    delay: timedelta = NO_TIME


@dataclass(frozen=True, slots=True)
class Player:
    """A terminal: its properties' values by snapshot (None: not in it), and what becomes of each.

    `events` are sent beside the snapshots, each at its time, in the words of a rule's `count`.
    `states` are the service states it must go through, with the time of each; None: not looked at.
    """

    name: str
    kind: str
    cell: str
    vendor: str
    model: str
    region: str
    series: Mapping[str, tuple[Value | None, ...]]
    messages: tuple[Sending, ...]
    events: tuple[tuple[timedelta, dict[str, str]], ...]
    states: tuple[tuple[timedelta, ServiceState], ...] | None


@dataclass(frozen=True, slots=True, order=True)
class Interval:
    """A fault, expected or seen; `clear` None: still open at the end."""

    fire: timedelta
    subject: str
    rule: str
    item: str
    start: timedelta
    clear: timedelta | None
    suppressed_by: str | None = None
    flapping: bool = False
    ratings: tuple[tuple[timedelta, str], ...] = ()
    """When its severity changed, and what it was from then on."""


@dataclass(frozen=True, slots=True)
class Trial:
    """One test: about a rule, with every fault that must come of it, and no other."""

    file: str
    line: int
    name: str
    rule: str
    interval: timedelta
    until: timedelta
    players: tuple[Player, ...]
    faults: tuple[Interval, ...]
