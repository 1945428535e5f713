"""Durations as rules write them."""

from datetime import timedelta

import pytest

from fleet.rules import duration


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("10s", timedelta(seconds=10)),
        ("5m", timedelta(minutes=5)),
        ("2h", timedelta(hours=2)),
        ("7d", timedelta(days=7)),
        ("250ms", timedelta(milliseconds=250)),
        ("1h30m", timedelta(minutes=90)),
    ],
)
def test_a_duration_is_numbers_with_units_and_reads_back(text: str, value: timedelta) -> None:
    """What is shown is what one would write."""
    assert duration.parse(text) == value
    assert duration.render(value) == text


@pytest.mark.parametrize("text", ["", "10", "s", "10 s", "-5m", "1.5h", "5min", "9999999d"])
def test_anything_else_says_what_a_duration_looks_like(text: str) -> None:
    """A bare number has no unit, and nobody should have to guess."""
    with pytest.raises(ValueError, match="as in 10s, 5m"):
        duration.parse(text)


def test_no_time_is_zero_seconds() -> None:
    """An absent `for` is shown as such."""
    assert duration.render(timedelta()) == "0s"
    assert duration.parse("0s") == timedelta()
