"""How busy, how frail and how far away the simulated world is.

The defaults are those of ordinary sites: about 90 customers a day with peaks before noon and after
work, more on Fridays and paydays, three sites in a hundred with 500; a fault every four weeks, four
hours until it is repaired; a line that loses nothing.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field, fields, replace

import msgspec

HOUR_S = 3600.0
DAY_S = 24 * HOUR_S
SHORTEST_S = 1.0

# How busy each hour of the day is; the mean is 1, the peaks are 11 to 13 h and 17 to 19 h.
_HOURS = (2, 1, 1, 1, 1, 2, 4, 8, 12, 14, 16, 26, 26, 15, 13, 14, 18, 26, 26, 18, 12, 8, 5, 3)
BUSYNESS = tuple(weight * 24 / sum(_HOURS) for weight in _HOURS)

SHARES: Mapping[str, float] = {
    "communication": 25,
    "cash": 20,
    "dispenser": 18,
    "card_reader": 12,
    "printer": 12,
    "power": 6,
    "software": 4,
    "other": 3,
}
"""By family, its share of all faults, in percent, as is commonly counted for ATM fleets."""

_WEEK = (0.95, 0.95, 0.95, 1.0, 1.25, 1.1, 0.8)
_QUIRKS: Mapping[str, tuple[str, ...]] = {"vendor-b": ("extra",), "vendor-c": ("delta", "slow")}


@dataclass(frozen=True, slots=True)
class Behaviour:
    """Rates, durations and chances; zero of a rate means never.

    `rate` multiplies how often things happen and divides how long they take; heartbeats keep
    their pace.

    Customers: `customers_per_day` is the mean of all sites; a share `busy_share` of them has
    `busy_customers_per_day`. `weekdays` are factors from Monday, `paydays` days of the month,
    `holidays` month and day. `retained` is the chance that a card is kept.

    Faults: `shares` divides `faults_per_day` among the families; a terminal without a component has
    none of its faults. `wear` is the shape of the time to failure: 1 is pure chance, above it what
    is new lasts. `forgotten` is the chance that a visitor leaves supervisor mode on.

    `stock_at_start` is the least share of notes and paper a terminal begins with. `quirks` says by
    vendor what is peculiar: `extra` fields, `delta` snapshots between heartbeats, `slow` ones.

    The line: chances that a message is lost (after the broker has acknowledged it), comes late (by
    `late_s` in the mean), comes twice, or is overtaken by the next; that a line that breaks is half
    open, so that the broker notices only by its keep-alive.
    """

    heartbeat_s: float = 30.0
    measure_s: float = 60.0
    customers_per_day: float = 90.0
    busy_share: float = 0.03
    busy_customers_per_day: float = 500.0
    weekdays: tuple[float, ...] = _WEEK
    paydays: tuple[int, ...] = (10, 25)
    payday_factor: float = 1.6
    holidays: tuple[str, ...] = ("01-01", "05-01", "10-01")
    holiday_factor: float = 0.6
    retained: float = 0.0005
    faults_per_day: float = 1 / 28
    shares: Mapping[str, float] = field(default_factory=lambda: dict(SHARES))
    wear: float = 1.5
    repair_h: float = 4.0
    battery_h: float = 0.5
    replenish_h: float = 6.0
    visit_h: float = 0.15
    forgotten: float = 0.02
    forgotten_h: float = 4.0
    stock_at_start: float = 0.17
    quirks: Mapping[str, tuple[str, ...]] = field(default_factory=lambda: dict(_QUIRKS))
    lost: float = 0.0
    late: float = 0.0
    late_s: float = 20.0
    doubled: float = 0.0
    overtaken: float = 0.0
    half_open: float = 0.0
    drops_per_day: float = 0.0
    storms_per_day: float = 0.0
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
        """The mean of all sites over an ordinary week."""
        return self.customers_per_day / DAY_S * self.rate

    def faults_per_s(self, family: str) -> float:
        """Of one terminal that has the component."""
        share = self.shares.get(family, 0) / sum(self.shares.values())
        return share * self.faults_per_day / DAY_S * self.rate

    def life_scale_s(self, family: str) -> float:
        """The scale of the Weibull time to failure, whose mean is the reciprocal of the rate."""
        return 1 / self.faults_per_s(family) / math.gamma(1 + 1 / self.wear)

    def pace(self, *, busy: bool) -> float:
        """How many customers a site has, over the mean of all sites."""
        if self.customers_per_day <= 0 or self.busy_customers_per_day <= self.customers_per_day:
            return 1.0
        factor = self.busy_customers_per_day / self.customers_per_day
        return factor if busy else max(0.0, 1 - self.busy_share * factor) / (1 - self.busy_share)

    @property
    def is_line_perfect(self) -> bool:
        """Whether messages always come, once and in order."""
        return not (self.lost or self.late or self.doubled or self.overtaken)


def behaviour(overrides: Mapping[str, object]) -> Behaviour:
    """The default world with some of it changed; raises ValueError naming what is wrong."""
    known = {each.name for each in fields(Behaviour)} - {"rate"}
    if strange := sorted(overrides.keys() - known):
        raise ValueError(
            f"behaviour has no {', '.join(strange)}; there is {', '.join(sorted(known))}"
        )
    made = msgspec.convert(dict(overrides), Behaviour)
    if len(made.weekdays) != len(_WEEK):
        raise ValueError("weekdays are seven factors, from Monday")
    if strange := sorted(made.shares.keys() - SHARES.keys()):
        raise ValueError(f"no family {', '.join(strange)}; there is {', '.join(SHARES)}")
    return made
