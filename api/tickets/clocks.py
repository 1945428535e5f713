"""The clocks of tickets: reads histories and promises, and lets `fleet.sla` compute."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Protocol

from psycopg import AsyncConnection
from psycopg.rows import TupleRow, dict_row

from api.scope import Scope
from fleet.db.sql import load
from fleet.sla.calendar import FOREVER, Calendar, Hours
from fleet.sla.policy import Clock, Level, Policy, choose
from fleet.sla.promise import Promise, ratings, readings
from fleet.sla.reading import Escalation, History, Reading, Step, escalations
from fleet.tickets.lifecycle import Event
from fleet.tickets.ticket import State

_SQL = load("api.tickets", "clocks")
_SLICE = 20


class Running(Protocol):
    """What says when a clock is due: of the domain or on the wire."""

    @property
    def due_at(self) -> datetime | None:
        """When its target is reached, if that is known."""

    @property
    def stopped_at(self) -> datetime | None:
        """Since when it runs no more."""

    @property
    def level(self) -> Level:
        """How it stands against its target."""


@dataclass(frozen=True, slots=True)
class Watched:
    """A ticket's row with its clocks, and the escalations that its history lacks."""

    row: Mapping[str, Any]
    policy: Policy | None = None
    readings: tuple[Reading, ...] = ()
    escalations: tuple[Escalation, ...] = ()

    def tells(self, level: Level) -> str:
        """Who hears of a level."""
        return "operations" if self.policy is None else self.policy.tells(level)

    def comes_to(self, level: Level | None) -> bool:
        """Whether a running clock is at a level; with none given, whether any runs."""
        return bool(_at(self.readings, level))

    def next_due(self, level: Level | None) -> datetime:
        """When the first of the running clocks at a level is due."""
        return next_due(self.readings, level)


def next_due(clocks: Sequence[Running], level: Level | None) -> datetime:
    """When the first of the running clocks at a level is due; at no known time is at the end."""
    return min((one.due_at or FOREVER for one in _at(clocks, level)), default=FOREVER)


def _at(clocks: Sequence[Running], level: Level | None) -> list[Running]:
    return [
        one for one in clocks if one.stopped_at is None and (level is None or one.level is level)
    ]


async def watched(
    connection: AsyncConnection[TupleRow], ids: Sequence[int], scope: Scope
) -> dict[int, Watched]:
    """The clocks of tickets as they stand now, by id."""
    if not ids:
        return {}
    rows = await _rows(connection, "histories", ids=list(ids), scope=scope.parameter)
    policies = await _policies(connection)
    above: dict[str, list[str]] = {}
    if any(policy.cell is not None for policy in policies):
        cells = {"cells": list({row["cell"] for row in rows})}
        above = dict(await (await connection.execute(_SQL["ancestors"], cells)).fetchall())
    found: dict[int, Watched] = {}
    for number, row in enumerate(rows, start=1):
        found[row["id"]] = _watch(row, policies, above.get(row["cell"], ()))
        if number % _SLICE == 0:  # thousands at a time: others are served in between
            await asyncio.sleep(0)
    return found


async def live(connection: AsyncConnection[TupleRow]) -> list[int]:
    """Every live ticket."""
    return [key for (key,) in await (await connection.execute(_SQL["live"])).fetchall()]


def _watch(row: Mapping[str, Any], policies: Sequence[Policy], cells: Sequence[str]) -> Watched:
    given = [
        (choose(policies, one.severity, cells, one.since), one.since)
        for one in ratings(row["created_at"], row["severity"], row["ratings"])
    ]
    promises = [Promise(policy, since) for policy, since in given if policy is not None]
    if not promises:
        return Watched(row)
    policy = promises[-1].policy
    history = History(
        created_at=row["created_at"],
        state=State(row["state"]),
        resolved_at=row["resolved_at"],
        recovered_at=row["recovered_at"],
        by_hand=row["fault_id"] is None,
        steps=[
            Step(Event(event), State(state), at, reason)
            for event, state, at, reason in row["steps"]
        ],
    )
    read = readings(promises, history, row["at"])
    return Watched(row, policy, read, tuple(escalations(policy, history, read)))


async def _policies(connection: AsyncConnection[TupleRow]) -> list[Policy]:
    calendars = {
        row["code"]: Calendar(
            row["zone"], tuple(Hours(*one) for one in row["hours"]), frozenset(row["holidays"])
        )
        for row in await _rows(connection, "calendars")
    }
    return [
        Policy(
            severity=row["severity"],
            cell=row["cell_code"],
            valid_from=row["valid_from"],
            calendar=calendars[row["calendar_code"]],
            targets={clock: timedelta(minutes=row[f"{clock}_minutes"]) for clock in Clock},
            warn_share=row["warn_share"],
            pausing=frozenset(row["pausing"]),
            chain=tuple(row["chain"]),
        )
        for row in await _rows(connection, "policies")
    ]


async def _rows(
    connection: AsyncConnection[TupleRow], statement: str, **parameters: object
) -> list[dict[str, Any]]:
    async with connection.cursor(row_factory=dict_row, binary=True) as cursor:
        await cursor.execute(_SQL[statement], parameters)
        return await cursor.fetchall()
