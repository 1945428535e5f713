"""Technicians over HTTP."""

from typing import Annotated

from fastapi import Depends, Path

from api.accounts.caller import SignedIn
from api.accounts.operations import Operations
from api.dispatch import plans
from api.dispatch.plan_schemas import DayPlan
from api.errors import Forbidden, Invalid, NotFound, Unauthenticated
from api.paging import AskedPage, Page
from api.paths import V1
from api.problem import documented
from api.routing import Router
from api.services import Connection
from api.technicians import absences, store
from api.technicians.schemas import AbsenceAsked, Here, Technician, TechnicianDetail
from fleet.tickets.lifecycle import Role

router = Router(V1, tags=["technicians"])

_AbsenceId = Annotated[int, Path(alias="id", ge=1, le=2_147_483_647)]
_CHANGE = documented(Unauthenticated, Forbidden, NotFound)


async def _asking(caller: SignedIn) -> store.Asking:
    return store.Asking(caller.scope, caller.actor)


_Asking = Annotated[store.Asking, Depends(_asking)]


@router.get("/technicians", responses=documented(Unauthenticated))
async def list_technicians(
    asking: _Asking, connection: Connection, page: AskedPage
) -> Page[Technician]:
    """The technicians who answer for cells you see, by code."""
    rows = await store.technicians(connection, asking, page.after(str), page.rows)
    return page.page(rows, lambda technician: technician.code)


@router.get("/technicians/{code}", responses=documented(Unauthenticated, NotFound))
async def get_technician(code: str, asking: _Asking, connection: Connection) -> TechnicianDetail:
    """One technician: skills, cells, load, when they work and when they are away."""
    return await store.technician(connection, asking, code)


@router.get("/technicians/{code}/plan", responses=_CHANGE)
async def get_plan(code: str, asking: _Asking, connection: Connection) -> DayPlan:
    """The day of a technician: where they go in which order, and when they are there.

    For operations, and for themselves.
    """
    person = await store.technician(connection, asking, code)
    if asking.actor.role is Role.TECHNICIAN and asking.actor.technician_id != person.key:
        raise Forbidden("That is another technician's day.")
    return await plans.plan(connection, asking.scope, person.key)


@router.get("/me/plan", responses=documented(Unauthenticated, Forbidden))
async def get_my_plan(asking: _Asking, connection: Connection) -> DayPlan:
    """Your day: where you go in which order, and when you are there."""
    return await plans.plan(connection, asking.scope, _own_key(asking))


@router.put("/me/position", responses=documented(Unauthenticated, Forbidden))
async def set_my_position(here: Here, asking: _Asking, connection: Connection) -> Here:
    """Say where your device is; dispatch reckons ways from there. The newest alone is kept."""
    await store.here(connection, _own_key(asking), here.latitude, here.longitude, here.at)
    return here


@router.post("/technicians/{code}/absences", responses=_CHANGE)
async def put_down_absence(
    code: str, asked: AbsenceAsked, caller: Operations, asking: _Asking, connection: Connection
) -> TechnicianDetail:
    """Put down that a technician is away: nobody sends them then."""
    if asked.begin >= asked.end:
        raise Invalid("body.to", "must be later than from")
    await store.technician(connection, asking, code)
    author = caller.account.username
    await absences.put_down(connection, code, asked.begin, asked.end, asked.reason, author)
    return await store.technician(connection, asking, code)


@router.delete("/technicians/{code}/absences/{id}", responses=_CHANGE)
async def take_back_absence(
    code: str, key: _AbsenceId, _: Operations, asking: _Asking, connection: Connection
) -> TechnicianDetail:
    """Take an absence back, as if it had not been put down."""
    if not await absences.take_back(connection, code, key):
        raise NotFound("absence", key)
    return await store.technician(connection, asking, code)


def _own_key(asking: store.Asking) -> int:
    key = asking.actor.technician_id
    if key is None:
        raise Forbidden("Only technicians have that.")
    return key
