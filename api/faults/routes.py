"""Faults over HTTP."""

from datetime import timedelta
from typing import Annotated
from uuid import UUID

from fastapi import Path, Query

from api.accounts.caller import SignedIn
from api.errors import NotFound, Unauthenticated
from api.faults import store
from api.faults.explanation import FaultExplanation, explanation
from api.faults.schemas import Fault, FaultDetail
from api.paging import AskedPage, Page
from api.paths import V1
from api.problem import documented
from api.routing import Router
from api.scope import ENGINE
from api.services import Connection, Running
from fleet.rules.severity import Severity

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


@router.get("/{id}/explanation", responses=documented(Unauthenticated, NotFound))
async def explain_fault(
    key: Annotated[UUID, Path(alias="id")],
    caller: SignedIn,
    connection: Connection,
    running: Running,
) -> FaultExplanation:
    """Why a fault fired: what was read, what each part of the condition was, what suppressed it."""
    await store.fault(connection, caller.scope, key)
    # What terminals said is not for callers to read at will: the caller may see this fault, and
    # what is read is about it alone.
    async with running.transaction(ENGINE) as whole:
        lateness = timedelta(milliseconds=running.settings.lateness_ms)
        return await explanation(whole, key, running.catalogue, lateness)
