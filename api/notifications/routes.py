"""The outbox over HTTP."""

from typing import Annotated

from fastapi import Query
from psycopg.rows import class_row

from api.accounts.operations import Operations
from api.errors import Forbidden, Unauthenticated
from api.notifications.schemas import Notification, Progress
from api.paging import AskedPage, Page
from api.paths import V1
from api.problem import documented
from api.routing import Router
from api.services import Connection
from fleet.db.sql import load

router = Router(V1, tags=["notifications"])
_SQL = load("api.notifications", "store")


@router.get("/notifications", responses=documented(Unauthenticated, Forbidden))
async def list_notifications(
    _: Operations,
    connection: Connection,
    page: AskedPage,
    state: Annotated[list[Progress] | None, Query(description="May be given several times")] = None,
    recipient: Annotated[str | None, Query(max_length=200)] = None,
    channel: Annotated[str | None, Query(max_length=200)] = None,
) -> Page[Notification]:
    """What was and is to be told to whom, the latest first; for operations and admins."""
    parameters = {
        "states": state,
        "recipient": recipient,
        "channel": channel,
        "after": page.after(int),
        "rows": page.rows,
    }
    async with connection.cursor(row_factory=class_row(Notification)) as cursor:
        await cursor.execute(_SQL["outbox"], parameters)
        rows = await cursor.fetchall()
    return page.page(rows, lambda one: one.id)
