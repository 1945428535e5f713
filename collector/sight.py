"""What we saw of a region, and when we were blind. Pure: time is handed in.

Rules:

- We see up to an instant when everything that was said before it is heard and stored: the region
  is ours, broker and database answer, and the broker holds nothing back from us.
- Not to have seen for `SHORTEST` or longer is blindness, from the last instant seen to the first
  one seen again. A shorter look away is none: another collector took over, or a process was
  restarted; what was said meanwhile waited in the session, and nobody is called silent so soon.
- Its cause is what was away first. Where nothing was, it was the backlog. Whether the broker was
  away too is kept beside it: then terminals were cut off, whatever went first.
- It is over when that is stored. Where the database went before it could be, it goes on.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

SHORTEST = timedelta(seconds=5)


class Cause(StrEnum):
    """What was away."""

    COLLECTOR = "collector"
    BROKER = "broker"
    DATABASE = "database"
    BACKLOG = "backlog"


@dataclass(frozen=True, slots=True)
class Blindness:
    """One interval of it, its end excluded; `broker_too`: it was away as well, not first."""

    since: datetime
    until: datetime
    cause: Cause
    broker_too: bool = False


@dataclass(frozen=True, slots=True)
class _Regained:
    """From when on we saw again, and what had been away."""

    at: datetime
    cause: Cause
    broker_too: bool


def passed(now: datetime, quiet: timedelta, allowed: timedelta) -> datetime:
    """Up to when time has passed on a line that said nothing for `quiet`.

    Behind a line that is dead without a word there may wait what ends a hold. So time goes on for
    as long as is `allowed`, and then stands until something is heard.
    """
    return now - max(quiet - allowed, timedelta())


class Sight:
    """How far one region has been seen."""

    def __init__(self) -> None:
        self.until: datetime | None = None
        self._held_until: datetime | None = None
        self._lost: Cause | None = Cause.COLLECTOR
        self._broker_too = False
        self._regained: _Regained | None = None

    def resume(self, until: datetime | None) -> None:
        """Go on from what is stored: another collector may have seen further, and that we saw again
        may not be stored; then what is away now is not what was away first."""
        self.until = until
        regained, self._regained = self._regained, None
        if regained is not None and until is not None and until < regained.at:
            since, self._lost = self._lost, regained.cause
            self._broker_too |= regained.broker_too
            if since is not None:
                self.lose(since)

    def lose(self, cause: Cause) -> None:
        """Something is away; what was away before it stays the cause."""
        self._broker_too |= cause is Cause.BROKER and self._lost not in (None, Cause.BROKER)
        self._lost = self._lost or cause

    def hold_back(self, at: datetime) -> None:
        """At this instant the broker holds something back: it is said, and not heard."""
        self._held_until = at

    def held_back(self, at: datetime) -> bool:
        """Whether some of what was said by then was held back. What is judged was read a while ago:
        that there is room by now says nothing of then."""
        return self._held_until is not None and at <= self._held_until

    def rewind(self, to: datetime) -> None:
        """We believed to see, and did not since."""
        self.until = min(self.until or to, to)

    def see(self, now: datetime) -> Blindness | None:
        """Everything up to `now` is heard: returns the blindness that ends here."""
        before, self.until = self.until, now
        cause, self._lost = self._lost, None
        broker_too, self._broker_too = self._broker_too, False
        if cause is not None:
            self._regained = _Regained(now, cause, broker_too)
        if before is None or now - before < SHORTEST:
            return None
        return Blindness(before, now, cause or Cause.BACKLOG, broker_too)

    def missing(self, now: datetime) -> Blindness | None:
        """The blindness that lasts, so far."""
        if self.until is None or not self.blind(now):
            return None
        return Blindness(self.until, now, self._lost or Cause.BACKLOG)

    def blind(self, now: datetime) -> bool:
        """Whether we have not seen for too long."""
        return self.until is None or now - self.until >= SHORTEST
