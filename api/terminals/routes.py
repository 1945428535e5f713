"""Terminals over HTTP."""

from collections.abc import Sequence
from typing import Annotated

from fastapi import Path, Query, Response

from api.accounts.caller import SignedIn
from api.errors import NotFound, Unauthenticated
from api.faults import store as faults
from api.faults.schemas import Fault
from api.paging import AskedPage, Page
from api.paths import V1
from api.planning import planned_once
from api.problem import documented
from api.routing import Router
from api.services import Connection
from api.tables import AskedMedia, Media, answer, documented_tables
from api.terminals import store, table
from api.terminals.schemas import Kind, Terminal, TerminalDetail, Timeline
from api.tickets import store as tickets
from api.tickets.schemas import Ticket
from api.tickets.viewer import AsViewer
from api.window import AskedWindow
from fleet.service_state import ServiceState

router = Router(f"{V1}/terminals", tags=["terminals"])

_MOST_OPEN = 100
_Code = Annotated[str, Path(alias="id", description="The id on the wire")]


@router.get("", responses=documented(Unauthenticated))
async def list_terminals(
    caller: SignedIn,
    connection: Connection,
    page: AskedPage,
    cell: Annotated[str | None, Query(description="With all cells below it")] = None,
    state: Annotated[
        list[ServiceState] | None, Query(description="May be given several times")
    ] = None,
    kind: Kind | None = None,
    q: Annotated[
        str | None, Query(max_length=100, description="Text in id, site, vendor or model")
    ] = None,
) -> Page[Terminal]:
    """The terminals you see, by id."""
    wanted = store.Filter(None, cell, state, kind, q)
    rows = await store.terminals(connection, caller.scope, wanted, page.after(str), page.rows)
    return page.page(rows, lambda terminal: terminal.id)


@router.get("/{id}", responses=documented(Unauthenticated, NotFound))
@planned_once
async def get_terminal(code: _Code, viewer: AsViewer, connection: Connection) -> TerminalDetail:
    """One terminal: how it is, what it last said, what is open on it."""
    scope = viewer.scope
    detail = await store.detail(connection, scope, code)
    open_faults: Sequence[Fault] = ()
    open_tickets: Sequence[Ticket] = ()
    if detail["faulty"]:
        open_faults = await faults.open_of_terminal(connection, scope, code, _MOST_OPEN)
    if detail["ticketed"]:
        open_tickets = await tickets.of_terminal(connection, viewer, code, _MOST_OPEN)
    found = {**detail, "open_faults": list(open_faults), "open_tickets": list(open_tickets)}
    return TerminalDetail.model_validate(found)


@router.get(
    "/{id}/timeline",
    response_model=Timeline,
    responses=documented(Unauthenticated, NotFound) | documented_tables(table.ENTRIES),
)
async def get_timeline(
    code: _Code,
    caller: SignedIn,
    connection: Connection,
    window: AskedWindow,
    media: AskedMedia = Media.JSON,
) -> Timeline | Response:
    """What happened to a terminal in a window: service states, faults, tickets."""
    found = await store.timeline(connection, caller.scope, code, window)
    return found if media is Media.JSON else answer(media, table.ENTRIES, found.items)
