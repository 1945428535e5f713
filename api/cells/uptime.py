"""The availability of one cell with all below it: the figures of `api.uptime`, of one part."""

from psycopg import AsyncConnection
from psycopg.rows import TupleRow

from api.cells.schemas import Figures, TerminalUptime, Uptime
from api.planning import plan_each_time
from api.scope import Scope
from api.uptime.figures import Question, of_cell, slices
from api.uptime.schemas import By, Slice
from api.window import Window


async def uptime(
    connection: AsyncConnection[TupleRow],
    scope: Scope,
    cell: str,
    window: Window,
    *,
    detail: bool,
) -> Uptime:
    """The availability of a cell with all below it; raises `NotFound`."""
    whole = await of_cell(connection, scope, cell, window)
    return Uptime(
        **Figures.of(whole.availability).model_dump(),
        cell=cell,
        begin=window.begin,
        end=window.end,
        until=window.until,
        terminals=whole.terminals,
        detail=await _members(connection, scope, cell, window) if detail else None,
    )


async def _members(
    connection: AsyncConnection[TupleRow], scope: Scope, cell: str, window: Window
) -> list[TerminalUptime]:
    await plan_each_time(connection)
    cuts = [(window.begin, window.until)] if window.begin < window.until else []
    found = await slices(connection, scope, Question(By.TERMINAL, cuts, cell), {})
    return [TerminalUptime(terminal=one.part, **_figures(one).model_dump()) for one in found]


def _figures(one: Slice) -> Figures:
    return Figures(**{name: getattr(one, name) for name in Figures.model_fields})
