"""What the engine remembers of one terminal, and how its own clock is read.

A terminal's time is its own. `at` is the event time it has reached, which never goes backwards;
`arrived_at` is when the message that brought it there came in. The difference is how far the
terminal's clock, its store-and-forward queue and the network are behind, so between messages its
clock is read as `now - lag`: a hold counts in the terminal's time, whatever that clock shows.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import NamedTuple

from fleet.rules.flapping import Transitions
from fleet.rules.hold import HOLDING, Hold
from fleet.rules.plan import NO_PLAN, Plan
from fleet.rules.slope import Slope
from fleet.rules.steps import Step
from fleet.service_state import ServiceState
from fleet.snapshot import NOTHING_MEASURED, Measured, Value, Values, read_metrics
from fleet.telemetry import Event, Telemetry
from fleet.windows.hours import ALWAYS, Hours

_IN_SERVICE = ServiceState.IN_SERVICE  # a member of an enumeration is looked for by name

JUMP = timedelta(minutes=2)
"""A clock that moved so much more, or less, than ours meanwhile was set."""
TAKEOVER = timedelta(minutes=2)
"""Lower counters are believed once the higher ones were quiet for so long: a re-imaged disk."""


class Kept(NamedTuple):
    """A message that waits for those before it, and when it arrived."""

    message: Telemetry | Event
    arrived_at: datetime


@dataclass(slots=True)
class Terminal:
    """One terminal: who it is, how far it has come, what it said last, and its holds.

    `above` are the cells above its own, `plan` what the rules say of it.
    """

    id: int
    code: str
    kind: str
    cell: str
    vendor: str = ""
    model: str = ""
    region: str = ""
    above: tuple[str, ...] = ()
    plan: Plan = NO_PLAN
    hours: Hours = ALWAYS
    """When it is meant to serve."""
    commissioned_at: datetime | None = None
    in_service: bool = True
    """Not in maintenance: a quorum counts it."""
    boot: int = -1
    seq: int = 0
    at: datetime | None = None
    arrived_at: datetime | None = None
    heard_at: datetime | None = None
    connected: bool | None = None
    status: bytes = b""
    storage: bytes = b""
    metrics: bytes = b""
    values: Mapping[str, Value] = field(default_factory=dict)
    items: Mapping[str, tuple[Values, ...]] = field(default_factory=dict)
    holds: dict[tuple[str, str], Hold] = field(default_factory=dict)
    counts: dict[str, tuple[datetime, ...]] = field(default_factory=dict)
    slopes: dict[tuple[str, str], Slope] = field(default_factory=dict)
    transitions: dict[tuple[str, str], Transitions] = field(default_factory=dict)
    state: ServiceState = ServiceState.UNKNOWN
    state_since: datetime | None = None
    kept: dict[tuple[int, int], Kept] = field(default_factory=dict)
    """Messages that came before others that are missing, by boot and seq."""
    told: dict[tuple[str, str], Hold] = field(default_factory=dict)
    """Its holds as cells know them, of rules whose faults are told in order."""
    served: bool = True
    """Whether it is in service, as those cells know it."""
    steps: dict[int, Step] = field(default_factory=dict)
    """What they do not know yet, by place."""
    off: bool = False
    """Its clock was set and has not come right again."""

    @property
    def measured(self) -> Measured:
        """Its metrics, read anew: they are asked for where a message says something new, and all
        that is kept of a hundred thousand terminals is fetched from memory for each message."""
        return read_metrics(self.metrics) if self.metrics else NOTHING_MEASURED

    @property
    def lag(self) -> timedelta:
        """How far the terminal's clock reads behind ours; never negative."""
        if self.at is None or self.arrived_at is None:
            return timedelta()
        return max(self.arrived_at - self.at, timedelta())

    def clock(self, now: datetime) -> datetime:
        """The terminal's time at our `now`; never before the event time it has reached."""
        reading = now - self.lag
        return reading if self.at is None else max(reading, self.at)

    def settled(self, now: datetime, lateness: timedelta) -> datetime:
        """How far its time is certain: nothing that was said earlier can come any more.

        That is as far as its messages have come without a gap, and what is longer ago than a
        message may be late; not beyond one that waits.
        """
        reading = now - self.lag - lateness
        for kept in self.kept.values():
            reading = min(reading, kept.message.ts)
        return reading if self.at is None else max(reading, self.at)

    def follows(self, boot: int, seq: int) -> bool:
        """Whether nothing can be missing between the last message and this one."""
        return seq == self.seq + 1 and (boot == self.boot or self.boot < 0)

    def is_next(self, boot: int, seq: int, ts: datetime, arrived_at: datetime) -> bool:
        """Whether a message follows what was applied last; else it is late and only stored.

        The order is that of boot and seq, unless whoever counted higher has been quiet for
        `TAKEOVER` and this one says it is newer.
        """
        if (boot, seq) > (self.boot, self.seq):
            return True
        quiet = self.arrived_at is not None and arrived_at - self.arrived_at >= TAKEOVER
        return quiet and self.at is not None and ts > self.at

    def goes_on(self, boot: int, seq: int, ts: datetime, arrived_at: datetime) -> bool:
        """Note a message that plainly follows the last one, where nothing is wrong and nothing is
        awaited: it is here, and no rule holds. False where there is more to it."""
        if (
            seq != self.seq + 1
            or boot != self.boot
            or self.holds
            or self.kept
            or self.off
            or self.state is not _IN_SERVICE
            or self.connected is not True
        ):
            return False
        before, heard_at = self.at, self.heard_at
        if before is None or heard_at is None:
            return False
        at = min(ts, arrived_at)
        if at < before or arrived_at < heard_at:
            return False
        if ts - before > JUMP and self.moved(ts, arrived_at):  # else it cannot have been set
            return False
        self.at, self.seq = at, seq
        self.arrived_at = self.heard_at = arrived_at
        return True

    def moved(self, ts: datetime, arrived_at: datetime) -> timedelta | None:
        """By how much its clock was set since the last message, if it was.

        A message that waited on its way is none the wiser: its time still is later than the last
        one's. Nor are those that follow it quickly: they are a heartbeat apart.
        """
        if self.at is None or self.arrived_at is None:
            return None
        by = (ts - self.at) - max(arrived_at - self.arrived_at, timedelta())
        set_back = ts < self.at and by < -JUMP
        return by if by > JUMP or set_back else None

    def advance(self, boot: int, seq: int, ts: datetime, arrived_at: datetime) -> datetime:
        """Note the next message; returns its event time.

        That is `ts`, but never ahead of its arrival. A clock that was set back is not followed:
        until it has caught up, time goes on as it did before.
        """
        at = min(ts, arrived_at)
        if self.at is not None and at < self.at:
            at = self.clock(arrived_at)
        self.at, self.boot, self.seq, self.arrived_at = at, boot, seq, arrived_at
        return at

    def read(self, each: str | None, item: str) -> Mapping[str, Value]:
        """What it says now of itself, or of one member of a list."""
        if each is None:
            return {**self.values, **self.measured.values}
        members = enumerate(self.items.get(each, ()))
        return next((said for number, said in members if name_of(number, said) == item), {})

    def holding(self, rule: str) -> bool:
        """Whether the condition of a rule about the whole terminal holds."""
        hold = self.holds.get((rule, ""))
        return hold is not None and hold.phase in HOLDING


def name_of(number: int, member: Values) -> str:
    """What a member of a list is called: its id, its position's name, or its place."""
    return str(member.get("id") or member.get("position") or number)
