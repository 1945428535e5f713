"""Moves that people ask for."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import NoReturn

from psycopg import AsyncConnection
from psycopg.rows import TupleRow, dict_row

from api import etag
from api.accounts.caller import Caller
from api.dispatch.assigning import fits, keep_by_hand, sendable
from api.dispatch.jobs import Open
from api.errors import Forbidden, Invalid, MoveRefused, NotFound
from api.technicians.store import here
from api.tickets.asked import MoveRequest
from api.tickets.engine import escalate_refusals
from api.tickets.store import of_row
from api.tickets.writing import Author, Change, write
from fleet.db.sql import load
from fleet.dispatch.fitness import Fitness
from fleet.tickets.following import facts
from fleet.tickets.lifecycle import Event, Fact, Move, Need, Refusal, Why, allowed, decide
from fleet.tickets.outcome import Said, after
from fleet.tickets.ticket import Ticket

_SQL = load("api.tickets", "moves")


async def move(
    connection: AsyncConnection[TupleRow],
    caller: Caller,
    key: int,
    asked: MoveRequest,
    verify: timedelta,
    expected: int | None = None,
) -> None:
    """Make a move, or write nothing and raise what stands in the way.

    `verify` is the verify window, `expected` the version that the caller has seen. That is `Stale`,
    `NotFound`, `Forbidden`, `MoveRefused` with what is allowed, or `Invalid`.
    """
    if asked.parent is not None:
        await in_order(connection, caller, [key, asked.parent])
    ticket, at = await _locked(connection, caller, key)
    etag.require(expected, ticket.version, f"Ticket {key}")
    now = facts(ticket, at, verify)
    decision = decide(ticket, asked.event, caller.actor, _given(asked), now)
    sent: tuple[Open, Fitness] | None = None
    if isinstance(decision, Move) and Need.TECHNICIAN in decision.needs:
        sent = await fits(connection, key, await _technician(connection, caller, asked))
        found_out = now - _untrue_of(sent[1], ticket)
        decision = decide(ticket, asked.event, caller.actor, _given(asked), found_out)
    if isinstance(decision, Refusal):
        _refuse(decision, ticket, asked, allowed(ticket, caller.actor, now))
    parent = await _parent(connection, caller, ticket, decision, asked)
    await _photos(connection, caller, key, asked)
    said = _said(asked, sent and sent[1].technician.id, parent)
    author = Author(caller.account.username, caller.actor.role, caller.account.account_id)
    moved = after(ticket, decision, said, at)
    await write(connection, [Change(asked.event, ticket, moved, said, author)])
    if said.place is not None and caller.actor.technician_id is not None:
        await here(connection, caller.actor.technician_id, *said.place, asked.device_at)
    if sent is not None:
        await keep_by_hand(connection, author.name, *sent)
    if asked.event is Event.DECLINE:
        await escalate_refusals(connection, {moved: asked.event})


def _untrue_of(chosen: Fitness, ticket: Ticket) -> frozenset[Fact]:
    """What is not true of the technician who is named."""
    told = {
        Fact.FITTING: sendable(chosen),
        Fact.ANOTHER: chosen.technician.id != ticket.technician_id,
    }
    return frozenset(fact for fact, true in told.items() if not true)


async def in_order(
    connection: AsyncConnection[TupleRow], caller: Caller, ids: Sequence[int]
) -> None:
    """Lock all that is to be moved together, as everybody does: by their ids."""
    parameters = {"ids": list(ids), "scope": caller.scope.parameter}
    await connection.execute(_SQL["in_order"], parameters)


def _said(asked: MoveRequest, technician: int | None, parent: int | None) -> Said:
    place = asked.position
    return Said(
        reason=asked.reason,
        note=asked.note,
        technician_id=technician,
        parent_id=parent,
        device_at=asked.device_at,
        place=None if place is None else (place.latitude, place.longitude),
        pinned=asked.pin,
        cause=asked.cause,
        action=asked.action,
        parts_used=None if asked.parts_used is None else tuple(asked.parts_used),
        photos=None if asked.photos is None else tuple(dict.fromkeys(asked.photos)),
    )


async def _locked(
    connection: AsyncConnection[TupleRow], caller: Caller, key: int
) -> tuple[Ticket, datetime]:
    async with connection.cursor(row_factory=dict_row) as cursor:
        await cursor.execute(_SQL["for_move"], {"id": key, "scope": caller.scope.parameter})
        row = await cursor.fetchone()
    if row is None:
        raise NotFound("ticket", key)
    return of_row(row), row["at"]


def _given(asked: MoveRequest) -> frozenset[Need]:
    given = {
        Need.REASON: asked.reason,
        Need.TECHNICIAN: asked.technician,
        Need.PARENT: asked.parent,
        Need.CAUSE: asked.cause,
        Need.ACTION: asked.action,
    }
    return frozenset(need for need, value in given.items() if value is not None)


def _refuse(
    refusal: Refusal, ticket: Ticket, asked: MoveRequest, offered: Sequence[Event]
) -> NoReturn:
    match refusal.why:
        case Why.ROLE | Why.NOT_YOURS:
            raise Forbidden(f"You may not {asked.event} ticket {ticket.id}: {refusal.why}.")
        case Why.MISSING:
            field = min(refusal.missing)
            raise Invalid(f"body.{field}", f"is needed to {asked.event} a ticket")
        case Why.GUARD:
            only_if = "; ".join(sorted(refusal.unmet))
            raise MoveRefused(f"Ticket {ticket.id}: {asked.event} only if {only_if}.", offered)
        case _:
            raise MoveRefused(f"Ticket {ticket.id} is {ticket.state}: {refusal.why}.", offered)


async def _technician(
    connection: AsyncConnection[TupleRow], caller: Caller, asked: MoveRequest
) -> int:
    """The key of the technician named."""
    parameters = {"code": asked.technician, "scope": caller.scope.parameter}
    row = await (await connection.execute(_SQL["technician"], parameters)).fetchone()
    if row is None:
        raise Invalid("body.technician", f"there is no technician {asked.technician}")
    return int(row[0])


async def _photos(
    connection: AsyncConnection[TupleRow], caller: Caller, key: int, asked: MoveRequest
) -> None:
    """Raise `Invalid` for a photo that is no attachment of the ticket."""
    if not asked.photos:
        return
    parameters = {"id": key, "photos": asked.photos, "scope": caller.scope.parameter}
    foreign = await (await connection.execute(_SQL["foreign_photos"], parameters)).fetchall()
    for number, *_ in foreign:
        raise Invalid("body.photos", f"ticket {key} has no attachment {number}")


async def _parent(
    connection: AsyncConnection[TupleRow],
    caller: Caller,
    ticket: Ticket,
    move: Move,
    asked: MoveRequest,
) -> int | None:
    """The key of the ticket to merge into, which must be live and another."""
    if Need.PARENT not in move.needs:
        return None
    parameters = {"id": ticket.id, "parent": asked.parent, "scope": caller.scope.parameter}
    row = await (await connection.execute(_SQL["live_ticket"], parameters)).fetchone()
    if row is None:
        raise Invalid("body.parent", f"there is no other live ticket {asked.parent}")
    return asked.parent
