"""Signing in, and who one is."""

import asyncio
from datetime import UTC, datetime
from typing import Annotated

from fastapi import Depends
from fastapi.security import OAuth2PasswordRequestForm

from api.accounts.caller import SignedIn
from api.accounts.passwords import matches
from api.accounts.schemas import Me, Token
from api.accounts.store import to_sign_in
from api.accounts.tokens import issue
from api.errors import Unauthenticated
from api.paths import V1
from api.problem import documented
from api.routing import Router
from api.services import Running
from fleet.tickets.lifecycle import Role

router = Router(V1, tags=["account"])


@router.post("/token", responses=documented(Unauthenticated))
async def sign_in(form: Annotated[OAuth2PasswordRequestForm, Depends()], running: Running) -> Token:
    """Sign in with username and password (OAuth2 password flow); gives a bearer token."""
    async with running.pool.connection() as connection:
        account = await to_sign_in(connection, form.username)
    known = None if account is None else account.password_hash
    # Hashing lets go of the interpreter, so others are served meanwhile.
    right = await asyncio.to_thread(matches, known, form.password)
    if account is None or not right:
        raise Unauthenticated("Wrong username or password.")
    settings = running.settings
    token = issue(
        settings.token_secret.get_secret_value(),
        account.username,
        account.role,
        datetime.now(UTC),
        settings.token_lifetime,
    )
    return Token(access_token=token, expires_in=int(settings.token_lifetime.total_seconds()))


@router.get("/me", responses=documented(Unauthenticated))
async def me(caller: SignedIn) -> Me:
    """Who you are, and which cells you see."""
    account = caller.account
    return Me(
        username=account.username,
        role=Role(account.role),
        technician=account.technician,
        name=account.name,
        skills=account.skills,
        cells=account.cells,
    )
