"""Reads terminals."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import timedelta
from typing import Any

from psycopg import AsyncConnection
from psycopg.rows import TupleRow, class_row, dict_row

from api.errors import NotFound
from api.scope import Scope
from api.terminals.schemas import Terminal, Timeline
from api.window import Window
from fleet.db.sql import load

_SQL = load("api.terminals", "store")
_TIMELINE = load("api.terminals", "timeline")
_REACHES = tuple(timedelta(days=days) for days in (30, 400, 1_460_000))
"""How far beyond a window its states are looked for; the last one is further than there are any."""


@dataclass(frozen=True, slots=True)
class Filter:
    """Which terminals; nothing means any. `text` is looked for in code, site, vendor and model."""

    id: str | None = None
    cell: str | None = None
    states: Sequence[str] | None = None
    kind: str | None = None
    text: str | None = None

    @property
    def pattern(self) -> str | None:
        """The text for ILIKE, its own wildcards taken literally."""
        if self.text is None:
            return None
        escaped = self.text.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
        return f"%{escaped}%"


async def terminals(
    connection: AsyncConnection[TupleRow],
    scope: Scope,
    wanted: Filter,
    after: str | None = None,
    rows: int = 1,
) -> Sequence[Terminal]:
    """The next terminals after a code, by code."""
    place = {"after": after, "rows": rows, "scope": scope.parameter, "pattern": wanted.pattern}
    async with connection.cursor(row_factory=class_row(Terminal)) as cursor:
        await cursor.execute(_SQL["terminals"], asdict(wanted) | place)
        return await cursor.fetchall()


async def terminal(connection: AsyncConnection[TupleRow], scope: Scope, code: str) -> Terminal:
    """One terminal; raises `NotFound`."""
    found = await terminals(connection, scope, Filter(id=code))
    if not found:
        raise NotFound("terminal", code)
    return found[0]


async def detail(
    connection: AsyncConnection[TupleRow], scope: Scope, code: str
) -> Mapping[str, Any]:
    """One terminal with its latest telemetry, if it ever sent any; raises `NotFound`."""
    async with connection.cursor(row_factory=dict_row) as cursor:
        await cursor.execute(_SQL["detail"], {"id": code, "scope": scope.parameter})
        found = await cursor.fetchone()
    if found is None:
        raise NotFound("terminal", code)
    return found | {"snapshot": None if found["ts"] is None else found}


async def timeline(
    connection: AsyncConnection[TupleRow], scope: Scope, code: str, window: Window
) -> Timeline:
    """What happened to a terminal in a window; raises `NotFound`."""
    await terminal(connection, scope, code)
    parameters = {
        "id": code,
        "begin": window.begin,
        "end": window.end,
        "scope": scope.parameter,
    }
    entries: list[dict[str, Any]] = []
    for reach in _REACHES:
        async with connection.cursor(row_factory=dict_row) as cursor:
            await cursor.execute(_TIMELINE["entries"], parameters | {"reach": reach})
            entries = await cursor.fetchall()
        if True not in [entry.pop("cut") for entry in entries]:
            break
    return Timeline.model_validate(
        {"terminal": code, "from": window.begin, "to": window.end, "items": entries}
    )
