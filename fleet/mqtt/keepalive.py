"""When to ask a silent broker whether it is there, and when to give it up.

Rules: a side that hears nothing, or says nothing, for the interval sends PINGREQ; anything heard
after it counts as life; nothing heard for the patience means the connection is dead. Asking on
silence of *either* direction finds a half-open connection that we keep writing into.
"""

from dataclasses import dataclass
from enum import Enum, auto


class Verdict(Enum):
    """What to do now."""

    WAIT = auto()
    PING = auto()
    DEAD = auto()


@dataclass(slots=True)
class KeepAlive:
    """The decision, free of clocks: times are seconds of any one monotonic clock."""

    interval_s: float
    patience_s: float
    pinged_at: float | None = None

    def decide(self, now: float, sent_at: float, heard_at: float) -> tuple[Verdict, float]:
        """Return what to do and when to ask again; after PING the caller sends one."""
        if self.pinged_at is not None and heard_at < self.pinged_at:
            deadline = self.pinged_at + self.patience_s
            return (Verdict.DEAD, now) if now >= deadline else (Verdict.WAIT, deadline)
        self.pinged_at = None
        due = min(sent_at, heard_at) + self.interval_s
        if now < due:
            return Verdict.WAIT, due
        self.pinged_at = now
        return Verdict.PING, now + self.patience_s
