"""What the running api is made of, and how a request gets at it."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from typing import Annotated, Any

from fastapi import Depends, Request
from psycopg import AsyncConnection
from psycopg.rows import TupleRow

from api.accounts.oidc import Issuer
from api.events.places import Places
from api.limits import RateLimit
from api.listener import Listener
from api.metrics import Metrics
from api.scope import Locks, Presence, enter
from api.settings import Settings
from api.turns import Turns
from fleet.db.pool import Pool
from fleet.rules.catalogue import Catalogue
from fleet.rules.shelf import Shelf

PATIENCE_S = 5  # to wait for a connection before the answer is 503


@dataclass(frozen=True, slots=True)
class Services:
    """Built by `api.app` for as long as it runs; `stopping` is set when streams must end."""

    settings: Settings
    shelf: Shelf
    pool: Pool
    listener: Listener
    metrics: Metrics
    stopping: asyncio.Event
    limit: RateLimit
    places: Places
    locks: Locks = Locks.BOTH
    issuer: Issuer | None = None
    looks: dict[str, asyncio.Task[Any]] = field(default_factory=dict)
    """What probes have asked the database, by what was asked."""
    turns: Turns = field(default_factory=Turns)

    @property
    def catalogue(self) -> Catalogue:
        """The rules as they are now: read again when their files have changed."""
        return self.shelf.present()

    @asynccontextmanager
    async def transaction(self, presence: Presence) -> AsyncIterator[AsyncConnection[TupleRow]]:
        """A transaction of its own, for work outside of a request's one."""
        async with self.pool.connection(timeout=PATIENCE_S) as one:
            await enter(one, presence)
            yield one


def running_of(request: Request) -> Services:
    """The running api's services."""
    running: Services = request.app.state.services
    return running


async def services(request: Request) -> Services:
    """Dependency: the running api's services.

    What every request depends on asks `running_of` instead: each dependency has its cost.
    """
    return running_of(request)


Running = Annotated[Services, Depends(services)]


async def connection(request: Request) -> AsyncIterator[AsyncConnection[TupleRow]]:
    """Dependency: a connection in the request's one transaction.

    It sees nothing until it is known who calls. It is committed before the answer is sent, so that
    no client is told of what is not stored, and rolled back when the request fails. Who is known by
    their token waits for those of their own requests that have several connections already.
    """
    running = running_of(request)
    account: str | None = getattr(request.state, "asks", None)
    async with AsyncExitStack() as stack:
        if account is not None:
            await stack.enter_async_context(running.turns.taken(account, PATIENCE_S))
        yield await stack.enter_async_context(running.pool.connection(timeout=PATIENCE_S))


Connection = Annotated[AsyncConnection[TupleRow], Depends(connection, scope="function")]
