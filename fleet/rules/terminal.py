"""What the engine remembers of one terminal, and how its own clock is read.

A terminal's time is its own. `at` is the event time it has reached, which never goes backwards;
`arrived_at` is when the message that brought it there came in. The difference is how far the
terminal's clock, its store-and-forward queue and the network are behind, so between messages its
clock is read as `now - lag`: a hold counts in the terminal's time, whatever that clock shows.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from fleet.rules.flapping import Transitions
from fleet.rules.hold import HOLDING, Hold
from fleet.rules.plan import NO_PLAN, Plan
from fleet.service_state import ServiceState
from fleet.snapshot import NOTHING_MEASURED, Measured, Value, Values

TAKEOVER = timedelta(minutes=2)
"""Lower counters are believed once the higher ones were quiet for so long: a re-imaged disk."""


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
    measured: Measured = NOTHING_MEASURED
    values: Mapping[str, Value] = field(default_factory=dict)
    items: Mapping[str, tuple[Values, ...]] = field(default_factory=dict)
    holds: dict[tuple[str, str], Hold] = field(default_factory=dict)
    counts: dict[str, tuple[datetime, ...]] = field(default_factory=dict)
    transitions: dict[tuple[str, str], Transitions] = field(default_factory=dict)
    state: ServiceState = ServiceState.UNKNOWN
    state_since: datetime | None = None

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

    def is_next(self, boot: int, seq: int, ts: datetime, arrived_at: datetime) -> bool:
        """Whether a message follows what was applied last; else it is late and only stored.

        The order is that of boot and seq, unless whoever counted higher has been quiet for
        `TAKEOVER` and this one says it is newer.
        """
        if (boot, seq) > (self.boot, self.seq):
            return True
        quiet = self.arrived_at is not None and arrived_at - self.arrived_at >= TAKEOVER
        return quiet and self.at is not None and ts > self.at

    def is_well(self) -> bool:
        """Whether nothing is wrong and nothing is awaited: it is here, and no rule holds."""
        return self.connected is True and not self.holds and self.state is ServiceState.IN_SERVICE

    def goes_on(self, boot: int, seq: int, ts: datetime, arrived_at: datetime) -> bool:
        """Note a message that plainly follows the last one; False where there is more to it."""
        if seq != self.seq + 1 or boot != self.boot or self.at is None or self.heard_at is None:
            return False
        at = min(ts, arrived_at)
        if at < self.at or arrived_at < self.heard_at:
            return False
        self.at, self.seq = at, seq
        self.arrived_at = self.heard_at = arrived_at
        return True

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

    def holding(self, rule: str) -> bool:
        """Whether the condition of a rule about the whole terminal holds."""
        hold = self.holds.get((rule, ""))
        return hold is not None and hold.phase in HOLDING

    def holds_any(self, rules: frozenset[str]) -> bool:
        """Whether the condition of one of these rules holds here."""
        return any(
            rule in rules and hold.phase in HOLDING for (rule, _), hold in self.holds.items()
        )
