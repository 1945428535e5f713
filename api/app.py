"""Puts the api together; here everything is wired and nothing is done."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from functools import partial
from zoneinfo import ZoneInfo

from fastapi import FastAPI

from api import problem
from api.accounts import attempts
from api.accounts.oidc import Issuer
from api.accounts.routes import router as accounts
from api.audit.routes import router as audit
from api.audit.sealing import export, seal
from api.cells.routes import router as cells
from api.corrections.routes import router as corrections
from api.coverage.routes import router as coverage
from api.events.routes import router as events
from api.faults.routes import router as faults
from api.grid.registry import router as registry
from api.grid.routes import router as grid
from api.headers import DOCS, SecurityHeaders
from api.health import router as health
from api.idempotency import forget
from api.listener import Listener
from api.metrics import Metrics
from api.notifications import channels, outbox
from api.notifications.delivery import Notifier
from api.notifications.monthly import report_month
from api.notifications.outbox import Channels
from api.notifications.senders import keep_addresses_out_of_logs
from api.openapi import DescribedApi, operation_id
from api.oversize import Oversize
from api.paths import V1
from api.remarks.routes import router as remarks
from api.requests import RequestLog
from api.retention import keep
from api.routing import require_ours
from api.rules.routes import router as rules
from api.scheduled import Job, background, run_in_turn_when, scheduled
from api.scope import Locks, as_api
from api.services import Services
from api.settings import Settings
from api.technicians.routes import router as technicians
from api.terminals.routes import router as terminals
from api.tickets.engine import Patience, follow_faults
from api.tickets.routes import router as tickets
from api.tickets.watching import ClockWatch
from api.uptime.routes import router as uptime
from api.uptime.summing import summing_in
from api.windows.expansion import expand
from api.windows.routes import router as windows
from fleet.chain import signing_key
from fleet.db.pool import Pool, open_pool
from fleet.rules.shelf import Shelf

_ROUTERS = (
    *(health, accounts, cells, coverage, uptime, terminals, faults, tickets, technicians, rules),
    *(remarks, audit, events, windows, corrections, grid, registry),
)
_LARGEST_BODY = 64 * 1024
_LARGEST_MAP = 32 * 1024 * 1024  # a whole grid, a whole registry: operations alone send them
_WITH_MAPS = (grid, registry)
_HOUR_S = 3600
_MINUTE_S = 60
_SEALED_WITHIN_S = 1
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

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        async with AsyncExitStack() as stack:
            url = as_api(settings.database_url)
            pool = await stack.enter_async_context(open_pool(url, name="api"))
            listener = Listener(settings.database_url)
            app.state.services = Services(
                settings, shelf, pool, listener, metrics, ending, locks, issuer
            )
            patience = Patience(settings.accept_window, settings.verify_window)
            work = partial(follow_faults, patience=patience)
            job = Job("follow_faults", work, pool, metrics)
            woken = stack.enter_context(listener.wakeups())
            await stack.enter_async_context(background(listener.run(), job.run_when(woken)))
            stack.enter_context(scheduled(job, settings.poll_seconds))
            forgetting = Job("forget_answers", forget, pool, metrics)
            stack.enter_context(scheduled(forgetting, _HOUR_S))
            calming = Job("forget_attempts", attempts.forget, pool, metrics)
            stack.enter_context(scheduled(calming, _HOUR_S))
            sealing = Job("seal_audit", seal, pool, metrics)
            stack.enter_context(scheduled(sealing, _SEALED_WITHIN_S))
            if (exporting := _exporting(settings, pool, metrics)) is not None:
                stack.enter_context(scheduled(exporting, 60 * settings.audit_minutes))
            clocks = Job("watch_clocks", ClockWatch().look, pool, metrics)
            stack.enter_context(scheduled(clocks, settings.poll_seconds))
            windows_ahead = Job("expand_windows", expand, pool, metrics)
            stack.enter_context(scheduled(windows_ahead, _HOUR_S))
            sums = Job("sum_uptime", summing_in(settings.time_zone), pool, metrics)
            stack.enter_context(scheduled(sums, _MINUTE_S))
            keeping = Job("keep", partial(keep, retention=settings.retention), pool, metrics)
            stack.enter_context(scheduled(keeping, _HOUR_S))
            reporting = _reporting(settings.time_zone, told, pool, metrics)
            stack.enter_context(scheduled(reporting, _HOUR_S))
            told_long_ago = Job("forget_notifications", outbox.forget, pool, metrics)
            stack.enter_context(scheduled(told_long_ago, _HOUR_S))
            telling = _telling(told, pool, metrics)
            for one in telling:
                stack.enter_context(scheduled(one, settings.poll_seconds))
            woken = stack.enter_context(listener.wakeups())
            await stack.enter_async_context(background(run_in_turn_when(woken, *telling)))
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
        generate_unique_id_function=operation_id,
    )
    app.add_middleware(Oversize)
    app.add_middleware(SecurityHeaders)
    app.add_middleware(RequestLog, metrics=metrics)
    problem.register(app)
    for router in _ROUTERS:
        require_ours(router)
        most = _LARGEST_MAP if router in _WITH_MAPS else _LARGEST_BODY
        app.include_router(router, max_body_size=most)
    return app


def _telling(told: Channels, pool: Pool, metrics: Metrics) -> list[Job]:
    """What fills the outbox, and what empties it; without channels it stays empty."""
    keep_addresses_out_of_logs()
    filling = Job("gather_notifications", partial(outbox.gather, channels=told), pool, metrics)
    if not told:
        return [filling]
    notifier = Notifier(told, pool, metrics)
    return [filling, Job("send_notifications", notifier.deliver, pool, metrics)]


def _reporting(zone: str, told: Channels, pool: Pool, metrics: Metrics) -> Job:
    """The report of each month, made when it is over."""
    work = partial(report_month, zone=ZoneInfo(zone), channels=told)
    return Job("report_month", work, pool, metrics)


def _exporting(settings: Settings, pool: Pool, metrics: Metrics) -> Job | None:
    """The export of the audit's heads, where there is a key and a folder for them."""
    if settings.audit_key is None or settings.audit_folder is None:
        return None
    key = signing_key(settings.audit_key.get_secret_value())
    work = partial(export, key=key, folder=settings.audit_folder)
    return Job("export_audit", work, pool, metrics)
