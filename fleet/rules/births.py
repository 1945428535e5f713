"""Births of connections, for as long as the will of the one before may come after them.

Where a broker is several, or holds a will back, a terminal's old connection may be said to be gone
when the next one has begun. Such a will says nothing of now:

- It names an earlier boot than the birth, or
- it was written, as its connection began, longer before the birth than a connect takes.
"""

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import NamedTuple

from fleet.telemetry import Presence

CROSSING = timedelta(minutes=1)
"""How long after a birth a will may come that is older. Later on it is believed whatever it says: a
terminal may write its will once for all its connections."""
CONNECTING = timedelta(seconds=30)
"""How long it takes from writing a will to saying the birth of the same connection, at most."""


class _Birth(NamedTuple):
    boot: int
    said_at: datetime
    arrived_at: datetime


class Births:
    """The latest births, by terminal id."""

    def __init__(self) -> None:
        self._births: dict[int, _Birth] = {}  # the oldest first

    def note(self, terminal_id: int, said: Presence, arrived_at: datetime) -> None:
        """A connection has begun."""
        self._births.pop(terminal_id, None)
        for old in list(self._old(arrived_at)):
            del self._births[old]
        self._births[terminal_id] = _Birth(said.boot, said.ts, arrived_at)

    def outlived(self, terminal_id: int, will: Presence, arrived_at: datetime) -> bool:
        """Whether a will is that of a connection before the latest."""
        birth = self._births.get(terminal_id)
        if birth is None or arrived_at - birth.arrived_at > CROSSING:
            return False
        if will.boot != birth.boot:
            return will.boot < birth.boot
        return birth.said_at - will.ts > CONNECTING

    def _old(self, now: datetime) -> Iterator[int]:
        for terminal_id, birth in self._births.items():
            if now - birth.arrived_at <= CROSSING:
                return
            yield terminal_id
