"""Windows of time cut into hours, days, weeks or months as a clock on the wall shows them.

Where clocks are put forward or back a day has 23 or 25 hours; the buckets still meet end to end, so
what is summed over them is what is summed over the window.
"""

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from enum import StrEnum
from functools import lru_cache
from zoneinfo import ZoneInfo

_REMEMBERED = 4096  # windows that end now are cut by the same hours, again and again


class Bucket(StrEnum):
    """How long a bucket is; weeks begin on Monday."""

    HOUR = "hour"
    DAY = "day"
    WEEK = "week"
    MONTH = "month"


def buckets(
    begin: datetime, end: datetime, bucket: Bucket | None, zone: ZoneInfo
) -> Iterator[tuple[datetime, datetime]]:
    """The buckets of a window, in UTC; the first and last are cut to it. None: the whole window."""
    at = begin.astimezone(UTC)
    last = end.astimezone(UTC)
    while at < last:
        following = last if bucket is None else min(last, _next(at, bucket, zone))
        yield at, following
        at = following


@lru_cache(_REMEMBERED)
def _next(at: datetime, bucket: Bucket, zone: ZoneInfo) -> datetime:
    """The first boundary after an instant."""
    local = at.astimezone(zone)
    if bucket is Bucket.HOUR:
        later = at + timedelta(hours=1) - _into_hour(local)
        # Clocks that were set forward within it, by half an hour, may have begun another before.
        sooner = later - _into_hour(later.astimezone(zone))
        begins = at < sooner and not _into_hour(sooner.astimezone(zone))
        return sooner if begins else later
    today = local.date()
    if bucket is Bucket.DAY:
        following = today + timedelta(days=1)
    elif bucket is Bucket.WEEK:
        following = today + timedelta(days=7 - today.weekday())
    else:
        following = (today.replace(day=1) + timedelta(days=32)).replace(day=1)
    boundary = _midnight(following, zone)
    # Where midnight comes twice, the second one is of the same day.
    return boundary if boundary > at else _midnight(following + timedelta(days=1), zone)


def _into_hour(local: datetime) -> timedelta:
    return timedelta(minutes=local.minute, seconds=local.second, microseconds=local.microsecond)


def _midnight(day: date, zone: ZoneInfo) -> datetime:
    """When a day begins; where clocks skip midnight, when they do."""
    return datetime(day.year, day.month, day.day, tzinfo=zone).astimezone(UTC)
