"""The audit over HTTP."""

from typing import Annotated

from fastapi import Query

from api.accounts.caller import SignedIn, require_role
from api.audit import store
from api.audit.schemas import AuditEntry
from api.errors import Forbidden, Unauthenticated
from api.paging import AskedPage, Page
from api.paths import V1
from api.problem import documented
from api.routing import Router
from api.services import Connection
from fleet.tickets.lifecycle import Role

router = Router(f"{V1}/audit", tags=["audit"])


@router.get("", responses=documented(Unauthenticated, Forbidden))
async def list_audit(
    caller: SignedIn,
    connection: Connection,
    page: AskedPage,
    subject: Annotated[str | None, Query(description="A table, like `ticket`")] = None,
    key: Annotated[str | None, Query(description="Of a row, with `subject`")] = None,
    actor: str | None = None,
) -> Page[AuditEntry]:
    """Who changed what, the latest first; for operations and admins."""
    require_role(caller, Role.OPERATIONS, Role.ADMIN)
    wanted = store.Filter(subject, key, actor)
    rows = await store.entries(connection, wanted, page.after(int), page.rows)
    return page.page(rows, lambda entry: entry.id)
