"""Tickets over HTTP."""

from enum import StrEnum
from typing import Annotated

from fastapi import Path, Query, Response

from api import etag
from api.accounts.caller import SignedIn, require_role
from api.dispatch.choices import choices
from api.dispatch.schemas import DispatchChoices
from api.errors import Forbidden, Invalid, MoveRefused, NotFound, Stale, Unauthenticated
from api.etag import Expected
from api.paging import AskedPage, Page
from api.paths import V1
from api.planning import planned_once
from api.problem import documented
from api.routing import Router
from api.services import Connection
from api.tickets import store
from api.tickets.asked import MoveRequest, RaiseRequest
from api.tickets.bulk import BulkAnswer, BulkRequest, move_all
from api.tickets.moves import move
from api.tickets.raising import raise_by_hand
from api.tickets.schemas import Ticket, TicketDetail
from api.tickets.viewer import AsViewer
from fleet.sla.policy import Level
from fleet.tickets.lifecycle import Role
from fleet.tickets.ticket import State

router = Router(V1, tags=["tickets"])


class Order(StrEnum):
    """How tickets are sorted."""

    NEWEST = "newest"
    DUE = "due"


_Id = Annotated[int, Path(alias="id", ge=1, le=2_147_483_647)]


@router.get("/tickets", responses=documented(Unauthenticated))
async def list_tickets(
    viewer: AsViewer,
    connection: Connection,
    page: AskedPage,
    state: Annotated[list[State] | None, Query(description="May be given several times")] = None,
    live: Annotated[
        bool | None, Query(alias="open", description="true: live ones; false: ended ones")
    ] = None,
    cell: Annotated[str | None, Query(description="With all cells below it")] = None,
    terminal: str | None = None,
    technician: Annotated[str | None, Query(description="By code")] = None,
    sla: Annotated[
        Level | None, Query(description="Live ones with a running clock at that level")
    ] = None,
    sort: Annotated[
        Order, Query(description="newest; or due: live ones, what is due first, first")
    ] = Order.NEWEST,
    q: Annotated[
        str | None,
        Query(
            min_length=1,
            max_length=200,
            description="Words in title, remedy, subject, rule, component or remarks;"
            ' "a phrase", or, -not. What is not ASCII is found within words too, all of its parts'
            " together, without or and -not",
        ),
    ] = None,
) -> Page[Ticket]:
    """Tickets, the newest first, or live ones by the running clock that is due first."""
    wanted = store.Filter(None, state, live, cell, terminal, technician, text=q)
    if sort is Order.DUE or sla is not None:
        if live is False:
            raise Invalid("query.open", "ended tickets have no running clocks")
        places = await store.by_clock(
            connection, viewer, wanted, sla, page.after(store.Due), page.rows
        )
        # As it was computed: what is read of the last one now may be due at another time, or never.
        shown = page.page(places, lambda place: place)
        return Page(items=await store.at(connection, viewer, shown.items), next=shown.next)
    rows = await store.tickets(connection, viewer, wanted, page.after(int), page.rows)
    return page.page(rows, lambda ticket: ticket.id)


@router.post("/tickets", responses=documented(Unauthenticated, Forbidden, MoveRefused))
async def raise_ticket(
    asked: RaiseRequest,
    caller: SignedIn,
    viewer: AsViewer,
    connection: Connection,
    response: Response,
) -> TicketDetail:
    """Raise a ticket by hand: of an open fault that has none, or of what no telemetry tells.

    Refused while a live ticket tells of the same cause: there is one at a time.
    """
    key = await raise_by_hand(connection, caller, asked)
    raised = await store.ticket(connection, viewer, key)
    etag.show(response, raised.version)
    return raised


@router.post("/tickets/bulk", responses=documented(Unauthenticated, Forbidden))
async def move_tickets(
    asked: BulkRequest, caller: SignedIn, viewer: AsViewer, connection: Connection
) -> BulkAnswer:
    """Make one move of many tickets, each by itself; for operations and admins.

    What is refused of one is said beside it, and holds up no other.
    """
    require_role(caller, Role.OPERATIONS, Role.ADMIN)
    return await move_all(connection, caller, asked, viewer.verify)


@router.get("/me/tickets", responses=documented(Unauthenticated))
@planned_once
async def list_my_tickets(
    viewer: AsViewer, connection: Connection, page: AskedPage
) -> Page[Ticket]:
    """What you have to do as a technician, the most urgent first, then the oldest."""
    rows = await store.to_do(connection, viewer, page.after(store.Urgency), page.rows)
    return page.page(rows, store.urgency)


@router.get("/tickets/{id}", responses=documented(Unauthenticated, NotFound))
async def get_ticket(
    key: _Id, viewer: AsViewer, connection: Connection, response: Response
) -> TicketDetail:
    """One ticket: all that happened to it, and what you may do with it next."""
    found = await store.ticket(connection, viewer, key)
    etag.show(response, found.version)
    return found


@router.get("/tickets/{id}/dispatch", responses=documented(Unauthenticated, NotFound))
async def get_ticket_dispatch(
    key: _Id, caller: SignedIn, connection: Connection
) -> DispatchChoices:
    """Why dispatch sent whom, or nobody: who was considered, what spoke against them, the costs."""
    found = await choices(connection, caller, key)
    return DispatchChoices(items=list(found))


@router.post(
    "/tickets/{id}/transitions",
    responses=documented(Unauthenticated, Forbidden, NotFound, MoveRefused, Stale),
)
async def move_ticket(
    key: _Id,
    asked: MoveRequest,
    caller: SignedIn,
    viewer: AsViewer,
    connection: Connection,
    expected: Expected,
    response: Response,
) -> TicketDetail:
    """Move a ticket: accept it, travel, arrive, hold, resolve, assign, and so on.

    The ticket as it is afterwards. A move that is refused changes nothing.
    """
    await move(connection, caller, key, asked, viewer.verify, expected)
    moved = await store.ticket(connection, viewer, key)
    etag.show(response, moved.version)
    return moved
