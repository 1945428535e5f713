"""Makes the sums of uptime, hour by hour and day by day, and makes anew those that no longer hold.

Whoever writes what figures are made of is watched by the database: what changes within time that is
summed is noted as stale, and not used until it is summed again. A stretch of time is watched first,
and summed once no transaction can be at work that does not know that, so nothing slips through.
"""

from collections import defaultdict
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from psycopg import AsyncConnection
from psycopg.rows import TupleRow, class_row

from api.uptime.figures import DOWN
from fleet.buckets import Bucket, buckets
from fleet.db.sql import load
from fleet.tiles import Grain, Tile, whole

LATE = timedelta(minutes=15)
"""How long after its end an hour is summed: most of what is late has come by then."""

MOST_DAYS = 5
"""Days summed in one transaction, so that a long past is summed bit by bit."""

_DAY = timedelta(days=1)
_SQL = load("api.uptime", "summing")


@dataclass(frozen=True, slots=True)
class _State:
    """The row of `uptime_summed`."""

    zone: str
    begins_at: datetime
    summed_to: datetime
    watched_to: datetime
    at: datetime
    settled: bool | None


def summing_in(zone: str) -> Callable[[AsyncConnection[TupleRow]], Awaitable[None]]:
    """The scheduled work: a step at a time, so that what is behind catches up minute by minute."""

    async def work(connection: AsyncConnection[TupleRow]) -> None:
        await sum_up(connection, zone)

    return work


async def sum_up(
    connection: AsyncConnection[TupleRow], zone: str, until: datetime | None = None
) -> bool:
    """A step of the work, in the caller's transaction; says whether there is more to do now.

    Sums are of the hours and days of `zone`; of another than before, all is made anew. Time is
    summed up to `until`, or what is over by now.
    """
    state = await _state(connection)
    if state is not None and state.zone != zone:
        await connection.execute(_SQL["forget"])
        state = None
    if state is None:
        return await _begin(connection, zone)
    await _again(connection, state)
    if state.watched_to > state.summed_to:
        if state.settled is None:
            await connection.execute(_SQL["settle"])
            return True
        if not state.settled:
            return False
        return await _further(connection, state)
    there = ZoneInfo(zone)
    hours = list(buckets(state.watched_to, until or state.at - LATE, Bucket.HOUR, there))
    reached = [end for begin, end in hours if _ends_whole(begin, end, there)]
    if not reached:
        return False
    await connection.execute(_SQL["watch"], {"until": reached[-1]})
    return True


def _ends_whole(begin: datetime, end: datetime, zone: ZoneInfo) -> bool:
    return whole(begin, end, Bucket.HOUR, zone) == [(begin, end)]


async def _state(connection: AsyncConnection[TupleRow]) -> _State | None:
    async with connection.cursor(row_factory=class_row(_State)) as cursor:
        await cursor.execute(_SQL["state"])
        return await cursor.fetchone()


async def _begin(connection: AsyncConnection[TupleRow], zone: str) -> bool:
    """Sums begin with the day of the first record, if there is one."""
    row = await (await connection.execute(_SQL["first_record"])).fetchone()
    if row is None or row[0] is None:
        return False
    begin = _day_of(row[0], ZoneInfo(zone))[0]
    await connection.execute(_SQL["begin"], {"zone": zone, "begin": begin})
    return True


async def _further(connection: AsyncConnection[TupleRow], state: _State) -> bool:
    """Sum what is watched and not summed yet, day by day, so many days at the most."""
    there = ZoneInfo(state.zone)
    cuts = list(buckets(state.summed_to, state.watched_to, Bucket.DAY, there))
    for begin, end in cuts[:MOST_DAYS]:
        day = _day_of(begin, there)
        laid = [Tile(Grain.HOUR, *cut) for cut in whole(begin, end, Bucket.HOUR, there)]
        if end == day[1]:
            laid.append(Tile(Grain.DAY, *day))
        await _sum(connection, day[0] if end == day[1] else begin, end, laid, None)
        await connection.execute(_SQL["reached"], {"until": end})
    return True


async def _again(connection: AsyncConnection[TupleRow], state: _State) -> None:
    """Make anew what no longer holds, day by day."""
    there = ZoneInfo(state.zone)
    stale = await (await connection.execute(_SQL["take_stale"])).fetchall()
    cells: dict[tuple[datetime, datetime], set[str]] = defaultdict(set)
    for cell, begin, end in stale:
        for at, _ in buckets(begin, min(end, state.summed_to), Bucket.DAY, there):
            cells[_day_of(at, there)].add(cell)
    for (begin, end), changed in sorted(cells.items()):
        until = min(end, state.summed_to)
        of_day = {"begin": begin, "until": end, "cells": sorted(changed)}
        for statement in ("drop_days", "drop_hours", "drop_terminals", "drop_crossings"):
            await connection.execute(_SQL[statement], of_day)
        laid = [Tile(Grain.HOUR, *cut) for cut in whole(begin, until, Bucket.HOUR, there)]
        if until == end:
            laid.append(Tile(Grain.DAY, begin, end))
        await _sum(connection, begin, until, laid, sorted(changed))


async def _sum(
    connection: AsyncConnection[TupleRow],
    begin: datetime,
    until: datetime,
    laid: Sequence[Tile],
    cells: Sequence[str] | None,
) -> None:
    hours = [tile for tile in laid if tile.grain is Grain.HOUR]
    parameters = {
        "begin": begin,
        "until": until,
        "edges": [*(hour.begin for hour in hours), hours[-1].end],
        "whole": any(tile.grain is Grain.DAY for tile in laid),
        "cells": None if cells is None else list(cells),
        "down": sorted(DOWN),
    }
    await connection.execute(_SQL["sum"], parameters)
    for grain, statement in ((Grain.DAY, "sum_fleet_days"), (Grain.HOUR, "sum_fleet_hours")):
        begins = [tile.begin for tile in laid if tile.grain is grain]
        if begins:
            await connection.execute(_SQL[statement], {"begins": begins})


def _day_of(at: datetime, zone: ZoneInfo) -> tuple[datetime, datetime]:
    """The day of a zone that an instant is in."""
    days = whole(at - 2 * _DAY, at + 2 * _DAY, Bucket.DAY, zone)
    return next(day for day in days if day[0] <= at < day[1])
