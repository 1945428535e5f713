"""The collector's clock never runs backwards."""

from datetime import UTC, datetime, timedelta

from collector.clock import SteadyClock

T0 = datetime(2026, 11, 23, 8, tzinfo=UTC)


class Machine:
    """A time of day that can be set, and a monotonic clock that cannot."""

    def __init__(self) -> None:
        self.day, self.ticks = T0, 0.0

    def pass_(self, seconds: float) -> None:
        self.day += timedelta(seconds=seconds)
        self.ticks += seconds

    def clock(self) -> SteadyClock:
        return SteadyClock(lambda: self.day, lambda: self.ticks)


def test_set_back_it_goes_on_at_its_pace() -> None:
    """An hour back: the next minute is still a minute, and later than what came before."""
    machine = Machine()
    clock = machine.clock()
    machine.pass_(10)
    assert clock() == T0 + timedelta(seconds=10)
    machine.day -= timedelta(hours=1)
    assert clock() == T0 + timedelta(seconds=10)
    machine.pass_(60)
    assert clock() == T0 + timedelta(seconds=70)


def test_a_leap_ahead_is_followed() -> None:
    machine = Machine()
    clock = machine.clock()
    machine.day += timedelta(hours=1)
    assert clock() == T0 + timedelta(hours=1)
    machine.pass_(1)
    assert clock() == T0 + timedelta(hours=1, seconds=1)
