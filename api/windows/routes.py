"""Planned windows and service schedules over HTTP."""

from datetime import date
from typing import Annotated

from fastapi import Path, Query

from api.accounts.caller import SignedIn
from api.accounts.operations import Operations
from api.errors import Forbidden, NotFound, Unauthenticated
from api.paging import AskedPage, Page
from api.paths import V1
from api.problem import documented
from api.routing import Router
from api.services import Connection
from api.windows import schedules, store
from api.windows.schedule_schemas import DayAsked, Schedule, ScheduleAsked, UseAsked
from api.windows.schemas import AnnulmentAsked, Window, WindowAsked
from fleet.windows.window import Purpose

router = Router(prefix=V1, tags=["windows"])

_Id = Annotated[int, Path(alias="id", ge=1, le=2_147_483_647)]
_CHANGE = documented(Unauthenticated, Forbidden, NotFound)


@router.get("/windows", responses=documented(Unauthenticated))
async def list_windows(
    caller: SignedIn,
    connection: Connection,
    page: AskedPage,
    purpose: Purpose | None = None,
    live: Annotated[
        bool | None, Query(alias="open", description="true: with times that are not over")
    ] = None,
) -> Page[Window]:
    """Planned maintenance and silences that touch what you see, the newest first."""
    wanted = store.Filter(None, purpose, live)
    rows = await store.windows(connection, caller.scope, wanted, page.after(int), page.rows)
    return page.page(rows, lambda window: window.id)


@router.get("/windows/{id}", responses=documented(Unauthenticated, NotFound))
async def get_window(key: _Id, caller: SignedIn, connection: Connection) -> Window:
    """One planned window."""
    return await store.window(connection, caller.scope, key)


@router.post("/windows", responses=documented(Unauthenticated, Forbidden))
async def plan_window(asked: WindowAsked, caller: Operations, connection: Connection) -> Window:
    """Plan maintenance or a silence: tickets are held while it lasts, detection goes on."""
    key = await store.plan(connection, caller.scope, asked, caller.account.username)
    return await store.window(connection, caller.scope, key)


@router.delete("/windows/{id}", responses=_CHANGE)
async def end_window(key: _Id, caller: Operations, connection: Connection) -> Window:
    """Take a window back from now on; what was of it stays."""
    await store.end(connection, caller.scope, key, caller.account.username)
    return await store.window(connection, caller.scope, key)


@router.post("/windows/{id}/annulment", responses=_CHANGE)
async def annul_window(
    key: _Id, asked: AnnulmentAsked, caller: Operations, connection: Connection
) -> Window:
    """Say that a window was planned by mistake: it counts for no time, the past included."""
    await store.annul(connection, caller.scope, key, caller.account.username, asked.reason)
    return await store.window(connection, caller.scope, key)


@router.get("/schedules", responses=documented(Unauthenticated))
async def list_schedules(
    caller: SignedIn, connection: Connection, page: AskedPage
) -> Page[Schedule]:
    """Service schedules, by code."""
    rows = await schedules.schedules(connection, caller.scope, None, page.after(str), page.rows)
    return page.page(rows, lambda schedule: schedule.code)


@router.get("/schedules/{code}", responses=documented(Unauthenticated, NotFound))
async def get_schedule(code: str, caller: SignedIn, connection: Connection) -> Schedule:
    """One service schedule: its hours, its other days, who serves by it."""
    return await schedules.schedule(connection, caller.scope, code)


@router.post("/schedules", responses=documented(Unauthenticated, Forbidden))
async def make_schedule(
    asked: ScheduleAsked, caller: Operations, connection: Connection
) -> Schedule:
    """Make a service schedule, which nobody serves by yet."""
    await schedules.make(connection, asked, caller.account.username)
    return await schedules.schedule(connection, caller.scope, asked.code)


@router.put("/schedules/{code}/days/{day}", responses=_CHANGE)
async def set_schedule_day(
    code: str, day: date, asked: DayAsked, caller: Operations, connection: Connection
) -> Schedule:
    """Give a day hours of its own; none on a holiday."""
    await schedules.schedule(connection, caller.scope, code)
    await schedules.set_day(connection, code, day, asked, caller.account.username)
    return await schedules.schedule(connection, caller.scope, code)


@router.delete("/schedules/{code}/days/{day}", responses=_CHANGE)
async def forget_schedule_day(
    code: str, day: date, caller: Operations, connection: Connection
) -> Schedule:
    """Let a day be like others of its weekday again."""
    await schedules.schedule(connection, caller.scope, code)
    await schedules.forget_day(connection, code, day)
    return await schedules.schedule(connection, caller.scope, code)


@router.post("/schedules/{code}/uses", responses=_CHANGE)
async def use_schedule(
    code: str, asked: UseAsked, caller: Operations, connection: Connection
) -> Schedule:
    """Let a terminal, a cell with all below it, or a kind serve by a schedule, from an instant on.

    A terminal's own comes first, then that of the deepest cell it is in, then that of its kind.
    """
    await schedules.schedule(connection, caller.scope, code)
    await schedules.use(connection, caller.scope, code, asked, caller.account.username)
    return await schedules.schedule(connection, caller.scope, code)


@router.delete("/schedules/{code}/uses/{id}", responses=_CHANGE)
async def end_schedule_use(
    code: str, key: _Id, caller: Operations, connection: Connection
) -> Schedule:
    """End it from now on; what was before stays."""
    await schedules.schedule(connection, caller.scope, code)
    await schedules.end_use(connection, code, key)
    return await schedules.schedule(connection, caller.scope, code)
