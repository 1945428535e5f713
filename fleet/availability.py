"""Availability: the arithmetic from time in each service state to the figures of a report.

All times are whole microseconds, so that up + down + unknown is the scope to the last one, and a
cell's figures are those of its members added up: never a mean of percentages.
"""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from fractions import Fraction
from math import floor
from types import MappingProxyType

from fleet.service_state import OUT_OF_SCOPE, UP, ServiceState

_JUDGED = tuple(state for state in ServiceState if state not in OUT_OF_SCOPE)


@dataclass(frozen=True, slots=True)
class Availability:
    """Time in scope, in microseconds: every state that is judged, adding up to the scope."""

    by_state: Mapping[ServiceState, int]

    @property
    def scope_us(self) -> int:
        """The window, less what is not judged: planned maintenance and out of schedule."""
        return sum(self.by_state.values())

    @property
    def up_us(self) -> int:
        """In service or degraded."""
        return sum(self.by_state[state] for state in UP)

    @property
    def unknown_us(self) -> int:
        """Nobody can say: never seen, or we were blind."""
        return self.by_state[ServiceState.UNKNOWN]

    @property
    def down_us(self) -> int:
        """Known to be neither up nor unknown."""
        return self.scope_us - self.up_us - self.unknown_us

    @property
    def known_us(self) -> int:
        """The denominator of every availability."""
        return self.scope_us - self.unknown_us

    @property
    def operational(self) -> float | None:
        """The share of known time that was up; nothing where no time is known."""
        return _share(self.up_us, self.known_us)

    @property
    def technical(self) -> float | None:
        """The same with cash_out as available: the machine is well, its cassettes are empty."""
        return _share(self.up_us + self.by_state[ServiceState.CASH_OUT], self.known_us)

    @property
    def full_function(self) -> float | None:
        """The share of known time in which everything worked."""
        return _share(self.by_state[ServiceState.IN_SERVICE], self.known_us)

    @property
    def coverage(self) -> float | None:
        """The share of the scope that is known; to be shown beside every other figure."""
        return _share(self.known_us, self.scope_us)


def error_budget(part: Availability, target: float) -> int:
    """How much down a target of operational availability allows, in whole microseconds.

    It is of the known time: what nobody can say is neither held against it nor for it. The target
    is taken as it is written, so that 0.995 allows 1/200 exactly; a fraction is not allowed.
    """
    return floor(part.known_us * (1 - Fraction(str(target))))


def availability(member_us: int, recorded_us: Mapping[ServiceState, int]) -> Availability:
    """The availability of one terminal, or of many by their sums.

    `member_us` is how long it belonged to what is reported within the window, `recorded_us` how
    long of that it is recorded in each state. What is in no record is unknown. Raises `ValueError`
    when more is recorded than there was time.
    """
    missing = member_us - sum(recorded_us.values())
    if missing < 0:
        raise ValueError(f"{-missing} µs more are recorded than the {member_us} µs there were")
    judged = {state: recorded_us.get(state, 0) for state in _JUDGED}
    judged[ServiceState.UNKNOWN] += missing
    return Availability(MappingProxyType(judged))


def total(parts: Iterable[Availability]) -> Availability:
    """The sum of the parts: numerators and denominators are added, never the shares."""
    sums: Counter[ServiceState] = Counter(dict.fromkeys(_JUDGED, 0))
    for part in parts:
        sums.update(part.by_state)
    return Availability(MappingProxyType(dict(sums)))


def _share(part: int, whole: int) -> float | None:
    return part / whole if whole else None
