"""Faults over HTTP."""

from typing import Annotated
from uuid import UUID

from fastapi import Path, Query

from api.accounts.caller import SignedIn
from api.errors import NotFound, Unauthenticated
from api.faults import store
from api.faults.schemas import Fault, FaultDetail
from api.paging import AskedPage, Page
from api.paths import V1
from api.problem import documented
from api.routing import Router
from api.services import Connection
from fleet.rules.rule import Severity

router = Router(f"{V1}/faults", tags=["faults"])


@router.get("", responses=documented(Unauthenticated))
async def list_faults(
    caller: SignedIn,
    connection: Connection,
    page: AskedPage,
    still_open: Annotated[
        bool | None, Query(alias="open", description="true: open ones; false: cleared ones")
    ] = None,
    cell: Annotated[str | None, Query(description="With all cells below it")] = None,
    terminal: str | None = None,
    rule: str | None = None,
    severity: Severity | None = None,
) -> Page[Fault]:
    """Faults, the latest begun first."""
    wanted = store.Filter(None, still_open, cell, terminal, rule, severity)
    rows = await store.faults(connection, caller.scope, wanted, page.after(store.Place), page.rows)
    return page.page(rows, lambda fault: store.Place(fault.started_at, fault.id))


@router.get("/{id}", responses=documented(Unauthenticated, NotFound))
async def get_fault(
    key: Annotated[UUID, Path(alias="id")], caller: SignedIn, connection: Connection
) -> FaultDetail:
    """One fault, with its changes."""
    return await store.fault(connection, caller.scope, key)
