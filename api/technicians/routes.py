"""Technicians over HTTP."""

from api.accounts.caller import SignedIn
from api.errors import Unauthenticated
from api.paging import AskedPage, Page
from api.paths import V1
from api.problem import documented
from api.routing import Router
from api.services import Connection
from api.technicians.schemas import Technician
from api.technicians.store import technicians

router = Router(f"{V1}/technicians", tags=["technicians"])


@router.get("", responses=documented(Unauthenticated))
async def list_technicians(
    caller: SignedIn, connection: Connection, page: AskedPage
) -> Page[Technician]:
    """The technicians who answer for cells you see, by code."""
    rows = await technicians(connection, caller.scope, page.after(str), page.rows)
    return page.page(rows, lambda technician: technician.code)
