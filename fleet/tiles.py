"""Which sums, made before, a window of time is put together from; what none covers is raw.

Days first, then hours, both as a clock in one zone shows them: those that lie whole within the
window and within the time that sums were made of. The rest is read from the intervals themselves.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from zoneinfo import ZoneInfo

from fleet.buckets import Bucket, buckets


class Grain(StrEnum):
    """How fine: sums of a day, sums of an hour, or no sums."""

    DAY = "day"
    HOUR = "hour"
    RAW = "raw"


@dataclass(frozen=True, slots=True)
class Tile:
    """A stretch of time and what it is read from."""

    grain: Grain
    begin: datetime
    end: datetime


@dataclass(frozen=True, slots=True)
class Summed:
    """From and to when there are sums, in whose hours and days; since when of hours, if later."""

    begin: datetime
    end: datetime
    zone: ZoneInfo
    hours_from: datetime | None = None


_AROUND = {Bucket.DAY: timedelta(days=3), Bucket.HOUR: timedelta(hours=3)}


def tiles(begin: datetime, end: datetime, summed: Summed | None, finest: Grain) -> Iterator[Tile]:
    """The tiles of a window, in order, end to end; none finer than `finest` but for the raw."""
    if summed is not None and finest is not Grain.RAW:
        first, last = max(begin, summed.begin), min(end, summed.end)
        if first < last:
            yield from _raw(begin, first)
            yield from _summed(first, last, summed, finest)
            yield from _raw(last, end)
            return
    yield from _raw(begin, end)


def whole(
    begin: datetime, end: datetime, bucket: Bucket, zone: ZoneInfo
) -> list[tuple[datetime, datetime]]:
    """The hours or days of a zone that lie whole within a window, in order, end to end."""
    around = _AROUND[bucket]
    cuts = buckets(begin - around, end + around, bucket, zone)
    return [cut for cut in cuts if begin <= cut[0] and cut[1] <= end]


def _summed(begin: datetime, end: datetime, summed: Summed, finest: Grain) -> Iterator[Tile]:
    days = whole(begin, end, Bucket.DAY, summed.zone)
    first, last = (days[0][0], days[-1][1]) if days else (end, end)
    yield from _edge(begin, first, summed, finest)
    for cut in days:
        yield Tile(Grain.DAY, *cut)
    yield from _edge(last, end, summed, finest)


def _edge(begin: datetime, end: datetime, summed: Summed, finest: Grain) -> Iterator[Tile]:
    since = begin if summed.hours_from is None else max(begin, summed.hours_from)
    hours = []
    if finest is Grain.HOUR and since < end:
        hours = whole(since, end, Bucket.HOUR, summed.zone)
    if not hours:
        yield from _raw(begin, end)
        return
    yield from _raw(begin, hours[0][0])
    for cut in hours:
        yield Tile(Grain.HOUR, *cut)
    yield from _raw(hours[-1][1], end)


def _raw(begin: datetime, end: datetime) -> Iterator[Tile]:
    if begin < end:
        yield Tile(Grain.RAW, begin, end)
