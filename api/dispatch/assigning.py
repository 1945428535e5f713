"""The engine's part of dispatch: chooses for all open tickets at once, and writes what is new.

Accepted work and what a person pinned stay as they are. It looks only where something changed.
"""

import asyncio
from collections.abc import Mapping, Sequence
from typing import cast

from psycopg import AsyncConnection
from psycopg.rows import TupleRow

from api.dispatch import choices
from api.dispatch.jobs import Open, open_jobs
from api.dispatch.people import anything_new, look_again, people
from api.tickets.carrying import carry
from api.tickets.stepping import change
from api.tickets.writing import ENGINE, Change, write
from fleet.dispatch.assignment import Choice, Considered, Reason, assign
from fleet.dispatch.fitness import BY_HAND, Fitness, attendance, fitness
from fleet.dispatch.technician import Technician
from fleet.tickets.following import Step
from fleet.tickets.lifecycle import Event
from fleet.tickets.outcome import Said
from fleet.tickets.ticket import State


async def send_technicians(connection: AsyncConnection[TupleRow]) -> int:
    """Choose who goes where; returns how many tickets were given to somebody else than before.

    What somebody keeps just now is left to the next look, also where nothing comes of it for them.
    """
    if not await anything_new(connection):
        return 0
    carried = await carry(connection)
    changes, written = await _send(connection)
    if not carried or len(written) < len(changes):
        await look_again(connection)
    return len(written)


async def _send(
    connection: AsyncConnection[TupleRow],
) -> tuple[Sequence[Change], Sequence[Change]]:
    """Choose for all open tickets; what was to be written, and what was."""
    found = await open_jobs(connection)
    if not found:
        return (), ()
    technicians = await people(connection)
    # Optimising takes the processor for a while: others are served meanwhile.
    made = await asyncio.to_thread(assign, [one.job for one in found], technicians, found[0].at)
    by_id = {one.ticket.id: one for one in found}
    moved = [choice for choice in made if _moves(choice)]
    changes = [
        step
        for choice in moved
        for step in _given(by_id[choice.job.ticket_id], cast("Technician", choice.technician))
    ]
    written = await write(connection, changes)
    given = {one.before.id for one in written}  # not what somebody moved meanwhile
    told = [choice for choice in moved if choice.job.ticket_id in given]
    await choices.keep(connection, ENGINE.name, [*told, *await _news(connection, made, by_id)])
    return changes, written


async def fits(
    connection: AsyncConnection[TupleRow], ticket: int, technician: int
) -> tuple[Open, Fitness]:
    """A technician beside a ticket, as somebody who sends them by hand should know them."""
    [found] = await open_jobs(connection, [ticket])
    [person] = await people(connection, [technician])
    return found, fitness(found.job, person, attendance(person, found.at))


def sendable(found: Fitness) -> bool:
    """Whether a person may send them."""
    return not BY_HAND & set(found.shortfalls)


async def keep_by_hand(
    connection: AsyncConnection[TupleRow], actor: str, found: Open, chosen: Fitness
) -> None:
    """Keep what a person chose, with what they overrode."""
    told = (Considered(chosen, None),)
    choice = Choice(found.job, chosen.technician, Reason.BY_HAND, told, 0)
    await choices.keep(connection, actor, [choice])


def _moves(choice: Choice) -> bool:
    return choice.technician is not None and choice.technician.id != choice.job.holder


def _given(one: Open, technician: Technician) -> list[Change]:
    step = Step(Event.ASSIGN, Said(technician_id=technician.id))
    return change(one.ticket, step, one.at)


async def _news(
    connection: AsyncConnection[TupleRow], made: Sequence[Choice], by_id: Mapping[int, Open]
) -> list[Choice]:
    """Tickets that nobody is sent to, where that is new, or for another reason than before."""
    left = [
        choice
        for choice in made
        if choice.technician is None and by_id[choice.job.ticket_id].ticket.state is State.NEW
    ]
    before = await choices.last_reasons(connection, [one.job.ticket_id for one in left])
    return [one for one in left if before.get(one.job.ticket_id) != (None, one.reason)]
