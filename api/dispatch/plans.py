"""The day of a technician: reads what they have to do, lets `fleet.dispatch` order it."""

import asyncio
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta

from psycopg import AsyncConnection
from psycopg.rows import TupleRow

from api.dispatch.jobs import Open, open_jobs
from api.dispatch.people import people
from api.dispatch.plan_schemas import DayPlan, PlannedStop
from api.scope import Scope
from fleet.db.sql import load
from fleet.dispatch import day_plan
from fleet.dispatch.cost import VISIT_MIN
from fleet.dispatch.day_plan import Stop
from fleet.dispatch.technician import Technician
from fleet.sla.calendar import Span
from fleet.tickets.ticket import State

_SQL = load("api.dispatch", "plans")
_LONGEST = timedelta(hours=16)
MORE_MIN = 15.0
"""What each further ticket of a visit adds to it."""


async def plan(connection: AsyncConnection[TupleRow], scope: Scope, technician: int) -> DayPlan:
    """What is left of somebody's shift, or the next one, with all they have to do in order."""
    parameters = {"technician_id": technician, "scope": scope.parameter}
    rows = await (await connection.execute(_SQL["to_do"], parameters)).fetchall()
    sites: Mapping[int, str | None] = dict(rows)
    found = await open_jobs(connection, list(sites))
    [person] = await people(connection, [technician])
    held = [one.ticket.id for one in found if one.ticket.state is State.ON_HOLD]
    visits = _visits([one for one in found if one.ticket.id not in held])
    shift = person.shift(datetime.now(UTC))
    if shift is None:
        left = sorted(one.ticket.id for tickets in visits.values() for one in tickets)
        return DayPlan(technician=person.code, left_over=left, on_hold=held)
    made = await asyncio.to_thread(_planned, person, shift, visits)
    return DayPlan(
        technician=person.code,
        begins_at=made.shift.begin,
        ends_at=made.shift.end,
        travel_min=round(made.travel_min, 1),
        stops=[
            _shown(number, one, visits[one.stop.key], sites)
            for number, one in enumerate(made.stops, 1)
        ],
        left_over=sorted(one.ticket.id for stop in made.left_over for one in visits[stop.key]),
        on_hold=held,
    )


def _visits(found: Sequence[Open]) -> dict[str, list[Open]]:
    visits: dict[str, list[Open]] = {}
    for one in found:
        visits.setdefault(one.job.site or f"ticket {one.ticket.id}", []).append(one)
    return visits


def _planned(
    person: Technician, shift: Span, visits: Mapping[str, Sequence[Open]]
) -> day_plan.DayPlan:
    day = Span(shift.begin, min(shift.end, shift.begin + _LONGEST))
    there = [key for key, tickets in visits.items() if _any(tickets, State.ON_SITE)]
    under_way = [
        key for key, tickets in visits.items() if key not in there and _any(tickets, State.EN_ROUTE)
    ]
    first = [_stop(key, visits[key]) for key in (*there, *under_way)]
    rest = [_stop(key, tickets) for key, tickets in visits.items()]
    start = first[0].place if there else person.place
    return day_plan.plan(day, start, [stop for stop in rest if stop not in first], first)


def _any(tickets: Sequence[Open], state: State) -> bool:
    return any(one.ticket.state is state for one in tickets)


def _stop(key: str, tickets: Sequence[Open]) -> Stop:
    due = [one.job.due_at for one in tickets if one.job.due_at is not None]
    minutes = VISIT_MIN + MORE_MIN * (len(tickets) - 1)
    return Stop(key, tickets[0].job.place, minutes, latest=min(due, default=None))


def _shown(
    number: int,
    one: day_plan.Planned,
    tickets: Sequence[Open],
    sites: Mapping[int, str | None],
) -> PlannedStop:
    place = one.stop.place
    return PlannedStop(
        order=number,
        site=sites[tickets[0].ticket.id],
        cell=tickets[0].job.cells[0],
        tickets=[ticket.ticket.id for ticket in tickets],
        latitude=place and place.latitude,
        longitude=place and place.longitude,
        travel_min=round(one.travel_min, 1),
        arrives_at=one.arrives_at,
        leaves_at=one.leaves_at,
        due_at=one.stop.latest,
        late=one.late,
    )
