"""Reads service schedules, makes them, says who serves by them."""

from collections.abc import Sequence
from datetime import date
from typing import Any

from psycopg import AsyncConnection
from psycopg.errors import ExclusionViolation
from psycopg.rows import TupleRow, dict_row

from api.errors import Invalid, NotFound
from api.scope import Scope
from api.windows import expansion
from api.windows.schedule_schemas import (
    Day,
    DayAsked,
    Schedule,
    ScheduleAsked,
    Use,
    UseAsked,
    minutes,
    written,
)
from api.windows.store import reckoned_from, subject, zone
from fleet.db.sql import load

_SQL = load("api.windows", "schedules")


async def schedules(
    connection: AsyncConnection[TupleRow],
    scope: Scope,
    code: str | None = None,
    after: str | None = None,
    rows: int = 1,
) -> Sequence[Schedule]:
    """The next schedules after a code, by code; or the one of that code."""
    found = await _read(connection, "schedules", code=code, after=after, rows=rows)
    codes = [row["code"] for row in found]
    parts: dict[str, dict[str, Any]] = {one: {"week": {}, "days": [], "uses": []} for one in codes}
    cursor = await connection.execute(_SQL["week"], {"codes": codes})
    for of, weekday, opens, closes in await cursor.fetchall():
        parts[of]["week"].setdefault(weekday, []).append(written(opens, closes))
    cursor = await connection.execute(_SQL["days"], {"codes": codes})
    for of, day, author, reason, opens, closes in await cursor.fetchall():
        hours = [written(*pair) for pair in zip(opens, closes, strict=True)]
        parts[of]["days"].append(Day(day=day, open=hours, author=author, reason=reason))
    for row in await _read(connection, "uses", codes=codes, scope=scope.parameter):
        parts[row.pop("schedule_code")]["uses"].append(Use(**row))
    return [Schedule(**row, **parts[row["code"]]) for row in found]


async def schedule(connection: AsyncConnection[TupleRow], scope: Scope, code: str) -> Schedule:
    """One schedule; raises `NotFound`."""
    found = await schedules(connection, scope, code)
    if not found:
        raise NotFound("schedule", code)
    return found[0]


async def make(connection: AsyncConnection[TupleRow], asked: ScheduleAsked, author: str) -> None:
    """Store a new schedule, which nobody serves by yet; raises `Invalid`.

    Its hours stay as they are: other hours are another schedule, used from a day on, so that the
    past keeps those it had.
    """
    parameters = {"code": asked.code, "name": asked.name, "author": author}
    made = await connection.execute(_SQL["make"], parameters | {"zone": zone(asked.time_zone)})
    if await made.fetchone() is None:
        raise Invalid("body.code", f"there is a schedule {asked.code} already")
    hours = [(day, *minutes(one)) for day, several in asked.week.items() for one in several]
    await connection.execute(
        _SQL["write_week"],
        {
            "code": asked.code,
            "weekdays": [day for day, _, _ in hours],
            "opens": [opens for _, opens, _ in hours],
            "closes": [closes for _, _, closes in hours],
        },
    )


async def set_day(
    connection: AsyncConnection[TupleRow], code: str, day: date, asked: DayAsked, author: str
) -> None:
    """Give a day hours of its own."""
    hours = [minutes(one) for one in asked.open]
    await connection.execute(
        _SQL["write_day"],
        {
            "code": code,
            "day": day,
            "opens": [opens for opens, _ in hours],
            "closes": [closes for _, closes in hours],
            "author": author,
            "reason": asked.reason,
        },
    )
    await _changed(connection, code)


async def forget_day(connection: AsyncConnection[TupleRow], code: str, day: date) -> None:
    """Let a day be like others of its weekday; raises `NotFound`."""
    gone = await connection.execute(_SQL["forget_day"], {"code": code, "day": day})
    if not gone.rowcount:
        raise NotFound("other day", day)
    await _changed(connection, code)


async def use(
    connection: AsyncConnection[TupleRow], scope: Scope, code: str, asked: UseAsked, author: str
) -> None:
    """Let a terminal, a cell or a kind serve by a schedule; raises `Invalid`."""
    if sum(one is not None for one in (asked.terminal, asked.cell, asked.kind)) != 1:
        raise Invalid("body.cell", "name one: a terminal, a cell or a kind")
    if asked.end is not None and asked.end <= asked.begin:
        raise Invalid("body.to", "must be after `from`")
    reckoned_from("body.from", asked.begin)
    terminal_id = await subject(connection, scope, asked)
    said = asked.model_dump() | {"code": code, "terminal_id": terminal_id, "author": author}
    try:
        async with connection.transaction():
            await connection.execute(_SQL["use"], said)
    except ExclusionViolation as error:
        raise Invalid(
            "body.from", "it serves by a schedule then already: end that first"
        ) from error
    await _changed(connection, code)


async def end_use(connection: AsyncConnection[TupleRow], code: str, use: int) -> None:
    """End it from now on; raises `NotFound` where it is not in force or to come."""
    parameters = {"code": code, "use": use}
    gone = await connection.execute(_SQL["forget_use"], parameters)
    ended = await connection.execute(_SQL["end_use"], parameters)
    if not gone.rowcount + ended.rowcount:
        raise NotFound("use", use)
    await connection.execute(_SQL["announce"])


async def _changed(connection: AsyncConnection[TupleRow], code: str) -> None:
    """What a schedule says is another: its closings, and what the collectors go by."""
    await expansion.expand_schedule(connection, code)
    await connection.execute(_SQL["announce"])


async def _read(
    connection: AsyncConnection[TupleRow], statement: str, **parameters: object
) -> list[dict[str, Any]]:
    async with connection.cursor(row_factory=dict_row) as cursor:
        await cursor.execute(_SQL[statement], parameters)
        return await cursor.fetchall()
