"""Windows cut into the hours, days, weeks and months of a clock on the wall."""

from datetime import UTC, datetime, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fleet.buckets import Bucket, buckets

BERLIN = ZoneInfo("Europe/Berlin")
ZONES = ["UTC", "Asia/Shanghai", "Europe/Berlin", "Africa/Cairo", "Australia/Lord_Howe"]
instants = st.timedeltas(timedelta(0), timedelta(days=1000)).map(
    lambda after: datetime(2024, 1, 1, tzinfo=UTC) + after
)


@given(
    begin=instants,
    length=st.timedeltas(timedelta(microseconds=1), timedelta(days=70)),
    bucket=st.none() | st.sampled_from(Bucket),
    zone=st.sampled_from(ZONES).map(ZoneInfo),
)
def test_buckets_meet_end_to_end_at_the_clocks_boundaries(
    begin: datetime, length: timedelta, bucket: Bucket | None, zone: ZoneInfo
) -> None:
    """Nothing between them, nothing twice, whatever the clocks do; no empty one."""
    end = begin + length
    cuts = list(buckets(begin, end, bucket, zone))
    assert (cuts[0][0], cuts[-1][1]) == (begin, end)
    assert all(first < last for first, last in cuts)
    for (_, earlier), (later, _) in pairwise(cuts):
        assert earlier == later
        assert bucket is not None
        if bucket is not Bucket.HOUR:
            before = (later - timedelta(microseconds=1)).astimezone(zone)
            assert before.date() < later.astimezone(zone).date()


@pytest.mark.parametrize(
    ("begin", "hours"),
    [
        (datetime(2026, 3, 28, tzinfo=BERLIN), [24, 23, 24]),
        (datetime(2026, 10, 24, tzinfo=BERLIN), [24, 25, 24]),
    ],
)
def test_a_day_on_which_clocks_change_is_shorter_or_longer(
    begin: datetime, hours: list[int]
) -> None:
    """Spring and autumn in Berlin."""
    end = begin + timedelta(days=3)
    days = [(b - a) / timedelta(hours=1) for a, b in buckets(begin, end, Bucket.DAY, BERLIN)]
    assert days == hours
    assert len(list(buckets(begin, end, Bucket.HOUR, BERLIN))) == sum(hours)


def test_weeks_begin_on_monday_and_months_on_the_first() -> None:
    """In Shanghai, whose midnight is 16:00 in UTC."""
    shanghai = ZoneInfo("Asia/Shanghai")
    begin, end = datetime(2026, 11, 24, tzinfo=UTC), datetime(2027, 1, 5, tzinfo=UTC)
    weeks = [b.astimezone(shanghai) for _, b in buckets(begin, end, Bucket.WEEK, shanghai)]
    assert [(one.weekday(), one.hour) for one in weeks[:-1]] == [(0, 0)] * 6
    months = [b.astimezone(shanghai) for _, b in buckets(begin, end, Bucket.MONTH, shanghai)]
    assert [(one.day, one.month) for one in months[:-1]] == [(1, 12), (1, 1)]


@pytest.mark.parametrize(
    ("zone", "begin", "lengths"),
    [
        # Set forward at 02:30 and at 23:30 by half an hour, to the beginning of another hour.
        ("America/Caracas", datetime(2016, 5, 1, 5, 30, tzinfo=UTC), [60, 30, 60, 60]),
        ("Asia/Pyongyang", datetime(2018, 5, 4, 13, 30, tzinfo=UTC), [60, 30, 60, 60]),
        # From 02:00 to 02:30, and from 02:00 back to 01:30.
        ("Australia/Lord_Howe", datetime(2026, 10, 3, 14, 30, tzinfo=UTC), [60, 30, 60, 60]),
        ("Australia/Lord_Howe", datetime(2026, 4, 4, 14, tzinfo=UTC), [60, 30, 60, 60]),
    ],
)
def test_an_hour_in_which_clocks_change_by_half_of_it_holds_no_part_of_another(
    zone: str, begin: datetime, lengths: list[int]
) -> None:
    """Of 02:00 to 02:30 and 03:00 to 03:30 one hour was made; it reached into another day too."""
    end = begin + sum(lengths) * timedelta(minutes=1)
    hours = [
        (until - since) // timedelta(minutes=1)
        for since, until in buckets(begin, end, Bucket.HOUR, ZoneInfo(zone))
    ]
    assert hours == lengths
