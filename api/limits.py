"""How many requests an account may make: what is used up comes back little by little.

For each account that signs in well, and for each address that does not, one number is kept: until
when its requests so far take, at the rate that is allowed for ever. Whoever is further ahead of
that than a minute waits. Each process counts what comes to it.
"""

import math
from collections.abc import Callable
from time import monotonic

from api.errors import TooMany

_MINUTE_S = 60.0
_MOST_KEPT = 10_000


class RateLimit:
    """So many requests a minute for each key, a whole minute's at once; none counted for 0."""

    def __init__(self, per_minute: int, clock: Callable[[], float] = monotonic) -> None:
        self._apart_s = _MINUTE_S / per_minute if per_minute else 0.0
        self._clock = clock
        self._taken_until: dict[str, float] = {}

    def take(self, key: str) -> None:
        """Count a request; raises `TooMany` with how long to wait, and then counts nothing."""
        if not self._apart_s:
            return
        now = self._clock()
        until = max(now, self._taken_until.get(key, now)) + self._apart_s
        ahead_s = until - now - _MINUTE_S
        if ahead_s > 0:
            raise TooMany("Too many requests.", max(1, math.ceil(ahead_s)))
        if key not in self._taken_until and len(self._taken_until) >= _MOST_KEPT:
            self._forget(now)
        self._taken_until[key] = until

    def _forget(self, now: float) -> None:
        """Those who have nothing used up; where that is nobody, everybody."""
        kept = {key: until for key, until in self._taken_until.items() if until > now}
        self._taken_until = kept if len(kept) < _MOST_KEPT else {}
