"""Writes down when windows and schedules apply, far enough ahead, from what `fleet.windows` says.

Statements then find times, not rules: what holds a ticket, what is not judged. To find the times of
years takes a while: others are served meanwhile.
"""

import asyncio
from collections.abc import Iterable
from datetime import datetime, timedelta

from psycopg import AsyncConnection
from psycopg.rows import TupleRow

from fleet.db.sql import load
from fleet.sla.calendar import FOREVER, Span
from fleet.windows.schedule import Schedule, closings
from fleet.windows.window import Recurrence, Repeat, Window, occurrences

AHEAD = timedelta(days=400)
"""How far times are written before they come; every day they are written a day further."""

_SQL = load("api.windows", "expansion")


async def expand(connection: AsyncConnection[TupleRow]) -> None:
    """Scheduled work: write what has come within reach of every window and schedule."""
    for key, begin, end, repeat, weekdays, zone, until in await _rows(connection, "short_windows"):
        recurrence = Recurrence(Repeat(repeat), zone, frozenset(weekdays)) if repeat else None
        await expand_window(connection, key, Window(Span(begin, end), recurrence, until or FOREVER))
    for (code,) in await _rows(connection, "short_schedules"):
        await expand_schedule(connection, code)


async def expand_window(connection: AsyncConnection[TupleRow], key: int, window: Window) -> None:
    """Write the times of a window that are not written yet, unless it was taken back."""
    until = max(await _horizon(connection), window.first.end)
    held = await _rows(connection, "window_written", id=key)
    if not held:
        return
    [(written,)] = held
    found = await asyncio.to_thread(list, occurrences(window, Span(window.first.begin, until)))
    spans = [span for span in found if written is None or span.begin >= written]
    await connection.execute(_SQL["write_occurrences"], _ends(spans) | {"id": key, "until": until})


async def expand_schedule(connection: AsyncConnection[TupleRow], code: str) -> None:
    """Write the closings of a schedule anew, since it was first used."""
    await _rows(connection, "hold_schedule", code=code)
    until = await _horizon(connection)
    [(begin,)] = await _rows(connection, "first_use", code=code)
    await connection.execute(_SQL["forget_closings"], {"code": code})
    spans: Iterable[Span] = ()
    if begin is not None:
        hours = await schedule(connection, code)
        spans = await asyncio.to_thread(list, closings(hours, Span(begin, until)))
    parameters = _ends(spans) | {"code": code, "until": until}
    await connection.execute(_SQL["write_closings"], parameters)


async def schedule(connection: AsyncConnection[TupleRow], code: str) -> Schedule:
    """A schedule as it is stored."""
    [(zone,)] = await _rows(connection, "schedule_zone", code=code)
    week = {
        weekday: tuple(zip(opens, closes, strict=True))
        for weekday, opens, closes in await _rows(connection, "schedule_week", code=code)
    }
    days = {
        day: tuple(zip(opens, closes, strict=True))
        for day, opens, closes in await _rows(connection, "schedule_days", code=code)
    }
    return Schedule(zone, week, days)


async def _horizon(connection: AsyncConnection[TupleRow]) -> datetime:
    [(now,)] = await _rows(connection, "now")
    until: datetime = now + AHEAD
    return until


async def _rows(
    connection: AsyncConnection[TupleRow], statement: str, **parameters: object
) -> list[TupleRow]:
    return await (await connection.execute(_SQL[statement], parameters)).fetchall()


def _ends(spans: Iterable[Span]) -> dict[str, list[datetime]]:
    found = list(spans)
    return {
        "begins": [span.begin for span in found],
        "ends": [span.end for span in found],
    }
