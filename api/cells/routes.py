"""Cells over HTTP."""

from typing import Annotated

from fastapi import Query, Response

from api.accounts.caller import SignedIn
from api.cells import store
from api.cells.schemas import Cell, CellDetail, Uptime
from api.cells.uptime import uptime
from api.errors import NotFound, Unauthenticated
from api.paging import AskedPage, Page
from api.paths import V1
from api.planning import planned_once
from api.problem import documented
from api.routing import Router
from api.services import Connection
from api.tables import AskedMedia, Media, answer, documented_tables
from api.uptime import table
from api.window import AskedWindow

router = Router(f"{V1}/cells", tags=["cells"])


@router.get("", responses=documented(Unauthenticated))
async def list_cells(caller: SignedIn, connection: Connection, page: AskedPage) -> Page[Cell]:
    """The cells you see, by code."""
    rows = await store.cells(connection, caller.scope, page.after(str), page.rows)
    return page.page(rows, lambda cell: cell.code)


@router.get("/{code}", responses=documented(Unauthenticated, NotFound))
async def get_cell(code: str, caller: SignedIn, connection: Connection) -> CellDetail:
    """One cell: what stands in it, what is open in it, who answers for it."""
    return await store.cell(connection, caller.scope, code)


@router.get(
    "/{code}/uptime",
    response_model=Uptime,
    responses=documented(Unauthenticated, NotFound) | documented_tables(table.CELL),
)
@planned_once
async def get_uptime(
    code: str,
    caller: SignedIn,
    connection: Connection,
    window: AskedWindow,
    detail: Annotated[bool, Query(description="Every terminal too")] = False,
    media: AskedMedia = Media.JSON,
) -> Uptime | Response:
    """How available a cell was over a window, the last 24 hours by default."""
    found = await uptime(connection, caller.scope, code, window, detail=detail)
    return found if media is Media.JSON else answer(media, table.CELL, table.of_cell(found))
