"""Puts the api together; here everything is wired and nothing is done."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager

from fastapi import FastAPI

from api import problem
from api.accounts.oidc import Issuer
from api.accounts.routes import router as accounts
from api.audit.routes import router as audit
from api.cells.routes import router as cells
from api.corrections.routes import router as corrections
from api.coverage.routes import router as coverage
from api.events.places import Places
from api.events.routes import router as events
from api.faults.routes import router as faults
from api.grid.registry import router as registry
from api.grid.routes import router as grid
from api.headers import DOCS, SecurityHeaders
from api.health import router as health
from api.limits import RateLimit
from api.listener import Listener
from api.metrics import Metrics
from api.notifications import channels
from api.notifications.routes import router as notifications
from api.openapi import DescribedApi
from api.oversize import Oversize
from api.paths import V1
from api.remarks.routes import router as remarks
from api.requests import RequestLog
from api.routing import require_ours
from api.rules.routes import router as rules
from api.scheduled import background
from api.scope import Locks, as_api
from api.services import Services
from api.settings import Settings
from api.technicians.routes import router as technicians
from api.terminals.routes import router as terminals
from api.tickets.routes import router as tickets
from api.timetable import Timetable
from api.uptime.routes import router as uptime
from api.windows.routes import router as windows
from fleet.db.pool import open_pool
from fleet.rules.shelf import Shelf

# What is asked most is tried first.
_ROUTERS = (
    *(tickets, terminals, cells, health, accounts, coverage, uptime, faults, technicians, rules),
    *(remarks, audit, events, notifications, windows, corrections, grid, registry),
)
_DESCRIPTION = """\
Uptime, faults and tickets of a fleet of self-service terminals. Sign in at `/api/v1/token`, send
the token as `Authorization: Bearer …`. Errors are problem details (RFC 9457). Collections are
pages: give `next` as `cursor` for the one after. Technicians see their own cells, nothing else.
"""


def create_app(
    settings: Settings, stopping: asyncio.Event | None = None, locks: Locks = Locks.BOTH
) -> FastAPI:
    """The application; `stopping`, when set, ends its event streams so that it can stop.

    `locks` is for tests, which try each lock alone.

    Raises `CatalogueError` when the rule catalogue is not sound, `ChannelsError` when the file of
    channels is not.
    """
    shelf = Shelf(settings.catalogue)
    metrics = Metrics()
    told = channels.read(settings.channels)
    ending = stopping or asyncio.Event()
    issuer = None if settings.provider is None else Issuer(settings.provider)

    limit = RateLimit(settings.requests_per_minute)

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        async with AsyncExitStack() as stack:
            pool = await stack.enter_async_context(
                open_pool(as_api(settings.database_url), name="api")
            )
            listener = Listener(settings.database_url)
            app.state.services = Services(
                settings, shelf, pool, listener, metrics, ending, limit, Places(), locks, issuer
            )
            work = Timetable(settings, told, pool, metrics, listener)
            await stack.enter_async_context(work.kept())
            await stack.enter_async_context(background(listener.run()))
            stack.callback(ending.set)
            yield

    app = DescribedApi(
        title="Tellergrid",
        description=_DESCRIPTION,
        version="1",
        lifespan=lifespan,
        openapi_url=f"{V1}/openapi.json",
        docs_url=DOCS,
        redoc_url=None,
        # Where a proxy speaks TLS for us, a redirect would send what was asked again in the clear.
        redirect_slashes=False,
    )
    app.add_middleware(Oversize)
    app.add_middleware(SecurityHeaders)
    app.add_middleware(RequestLog, metrics=metrics)
    problem.register(app)
    for router in _ROUTERS:
        require_ours(router)
        app.router.routes.extend(router.routes)
    return app
