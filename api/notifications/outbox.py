"""Puts what happened into the outbox, once: in one transaction with the place it was read up to."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from psycopg import AsyncConnection
from psycopg.rows import TupleRow, dict_row
from psycopg.types.json import Jsonb

from api.notifications.channels import Channel
from fleet.db.sql import load
from fleet.notifications.routing import STILL_THEIRS, URGENT, WAKING, Happening, Told, told
from fleet.notifications.timing import due
from fleet.tickets.ticket import State

_SQL = load("api.notifications", "store")
_ROWS = 100
_FACTS = ("ticket", "title", "severity", "remedy", "cell", "place", "technician", "reason")

Channels = Mapping[str, Channel]


async def gather(connection: AsyncConnection[TupleRow], channels: Channels) -> None:
    """Queue a notification for each step of a ticket that somebody is to hear of."""
    tx, key, horizon = await _place(connection)
    if int(tx) > int(horizon):
        await connection.execute(_SQL["number_anew"])
        tx, key, horizon = await _place(connection)
    while True:
        parameters = {"tx": tx, "key": key, "horizon": horizon, "rows": _ROWS}
        async with connection.cursor(row_factory=dict_row) as cursor:
            await cursor.execute(_SQL["happened"], parameters)
            rows = await cursor.fetchall()
        for row in rows:
            for one in told(_happening(row)):
                if await _knows(connection, row, one):
                    await queue(connection, channels, _cause(row["key"]), one, _facts(row, one))
        if len(rows) < _ROWS:
            break
        tx, key = rows[-1]["tx"], rows[-1]["key"]
    await connection.execute(_SQL["move_on"], {"tx": horizon, "key": 0})


async def _place(connection: AsyncConnection[TupleRow]) -> tuple[str, int, str]:
    [(tx, key, horizon)] = await (await connection.execute(_SQL["place"])).fetchall()
    return tx, key, horizon


def _cause(key: int) -> str:
    return f"ticket_transition/{key}"


def _happening(row: Mapping[str, Any]) -> Happening:
    state = None if row["state"] is None else State(row["state"])
    said = (row["event"], row["reason"], row["note"], row["technician"])
    return Happening(*said, row["had"], state, row["by"], row["gone"])


def _facts(row: Mapping[str, Any], one: Told) -> dict[str, Any]:
    facts = {name: row[name] for name in _FACTS}
    if one.became is None:
        return facts
    return facts | {"became": one.became, "parent": row["parent"]}


async def _knows(connection: AsyncConnection[TupleRow], row: Mapping[str, Any], one: Told) -> bool:
    """Whether somebody knows of the ticket of which they are to hear what became.

    What waits to tell them that it is theirs, and is not so any more, is not told at all. Who has
    accepted it knows of it; who was only asked, if that went out.
    """
    if one.became is None:
        return True
    parameters = {"cause": _cause(row["given"]), "recipient": one.recipient}
    tried = False
    if one.became not in STILL_THEIRS:
        withdrawn = await (await connection.execute(_SQL["withdraw"], parameters)).fetchall()
        tried = (True,) in withdrawn
    if tried or row["state"] != State.ASSIGNED:
        return True
    [(went_out,)] = await (await connection.execute(_SQL["is_told"], parameters)).fetchall()
    return bool(went_out)


async def queue(
    connection: AsyncConnection[TupleRow],
    channels: Channels,
    cause: str,
    one: Told,
    facts: Mapping[str, Any],
) -> None:
    """Queue something for a recipient, over every channel that takes it."""
    taking = {name: channel for name, channel in channels.items() if channel.takes(one)}
    if not taking:
        return
    [(now,)] = await (await connection.execute(_SQL["now"])).fetchall()
    for name, channel in taking.items():
        await connection.execute(
            _SQL["queue"],
            {
                "cause": cause,
                "kind": one.kind,
                "recipient": one.recipient,
                "channel": name,
                "facts": Jsonb(facts),
                "due_at": _due(now, channel, one),
            },
        )


async def is_queued(connection: AsyncConnection[TupleRow], cause: str) -> bool:
    """Whether anybody was or is to be told of something."""
    cursor = await connection.execute(_SQL["is_queued"], {"cause": cause})
    return await cursor.fetchone() == (True,)


async def forget(connection: AsyncConnection[TupleRow]) -> None:
    """Forget what ended long ago; the history of tickets keeps what it was about."""
    await connection.execute(_SQL["forget"])


def _due(now: datetime, channel: Channel, one: Told) -> datetime:
    if one.kind in URGENT:
        return now
    return due(now, None if one.kind in WAKING else channel.hours, channel.digest)
