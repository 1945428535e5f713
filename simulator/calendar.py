"""How busy an instant is: the hour, the day of the week, paydays and holidays."""

from datetime import datetime

from simulator.behaviour import BUSYNESS, Behaviour


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

    def busyness(self, local: datetime) -> float:
        """How busy it is at an instant of the terminal's own time."""
        hour = local.toordinal() * 24 + local.hour
        if hour != self._hour:
            self._hour = hour
            self._last = self._factor(local)
        return self._last

    def _factor(self, local: datetime) -> float:
        behaviour = self._behaviour
        factor = BUSYNESS[local.hour] * behaviour.weekdays[local.weekday()]
        if local.strftime("%m-%d") in behaviour.holidays:
            return factor * behaviour.holiday_factor
        if local.day in behaviour.paydays:
            return factor * behaviour.payday_factor
        return factor
