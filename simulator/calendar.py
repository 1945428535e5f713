"""How busy an instant is: the hour, the day of the week, paydays and holidays."""

from datetime import datetime

from simulator.behaviour import BUSYNESS, HOUR_S, Behaviour
from simulator.voice import ZONE, local_time

_AHEAD_S = ZONE.utcoffset(None).total_seconds()


class Calendar:
    """The factor over the mean of an ordinary week; the last hour asked for is remembered."""

    __slots__ = ("_behaviour", "_hour", "_last", "peak")

    def __init__(self, behaviour: Behaviour) -> None:
        self._behaviour = behaviour
        self._hour = -1
        self._last = 0.0
        days = max(1.0, behaviour.payday_factor, behaviour.holiday_factor)
        self.peak = max(BUSYNESS) * max(behaviour.weekdays) * days
        """No instant is busier."""

    def busyness(self, at: float) -> float:
        """How busy it is at an instant (epoch seconds), where the terminals are."""
        hour = int((at + _AHEAD_S) // HOUR_S)
        if hour != self._hour:
            self._hour = hour
            self._last = self._factor(local_time(at))
        return self._last

    def _factor(self, local: datetime) -> float:
        behaviour = self._behaviour
        factor = BUSYNESS[local.hour] * behaviour.weekdays[local.weekday()]
        if local.strftime("%m-%d") in behaviour.holidays:
            return factor * behaviour.holiday_factor
        if local.day in behaviour.paydays:
            return factor * behaviour.payday_factor
        return factor
