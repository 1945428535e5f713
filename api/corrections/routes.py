"""Corrections over HTTP."""

from typing import Annotated

from fastapi import Path

from api.accounts.caller import SignedIn
from api.accounts.operations import Operations
from api.corrections import store
from api.corrections.schemas import Correction, CorrectionAsked
from api.errors import Forbidden, NotFound, Unauthenticated
from api.paging import AskedPage, Page
from api.paths import V1
from api.problem import documented
from api.routing import Router
from api.services import Connection
from api.terminals.store import terminal

router = Router(f"{V1}/terminals", tags=["terminals"])

_Terminal = Annotated[str, Path(alias="id")]
_Number = Annotated[int, Path(ge=1, le=2_147_483_646)]
_CHANGE = documented(Unauthenticated, Forbidden, NotFound)


@router.get("/{id}/corrections", responses=documented(Unauthenticated, NotFound))
async def list_corrections(
    code: _Terminal, caller: SignedIn, connection: Connection, page: AskedPage
) -> Page[Correction]:
    """What was said of a terminal's state instead of what is recorded, the newest first."""
    await terminal(connection, caller.scope, code)
    rows = await store.corrections(connection, caller.scope, code, page.after(int), page.rows)
    return page.page(rows, lambda correction: correction.id)


@router.post("/{id}/corrections", responses=_CHANGE)
async def correct_terminal(
    code: _Terminal, asked: CorrectionAsked, caller: Operations, connection: Connection
) -> Correction:
    """Say what a terminal's state was instead, and why; what is recorded stays beneath it."""
    author, now = caller.account.username, caller.account.at
    return await store.correct(connection, caller.scope, code, asked, author, now)


@router.delete("/{id}/corrections/{number}", responses=_CHANGE)
async def withdraw_correction(
    code: _Terminal, number: _Number, caller: Operations, connection: Connection
) -> Correction:
    """Let a correction count no more; it stays on record."""
    author = caller.account.username
    return await store.withdraw(connection, caller.scope, code, number, author)
