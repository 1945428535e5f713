"""Who calls: dependencies that mean "you are signed in, and this is what you may see"."""

from dataclasses import dataclass
from datetime import datetime
from typing import Annotated
from uuid import UUID

from fastapi import Depends, Request
from fastapi.security import OAuth2PasswordBearer
from fastapi.security.base import SecurityBase
from psycopg import AsyncConnection
from psycopg.rows import TupleRow

from api.accounts.store import Asked, CallerRow, caller_row
from api.accounts.tokens import Claims, read
from api.errors import Forbidden, Unauthenticated, Unreachable
from api.idempotency import SAFE, claim
from api.paths import V1
from api.planning import Plans, plans_of
from api.scope import EVERYTHING, Locks, Presence, Scope
from api.services import Connection, Services, running_of
from fleet.tickets.lifecycle import Actor, Role

_bearer = OAuth2PasswordBearer(tokenUrl=f"{V1}/token", auto_error=False)


@dataclass(frozen=True, slots=True)
class Caller:
    """An account at work, with what its statements see; signed in until `until`.

    `presence` is what the database is told of it; who came by an identity provider has no session.
    """

    account: CallerRow
    scope: Scope
    until: datetime
    presence: Presence
    session: UUID | None

    @property
    def actor(self) -> Actor:
        """The caller as the ticket lifecycle knows them."""
        return Actor(Role(self.account.role), self.account.technician_id)


def require_role(caller: Caller, *roles: Role) -> None:
    """Raise `Forbidden` for whoever has another role."""
    if caller.actor.role not in roles:
        raise Forbidden(f"This is for {' and '.join(sorted(roles))}, you are {caller.actor.role}.")


async def authenticate(
    connection: AsyncConnection[TupleRow],
    claims: Claims,
    running: Services,
    origin: str,
    plans: Plans = Plans.EACH_TIME,
) -> Caller:
    """The caller whom a good token speaks for, whom the transaction works for from now on.

    Raises `Unauthenticated`; then the transaction is to be rolled back.

    A token ends with its account, with its session, and when its account changes role.
    """
    locks = running.locks
    everything = locks is Locks.STATEMENTS
    account = await caller_row(
        connection, Asked(claims.username, claims.session, origin, everything, plans)
    )
    if account is None or claims.role not in (None, account.role):
        raise Unauthenticated("The account has changed: ask for a new token.")
    if claims.session is not None and not account.in_session:
        raise Unauthenticated("The session has ended: sign in.")
    scope = EVERYTHING
    if account.cells is not None:
        scope = Scope(tuple(account.cells), tuple(account.above or ()))
    presence = Presence(
        locks.for_database(scope), account.username, account.account_id, origin=origin
    )
    shown = locks.for_statements(scope)
    return Caller(account, shown, claims.expires_at, presence, claims.session)


async def still(connection: AsyncConnection[TupleRow], caller: Caller, running: Services) -> Caller:
    """The caller as they are now, for whom another transaction works; raises `Unauthenticated`."""
    account = caller.account
    claims = Claims(account.username, caller.until, account.role, caller.session)
    return await authenticate(connection, claims, running, caller.presence.origin or "unknown")


async def _counted_claims(token: str | None, running: Services, origin: str) -> Claims:
    """What a good token says; its account has a request less, or the address of another has.

    Raises `Unauthenticated`, `Unreachable` or `TooMany`.
    """
    try:
        if token is None:
            raise Unauthenticated("Send a bearer token: POST /api/v1/token gives one.")
        claims = await _claims(token, running)
    except (Unauthenticated, Unreachable):
        running.limit.take(f"address {origin}")
        raise
    running.limit.take(f"account {claims.username}")
    return claims


async def _claims(token: str, running: Services) -> Claims:
    issuer = running.issuer
    if issuer is not None and issuer.issued(token):
        return await issuer.read(token)
    return read(running.settings.token_secret.get_secret_value(), token)


class _Bearer(SecurityBase):
    """A dependency that is the security scheme too: one instead of two, for each has its cost."""

    def __init__(self) -> None:
        self.model = _bearer.model
        self.scheme_name = _bearer.scheme_name


async def said(request: Request) -> Claims:
    """What the token of a request says, looked at and counted once."""
    claims: Claims | None = getattr(request.state, "claims", None)
    if claims is None:
        token = await _bearer(request)
        claims = await _counted_claims(token, running_of(request), origin_of(request))
        request.state.claims = claims
        request.state.asks = claims.username
    return claims


async def _said(request: Request) -> Claims:
    claims = await said(request)
    if request.method not in SAFE:
        await request.body()
    return claims


# Found out before a connection is taken, of which there are few: an identity provider may keep one
# waiting for its keys, and a phone for the rest of a photo, for ever where it lost its signal.
_Said = Annotated[Claims, Depends(_said)]


class _SignedIn(_Bearer):
    async def __call__(self, request: Request, claims: _Said, connection: Connection) -> Caller:
        """Signed in; from here on the request's transaction sees what the caller may see."""
        running, plans = running_of(request), plans_of(request.scope)
        caller = await authenticate(connection, claims, running, origin_of(request), plans)
        secret = running.settings.token_secret.get_secret_value()
        await claim(request, connection, caller.account.account_id, secret)
        return caller


class _SignedInForStream(_Bearer):
    async def __call__(self, request: Request, claims: _Said) -> Caller:
        """For a stream, which outlives any transaction: the connection is given back at once."""
        running = running_of(request)
        async with running.pool.connection() as connection:
            return await authenticate(connection, claims, running, origin_of(request))


def origin_of(request: Request) -> str:
    """The address a request came from, as the server sees it."""
    return "unknown" if request.client is None else request.client.host


SignedIn = Annotated[Caller, Depends(_SignedIn())]
SignedInForStream = Annotated[Caller, Depends(_SignedInForStream())]
