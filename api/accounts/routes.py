"""Signing in and out, who one is, and the accounts there are."""

from typing import Annotated

from fastapi import Form, Path, Request

from api.accounts import management, sessions
from api.accounts.attempts import Attempt
from api.accounts.caller import SignedIn, origin_of, require_role
from api.accounts.schemas import (
    Account,
    AccountChange,
    Grant,
    Me,
    NewAccount,
    Token,
    TokenRequest,
)
from api.accounts.signing_in import by_password, by_refresh
from api.accounts.store import CallerRow
from api.errors import Conflict, Forbidden, Invalid, NotFound, TooMany, Unauthenticated
from api.paging import AskedPage, Page
from api.paths import V1
from api.problem import documented
from api.routing import Router
from api.services import Connection, Running
from fleet.tickets.lifecycle import Role

router = Router(V1, tags=["account"])

_Username = Annotated[str, Path(max_length=200)]


@router.post("/token", responses=documented(Unauthenticated, TooMany))
async def sign_in(
    asked: Annotated[TokenRequest, Form()], request: Request, running: Running
) -> Token:
    """Sign in (OAuth2): with a password, with a program's secret, or with a refresh token.

    A refresh token is good once: the answer brings the next. One that comes again ends the session.
    """
    origin = origin_of(request)
    running.limit.take(f"address {origin}")
    match asked.grant_type:
        case Grant.REFRESH:
            token = _needed(asked.refresh_token, "refresh_token")
            return await by_refresh(running, token, origin)
        case Grant.SERVICE:
            attempt = Attempt(_needed(asked.client_id, "client_id"), origin)
            secret = _needed(asked.client_secret, "client_secret")
            return await by_password(running, attempt, secret, service=True)
        case _:
            attempt = Attempt(_needed(asked.username, "username"), origin)
            password = _needed(asked.password, "password")
            return await by_password(running, attempt, password, service=False)


@router.post("/sign-out", responses=documented(Unauthenticated))
async def sign_out(caller: SignedIn, connection: Connection) -> Me:
    """End your session: its tokens are good no more, neither this one nor the refresh."""
    if caller.session is not None:
        await sessions.end(connection, caller.session, sessions.Ended.SIGNED_OUT)
    return _me(caller.account)


@router.get("/me", responses=documented(Unauthenticated))
async def me(caller: SignedIn) -> Me:
    """Who you are, and which cells you see."""
    return _me(caller.account)


@router.get("/accounts", responses=documented(Unauthenticated, Forbidden))
async def list_accounts(caller: SignedIn, connection: Connection, page: AskedPage) -> Page[Account]:
    """The accounts, by username; for admins."""
    require_role(caller, Role.ADMIN)
    rows = await management.accounts(connection, page.after(str), page.rows)
    return page.page(rows, lambda account: account.username)


@router.post("/accounts", responses=documented(Unauthenticated, Forbidden, Conflict))
async def create_account(asked: NewAccount, caller: SignedIn, connection: Connection) -> Account:
    """Make an account of a person or a program; for admins."""
    require_role(caller, Role.ADMIN)
    return await management.create(connection, asked)


@router.get("/accounts/{username}", responses=documented(Unauthenticated, Forbidden, NotFound))
async def get_account(username: _Username, caller: SignedIn, connection: Connection) -> Account:
    """One account; for admins."""
    require_role(caller, Role.ADMIN)
    return await management.account(connection, username)


@router.patch(
    "/accounts/{username}", responses=documented(Unauthenticated, Forbidden, NotFound, Conflict)
)
async def change_account(
    username: _Username, asked: AccountChange, caller: SignedIn, connection: Connection
) -> Account:
    """Disable an account, enable it, or set its password, which ends its sessions; for admins.

    The last admin who is not disabled stays.
    """
    require_role(caller, Role.ADMIN)
    return await management.change(connection, username, asked)


@router.delete(
    "/accounts/{username}/sessions", responses=documented(Unauthenticated, Forbidden, NotFound)
)
async def end_sessions(username: _Username, caller: SignedIn, connection: Connection) -> Account:
    """End every session of an account: whoever holds its tokens is out; for admins."""
    require_role(caller, Role.ADMIN)
    await management.account(connection, username)
    await sessions.end_all(connection, username)
    return await management.account(connection, username)


def _me(account: CallerRow) -> Me:
    return Me(
        username=account.username,
        role=Role(account.role),
        technician=account.technician,
        name=account.name,
        skills=account.skills,
        cells=account.cells,
    )


def _needed(value: str | None, name: str) -> str:
    if not value:
        raise Invalid(f"body.{name}", "is needed for this grant_type")
    return value
