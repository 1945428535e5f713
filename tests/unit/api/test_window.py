"""Windows and instants: what is asked for, and what is not a time."""

from datetime import UTC, datetime, timedelta

import pytest
from pydantic import TypeAdapter, ValidationError

from api.errors import Invalid
from api.instants import GivenInstant
from api.window import Window, window

NOW = datetime(2026, 11, 23, 8, tzinfo=UTC)
HOUR, DAY = timedelta(hours=1), timedelta(days=1)
given = TypeAdapter(GivenInstant)


@pytest.mark.parametrize(
    ("begin", "end", "expected"),
    [
        (None, None, Window(NOW - DAY, NOW, NOW)),
        (NOW - HOUR, None, Window(NOW - HOUR, NOW, NOW)),
        (None, NOW - HOUR, Window(NOW - HOUR - DAY, NOW - HOUR, NOW - HOUR)),
        (NOW - HOUR, NOW + HOUR, Window(NOW - HOUR, NOW + HOUR, NOW)),
        (NOW + HOUR, NOW + DAY, Window(NOW + HOUR, NOW + DAY, NOW + HOUR)),
    ],
)
def test_a_window_ends_now_at_the_latest(
    begin: datetime | None, end: datetime | None, expected: Window
) -> None:
    """The last day, from then till now, the day before then, over now, all in the future."""
    assert window(begin, end, NOW) == expected


@pytest.mark.parametrize(("begin", "end"), [(NOW, NOW), (NOW, NOW - HOUR), (NOW + HOUR, None)])
def test_an_empty_window_is_refused(begin: datetime, end: datetime | None) -> None:
    """Nothing to report on: said, rather than answered with noughts."""
    with pytest.raises(Invalid):
        window(begin, end, NOW)


@pytest.mark.parametrize(
    "text",
    [
        "2026-11-23T08:00:00Z",
        "2026-11-23t08:00:00z",
        "2026-11-23T16:00:00+08:00",
        "2026-11-23T08:00:00.000000Z",
        "2026-11-22T20:00:00-12:00",
    ],
)
def test_an_instant_may_be_written_with_any_offset(text: str) -> None:
    """The same instant, each time in UTC."""
    assert given.validate_python(text) == NOW
    assert given.validate_python(text).tzinfo is UTC


@pytest.mark.parametrize(
    "text",
    [
        "2026-11-23T08:00:00",
        "2026-11-23",
        "1700000000",
        "2026-11-23T08:00:00 08:00",
        "2026-11-23 08:00:00Z",
        "2026-11-23T08:00:00.0000001Z",
        "2026-13-23T08:00:00Z",
        "yesterday",
        "2026-11-23T08:00:00+08",
        "٢٠٢٦-11-23T08:00:00Z",
    ],
)
def test_what_is_no_instant_is_refused(text: str) -> None:
    """No offset, no time, seconds since 1970, an unescaped plus, a thirteenth month."""
    with pytest.raises(ValidationError):
        given.validate_python(text)
