"""How many requests are let through, by a clock that the test sets."""

import pytest

from api.errors import TooMany
from api.limits import RateLimit


class Clock:
    """Seconds, set by hand."""

    now = 0.0

    def __call__(self) -> float:
        return self.now


def taken(limit: RateLimit, key: str = "account ops") -> int:
    """How many are let through until one is not."""
    for number in range(1_000):
        try:
            limit.take(key)
        except TooMany:
            return number
    return 1_000


def test_a_minutes_worth_at_once_and_then_as_it_comes_back() -> None:
    """Sixty a minute: sixty at once, one a second after that, and after a minute's rest sixty."""
    clock = Clock()
    limit = RateLimit(60, clock)
    assert taken(limit) == 60
    clock.now = 5.0
    assert taken(limit) == 5
    clock.now = 500.0
    assert taken(limit) == 60


def test_who_is_refused_hears_how_long_to_wait_and_uses_nothing_up() -> None:
    clock = Clock()
    limit = RateLimit(6, clock)
    assert taken(limit) == 6
    for _ in range(3):
        with pytest.raises(TooMany) as refused:
            limit.take("account ops")
        assert refused.value.wait_s == 10
    clock.now = 10.0
    assert taken(limit) == 1


def test_each_key_is_counted_by_itself() -> None:
    limit = RateLimit(6, Clock())
    assert taken(limit, "account ops") == 6
    assert taken(limit, "address 10.0.0.1") == 6


def test_without_a_limit_nothing_is_counted() -> None:
    assert taken(RateLimit(0, Clock())) == 1_000


def test_of_many_keys_those_with_nothing_used_up_are_forgotten(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Addresses that come once do not fill the memory, and whoever is at the limit stays there."""
    monkeypatch.setattr("api.limits._MOST_KEPT", 10)
    clock = Clock()
    limit = RateLimit(6, clock)
    for number in range(9):
        limit.take(f"address {number}")
    assert taken(limit) == 6
    clock.now = 15.0
    assert taken(limit, "address 9") == 6
    assert taken(limit) == 1
    assert len(limit._taken_until) == 2
