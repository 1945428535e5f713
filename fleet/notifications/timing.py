"""When a notification goes out: outside quiet hours, with others, and again after failures."""

from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

_FIRST = timedelta(seconds=5)
_LONGEST = timedelta(hours=1)
MOST_ATTEMPTS = 16
"""With the waits between them over six hours: a night in which a channel is away."""


@dataclass(frozen=True, slots=True)
class Quiet:
    """Hours on the wall clock in which nobody is disturbed; they may go over midnight."""

    begin: time
    end: time
    zone: ZoneInfo

    def until(self, at: datetime) -> datetime:
        """When they are over, for an instant within them; else that instant."""
        local = at.astimezone(self.zone)
        clock = local.time().replace(tzinfo=None)
        within = (
            self.begin <= clock < self.end
            if self.begin < self.end
            else clock >= self.begin or clock < self.end
        )
        if not within:
            return at
        day = local.date() + timedelta(days=1 if clock >= self.end else 0)
        return datetime.combine(day, self.end, self.zone).astimezone(UTC)

    def lasts(self, at: datetime) -> bool:
        """Whether nobody is disturbed at an instant."""
        return self.until(at) > at


def due(at: datetime, quiet: Quiet | None, digest: timedelta) -> datetime:
    """When what happened at an instant is told: at the end of its digest, outside quiet hours.

    Digests end at multiples of their length since midnight UTC, so that all that falls into one is
    told at the same moment.
    """
    if digest:
        midnight = at.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
        at = midnight + digest * ((at - midnight) // digest + 1)
    return quiet.until(at) if quiet else at


def again(attempts: int) -> timedelta | None:
    """How long to wait after so many attempts in vain; None when it is given up."""
    if attempts >= MOST_ATTEMPTS:
        return None
    wait: timedelta = _FIRST * 2 ** (attempts - 1)
    return min(_LONGEST, wait)
