"""The availability of one cell with all below it: the figures of `api.uptime`, of one part."""

from psycopg import AsyncConnection
from psycopg.rows import TupleRow

from api.cells.schemas import Figures, TerminalUptime, Uptime
from api.scope import Scope
from api.uptime.figures import Question, existing, slices
from api.uptime.schemas import By, Slice
from api.window import Window
from fleet.availability import total


async def uptime(
    connection: AsyncConnection[TupleRow],
    scope: Scope,
    cell: str,
    window: Window,
    *,
    detail: bool,
) -> Uptime:
    """The availability of a cell with all below it; raises `NotFound`."""
    await existing(connection, scope, cell)
    cuts = [(window.begin, window.until)] if window.begin < window.until else []
    [*whole] = await slices(connection, scope, Question(By.FLEET, cuts, cell), {})
    each = Question(By.TERMINAL, cuts if detail else [], cell)
    members = await slices(connection, scope, each, {})
    figures = _figures(whole[0]) if whole else Figures.of(total(()))
    return Uptime.model_validate(
        figures.model_dump()
        | {
            "cell": cell,
            "begin": window.begin,
            "end": window.end,
            "until": window.until,
            "terminals": whole[0].terminals if whole else 0,
            "detail": [
                TerminalUptime(terminal=one.part, **_figures(one).model_dump()) for one in members
            ]
            if detail
            else None,
        }
    )


def _figures(one: Slice) -> Figures:
    return Figures(**{name: getattr(one, name) for name in Figures.model_fields})
