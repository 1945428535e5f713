"""Signing in: by password, by a program's secret, or by a refresh token; gives tokens.

Each step is a short transaction of its own, for hashing takes long and holds no connection; what a
refusal found out (an attempt more, a session ended) is stored although the answer is an error.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from uuid import UUID

from psycopg import AsyncConnection
from psycopg.rows import TupleRow

from api.accounts import attempts, sessions
from api.accounts.attempts import Attempt
from api.accounts.passwords import matches
from api.accounts.schemas import Token
from api.accounts.store import SignInRow, to_sign_in
from api.accounts.tokens import issue
from api.errors import Unauthenticated
from api.scope import introduce
from api.services import Services

_WRONG = "Wrong username or password."


async def by_password(
    running: Services, attempt: Attempt, password: str, *, service: bool
) -> Token:
    """Tokens for who knows the password; a program's are without a refresh.

    Raises `Unauthenticated`, or `TooMany` after too many of those.
    """
    async with running.pool.connection() as connection:
        at = await attempts.count(connection, attempt)
        account = await to_sign_in(connection, attempt.username)
    known = None if account is None else account.password_hash
    # Hashing lets go of the interpreter, so others are served meanwhile.
    right = await asyncio.to_thread(matches, known, password)
    if account is None or not right or account.service != service:
        async with running.pool.connection() as connection:
            await attempts.failed(connection, attempt, at)
        raise Unauthenticated(_WRONG)
    async with _introduced(running, account.username, attempt.origin) as connection:
        await attempts.succeeded(connection, attempt, at)
        session = await sessions.begin(
            connection, account, attempt.origin, running.settings.session_lifetime
        )
        if session is None:
            raise Unauthenticated(_WRONG)
        refresh = None if service else await sessions.refresh_token(connection, session)
    return _token(running, account, session, refresh)


async def by_refresh(running: Services, token: str, origin: str) -> Token:
    """New tokens for a refresh token, which is used up; raises `Unauthenticated`."""
    async with _introduced(running, "refresh", origin) as connection:
        found = await sessions.refresh(connection, token)
        if found is not None:
            following = await sessions.refresh_token(connection, found.session_id)
    if found is None:
        raise Unauthenticated("The refresh token is not good: sign in.")
    account = SignInRow(found.username, "", found.role, service=False)
    return _token(running, account, found.session_id, following)


@asynccontextmanager
async def _introduced(
    running: Services, actor: str, origin: str
) -> AsyncIterator[AsyncConnection[TupleRow]]:
    async with running.pool.connection() as connection:
        await introduce(connection, actor, origin)
        yield connection


def _token(running: Services, account: SignInRow, session: UUID, refresh: str | None) -> Token:
    settings = running.settings
    token = issue(
        settings.token_secret.get_secret_value(),
        account.username,
        account.role,
        session,
        datetime.now(UTC),
        settings.token_lifetime,
    )
    expires_in = int(settings.token_lifetime.total_seconds())
    return Token(access_token=token, expires_in=expires_in, refresh_token=refresh)
