"""How busy and how frail the simulated world is.

The defaults are those of ordinary sites: about 90 withdrawals a day with peaks before noon and
after work, a fault every four weeks, four hours until it is repaired.
"""

from dataclasses import dataclass, replace

HOUR_S = 3600.0
DAY_S = 24 * HOUR_S
SHORTEST_S = 1.0

# How busy each hour of the day is; the mean is 1, the peaks are 11 to 13 h and 17 to 19 h.
_HOURS = (2, 1, 1, 1, 1, 2, 4, 8, 12, 14, 16, 26, 26, 15, 13, 14, 18, 26, 26, 18, 12, 8, 5, 3)
BUSYNESS = tuple(weight * 24 / sum(_HOURS) for weight in _HOURS)


@dataclass(frozen=True, slots=True)
class Behaviour:
    """Rates and durations; zero of a rate means never.

    `rate` multiplies how often things happen and divides how long they take; heartbeats keep
    their pace. `stock_at_start` is the least share of notes and paper a terminal begins with.
    """

    heartbeat_s: float = 30.0
    customers_per_day: float = 90.0
    faults_per_day: float = 1 / 28
    repair_h: float = 4.0
    replenish_h: float = 6.0
    visit_h: float = 0.15
    stock_at_start: float = 0.17
    rate: float = 1.0

    def at_rate(self, rate: float) -> "Behaviour":
        """The same world, lived `rate` times as fast."""
        if not rate > 0:
            raise ValueError(f"the rate is above 0, not {rate}")
        return replace(self, rate=rate)

    def duration_s(self, hours: float) -> float:
        """How long something of so many hours takes, seconds."""
        return max(SHORTEST_S, hours * HOUR_S / self.rate)

    @property
    def customers_per_s(self) -> float:
        """The mean over a day."""
        return self.customers_per_day / DAY_S * self.rate

    @property
    def faults_per_s(self) -> float:
        """Of one terminal, all kinds together."""
        return self.faults_per_day / DAY_S * self.rate
