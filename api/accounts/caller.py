"""Who calls: dependencies that mean "you are signed in, and this is what you may see"."""

from dataclasses import dataclass
from datetime import datetime
from typing import Annotated

from fastapi import Depends
from fastapi.security import OAuth2PasswordBearer
from psycopg import AsyncConnection
from psycopg.rows import TupleRow

from api.accounts.store import CallerRow, caller_row
from api.accounts.tokens import read
from api.errors import Unauthenticated
from api.paths import V1
from api.scope import EVERYTHING, Scope
from api.services import Connection, Running
from fleet.tickets.lifecycle import Actor, Role

_bearer = OAuth2PasswordBearer(tokenUrl=f"{V1}/token", auto_error=False)
_Token = Annotated[str | None, Depends(_bearer)]


@dataclass(frozen=True, slots=True)
class Caller:
    """An account at work, with what it sees; signed in until `until`."""

    account: CallerRow
    scope: Scope
    until: datetime

    @property
    def actor(self) -> Actor:
        """The caller as the ticket lifecycle knows them."""
        return Actor(Role(self.account.role), self.account.technician_id)


async def authenticate(
    connection: AsyncConnection[TupleRow], token: str | None, secret: str
) -> Caller:
    """The caller a token speaks for; raises `Unauthenticated`.

    A token ends with its account, and when its account changes role.
    """
    if token is None:
        raise Unauthenticated("Send a bearer token: POST /api/v1/token gives one.")
    claims = read(secret, token)
    account = await caller_row(connection, claims.username)
    if account is None or account.role != claims.role:
        raise Unauthenticated("The account has changed: ask for a new token.")
    scope = EVERYTHING if account.cells is None else Scope(tuple(account.cells))
    return Caller(account, scope, claims.expires_at)


async def _caller(connection: Connection, token: _Token, running: Running) -> Caller:
    secret = running.settings.token_secret.get_secret_value()
    return await authenticate(connection, token, secret)


async def _streaming_caller(token: _Token, running: Running) -> Caller:
    """For a stream, which outlives any transaction: the connection is given back at once."""
    secret = running.settings.token_secret.get_secret_value()
    async with running.pool.connection() as connection:
        return await authenticate(connection, token, secret)


SignedIn = Annotated[Caller, Depends(_caller)]
SignedInForStream = Annotated[Caller, Depends(_streaming_caller)]
