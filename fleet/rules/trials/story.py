"""What a test of rules tells: who sends what in which snapshot, and which faults must follow.

Times are counted from the test's beginning. Snapshot `n` of every terminal is made at
`n * interval`; what becomes of it on its way is its `Sending`.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import NamedTuple

from fleet.service_state import ServiceState
from fleet.snapshot import Value
from fleet.windows.window import Purpose

NO_TIME = timedelta()
NO_TICKET = "none"
T0 = datetime(2026, 1, 1, tzinfo=UTC)
"""The beginning of every test, a Thursday."""


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


class Stretch(NamedTuple):
    """From `begin` to just before `end`."""

    begin: timedelta
    end: timedelta


@dataclass(frozen=True, slots=True)
class Window:
    """A maintenance window or a silence, about all that is named; empty means all."""

    purpose: Purpose
    stretch: Stretch
    terminals: frozenset[str]
    cells: frozenset[str]
    kinds: frozenset[str]
    component: str


class Blind(NamedTuple):
    """When nobody listens: what is sent then comes at its end. With `broker` it is the broker that
    is away, and the terminals have to come back first."""

    stretch: Stretch
    broker: bool


@dataclass(frozen=True, slots=True)
class Player:
    """A terminal: its properties' values by snapshot (None: not in it), and what becomes of each.

    `events` are sent beside the snapshots, each at its time, in the words of a rule's `count`.
    `above` are the cells above its own, `closed` when it is not meant to serve.
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
    above: tuple[str, ...] = ()
    closed: tuple[Stretch, ...] = ()


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
    ticket: str = ""
    """When it calls somebody, or `none`; of what is expected, nothing where it is not looked at."""

    def meets(self, seen: "Interval") -> bool:
        """Whether what came is what was expected."""
        return self == (seen if self.ticket else replace(seen, ticket=""))


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
    windows: tuple[Window, ...] = ()
    blind: tuple[Blind, ...] = ()
