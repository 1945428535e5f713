"""Health and metrics, for who runs the api rather than uses it."""

import asyncio
from collections.abc import Callable, Coroutine, Mapping
from typing import Any, TypeVar

import psycopg
import psycopg_pool
from fastapi import Response
from prometheus_client import CONTENT_TYPE_LATEST
from pydantic import BaseModel, ConfigDict, Field

from api.routing import Router
from api.scope import ENGINE, enter
from api.services import Running, Services
from api.tickets.store import counts
from fleet.db.migrate import available
from fleet.db.pool import Pool
from fleet.db.sql import load

router = Router(tags=["health"])
_SQL = load("api", "health")
_PATIENCE_S = 2
_SILENT = "the database does not answer"
_Found = TypeVar("_Found")
_EXPOSITION = """\
# HELP tellergrid_tickets_open Live tickets by state
# TYPE tellergrid_tickets_open gauge
tellergrid_tickets_open{state="ASSIGNED"} 3.0
"""


class Health(BaseModel):
    """Whether this process can do its work; `problem` says why not."""

    model_config = ConfigDict(json_schema_extra={"example": {"status": "ok", "problem": None}})

    status: str
    problem: str | None = Field(default=None)


# Load balancers ask by HEAD; the server leaves the body out.
@router.head("/healthz", include_in_schema=False)
@router.get("/healthz")
async def healthz() -> Health:
    """The process is alive; it says nothing of the database."""
    return Health(status="ok")


@router.head("/readyz", include_in_schema=False)
@router.get("/readyz", responses={503: {"model": Health, "description": "Not ready"}})
async def readyz(running: Running, response: Response) -> Health:
    """Requests can be served: the database answers and is migrated."""
    try:
        problem = await _looked(running, _problem)
    except TimeoutError:
        problem = _SILENT
    if problem is None:
        return Health(status="ok")
    response.status_code = 503
    return Health(status="unready", problem=problem)


@router.head("/metrics", include_in_schema=False)
@router.get(
    "/metrics",
    response_class=Response,
    responses={200: {"content": {"text/plain": {"example": _EXPOSITION}}}},
)
async def metrics(running: Running) -> Response:
    """Prometheus metrics."""
    await _count_tickets(running)
    return Response(running.metrics.exposition(), media_type=CONTENT_TYPE_LATEST)


async def _looked(running: Services, look: Callable[[Pool], Coroutine[Any, Any, _Found]]) -> _Found:
    """What a look at the database finds; raises `TimeoutError` when a probe cannot wait for it.

    One that hangs goes on by itself and is not begun a second time: however often somebody probes,
    it holds one connection.
    """
    task = running.looks.get(look.__name__)
    if task is None or task.done():
        task = running.looks[look.__name__] = asyncio.create_task(look(running.pool))
    done, _ = await asyncio.wait({task}, timeout=_PATIENCE_S)
    if not done:
        raise TimeoutError
    found: _Found = task.result()
    return found


async def _problem(pool: Pool) -> str | None:
    try:
        async with pool.connection(timeout=_PATIENCE_S) as connection:
            cursor = await connection.execute(_SQL["migrations"])
            done: dict[int, str] = dict(await cursor.fetchall())
    except psycopg.errors.UndefinedTable:
        return "the database is not migrated"
    except (psycopg.Error, psycopg_pool.PoolTimeout):
        return _SILENT
    if done != {migration.version: migration.digest for migration in available()}:
        return "the database is of another version than this program"
    return None


async def _count_tickets(running: Services) -> None:
    gauge = running.metrics.tickets
    gauge.clear()
    try:
        found = await _looked(running, _tickets)
    except TimeoutError:
        return
    for state, count in found.items():
        gauge.labels(state).set(count)


async def _tickets(pool: Pool) -> Mapping[str, int]:
    """Live tickets by state; none while the database is away."""
    try:
        async with pool.connection(timeout=_PATIENCE_S) as connection:
            await enter(connection, ENGINE)
            return await counts(connection)
    except (psycopg.Error, psycopg_pool.PoolTimeout):
        return {}
