"""Reads planned windows, plans them, takes them back."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from zoneinfo import available_timezones

from psycopg import AsyncConnection
from psycopg.rows import TupleRow, class_row

from api.errors import Invalid, NotFound
from api.scope import Scope
from api.windows import expansion
from api.windows.schemas import About, Window, WindowAsked
from fleet.db.sql import load
from fleet.sla.calendar import FOREVER, Span
from fleet.windows.window import Purpose, Recurrence
from fleet.windows.window import Window as Planned

_FIRST_YEAR = 1970
_SQL = load("api.windows", "store")


@dataclass(frozen=True, slots=True)
class Filter:
    """Which windows; nothing means any. `live`: with times that are not over."""

    id: int | None = None
    purpose: Purpose | None = None
    live: bool | None = None


async def windows(
    connection: AsyncConnection[TupleRow],
    scope: Scope,
    wanted: Filter,
    after: int | None = None,
    rows: int = 1,
) -> Sequence[Window]:
    """The next windows below an id, the newest first."""
    place = {"after": after, "rows": rows, "scope": scope.parameter}
    async with connection.cursor(row_factory=class_row(Window)) as cursor:
        await cursor.execute(_SQL["windows"], asdict(wanted) | place)
        return await cursor.fetchall()


async def window(connection: AsyncConnection[TupleRow], scope: Scope, key: int) -> Window:
    """One window; raises `NotFound`."""
    found = await windows(connection, scope, Filter(id=key))
    if not found:
        raise NotFound("window", key)
    return found[0]


async def plan(
    connection: AsyncConnection[TupleRow], scope: Scope, asked: WindowAsked, author: str
) -> int:
    """Store a window with its times; returns its id. Raises `Invalid`."""
    if asked.component is not None and asked.purpose is not Purpose.SILENCE:
        raise Invalid("body.component", "is for silences: a terminal is maintained as a whole")
    if not any((asked.terminal, asked.cell, asked.kind, asked.component)):
        raise Invalid("body.cell", "say what it is about: terminal, cell, kind or component")
    planned = _planned(asked)
    terminal_id = await subject(connection, scope, asked)
    said = asked.model_dump() | {"terminal_id": terminal_id, "author": author}
    [(key,)] = await (await connection.execute(_SQL["plan"], said)).fetchall()
    await expansion.expand_window(connection, key, planned)
    found: int = key
    return found


async def end(connection: AsyncConnection[TupleRow], scope: Scope, key: int, author: str) -> None:
    """Take a window back from now on; one that is taken back stays so. Raises `NotFound`."""
    await window(connection, scope, key)
    for statement in ("end", "forget_to_come", "end_under_way"):
        await connection.execute(_SQL[statement], {"id": key, "author": author})


async def annul(
    connection: AsyncConnection[TupleRow], scope: Scope, key: int, author: str, reason: str
) -> None:
    """Let a window count as if it had never been; the first who says so does. Raises `NotFound`."""
    await window(connection, scope, key)
    said = {"id": key, "author": author, "reason": reason}
    for statement in ("annul", "forget_all"):
        await connection.execute(_SQL[statement], said)


async def subject(connection: AsyncConnection[TupleRow], scope: Scope, about: About) -> int | None:
    """The key of the terminal that something is about, if it is; raises `Invalid`."""
    parameters = {"terminal": about.terminal, "cell": about.cell, "scope": scope.parameter}
    rows = await (await connection.execute(_SQL["subject"], parameters)).fetchall()
    [(terminal_id, cell)] = rows
    if about.terminal is not None and terminal_id is None:
        raise Invalid("body.terminal", f"there is no terminal {about.terminal}")
    if about.cell is not None and cell is None:
        raise Invalid("body.cell", f"there is no cell {about.cell}")
    found: int | None = terminal_id
    return found


def zone(name: str) -> str:
    """A time zone that there is; raises `Invalid`."""
    if name not in available_timezones():
        raise Invalid("body.time_zone", f"there is no time zone {name}")
    return name


def reckoned_from(field: str, begin: datetime) -> None:
    """Raise `Invalid` for a year that can only be mistyped: each day since is written down."""
    if begin.year < _FIRST_YEAR:
        raise Invalid(field, f"must be of {_FIRST_YEAR} or later")


def _planned(asked: WindowAsked) -> Planned:
    reckoned_from("body.from", asked.begin)
    if asked.until is not None and asked.until <= asked.begin:
        raise Invalid("body.until", "must be after `from`")
    again = None
    if asked.repeat is not None:
        again = Recurrence(asked.repeat, zone(asked.time_zone), frozenset(asked.weekdays))
    try:
        return Planned(Span(asked.begin, asked.end), again, asked.until or FOREVER)
    except ValueError as error:
        raise Invalid("body.to", str(error)) from error
