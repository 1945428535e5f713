"""Reads how long a cell's terminals were in each state, and makes the figures of it."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from psycopg import AsyncConnection
from psycopg.rows import TupleRow, class_row

from api.cells.schemas import Figures, TerminalUptime, Uptime
from api.errors import NotFound
from api.scope import Scope
from api.window import Window
from fleet.availability import Availability, availability, total
from fleet.db.sql import load
from fleet.service_state import ServiceState

_SQL = load("api.cells", "uptime")


@dataclass(frozen=True, slots=True)
class _Duration:
    """A row of `durations`: of one terminal or all; with no state, how long it was a member."""

    terminal: str | None
    state: str | None
    terminals: int
    us: int


async def uptime(
    connection: AsyncConnection[TupleRow],
    scope: Scope,
    cell: str,
    window: Window,
    *,
    detail: bool,
) -> Uptime:
    """The availability of a cell with all below it; raises `NotFound`."""
    parameters = {"cell": cell, "scope": scope.parameter, "detail": detail}
    found = await (await connection.execute(_SQL["cell_exists"], parameters)).fetchone()
    if found != (True,):
        raise NotFound("cell", cell)
    async with connection.cursor(row_factory=class_row(_Duration)) as cursor:
        bounds = {"begin": window.begin, "until": window.until}
        await cursor.execute(_SQL["durations"], parameters | bounds)
        durations = await cursor.fetchall()
    parts = _by_terminal(durations)
    return Uptime.model_validate(
        figures(total(parts.values())).model_dump()
        | {
            "cell": cell,
            "begin": window.begin,
            "end": window.end,
            "until": window.until,
            "terminals": sum(row.terminals for row in durations if row.state is None),
            "detail": [
                TerminalUptime(terminal=terminal or "", **figures(part).model_dump())
                for terminal, part in parts.items()
            ]
            if detail
            else None,
        }
    )


def _by_terminal(durations: Iterable[_Duration]) -> Mapping[str | None, Availability]:
    members: dict[str | None, int] = {}
    recorded: dict[str | None, dict[ServiceState, int]] = defaultdict(dict)
    for row in durations:
        if row.state is None:
            members[row.terminal] = row.us
        else:
            recorded[row.terminal][ServiceState(row.state)] = row.us
    return {terminal: availability(us, recorded[terminal]) for terminal, us in members.items()}


def figures(part: Availability) -> Figures:
    """An availability as it goes on the wire."""
    return Figures(
        scope_us=part.scope_us,
        up_us=part.up_us,
        down_us=part.down_us,
        unknown_us=part.unknown_us,
        by_state_us=dict(part.by_state),
        operational=part.operational,
        technical=part.technical,
        full_function=part.full_function,
        coverage=part.coverage,
    )
