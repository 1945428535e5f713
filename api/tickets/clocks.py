"""The clocks of tickets: reads histories and promises, and lets `fleet.sla` compute."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Protocol

from psycopg import AsyncConnection
from psycopg.rows import TupleRow, dict_row

from api.scope import Scope
from api.tickets.promises import promises
from fleet.db.sql import load
from fleet.sla.calendar import FOREVER
from fleet.sla.escalation import Escalation, escalations, next_at
from fleet.sla.policy import Level, Policy, choose
from fleet.sla.promise import Promise, Standing, ratings, standings
from fleet.sla.reading import History, Reading, Step
from fleet.tickets.lifecycle import Event
from fleet.tickets.ticket import State

_SQL = load("api.tickets", "clocks")
_SLICE = 5


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
    """A ticket's row with its clocks, where a service level is agreed."""

    row: Mapping[str, Any]
    chain: Sequence[str] = ("operations",)
    history: History | None = None
    standings: Sequence[Standing] = ()

    @property
    def readings(self) -> list[Reading]:
        """Its clocks as they stand."""
        return [one.reading for one in self.standings]

    @property
    def tells_first(self) -> str:
        """Who hears first."""
        return self.chain[0]

    @property
    def escalations(self) -> list[Escalation]:
        """Those that its history lacks; whose chain, the present severity says."""
        return [
            escalation
            for policy, one in self._told_by()
            for escalation in escalations(policy, self._lived(), [one.reading])
        ]

    @property
    def next_at(self) -> datetime:
        """Before when there is no other, unless something happens to it."""
        return min(
            (
                next_at(policy, one.promise.of(self._lived()), [one.reading])
                for policy, one in self._told_by()
            ),
            default=FOREVER,
        )

    def _told_by(self) -> list[tuple[Policy, Standing]]:
        chain = tuple(self.chain)
        return [(replace(one.promise.policy, chain=chain), one) for one in self.standings]

    def _lived(self) -> History:
        assert self.history is not None  # noqa: S101 - without one it has no standings
        return self.history

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
    parameters = {"ids": list(ids), "scope": scope.parameter}
    async with connection.cursor(row_factory=dict_row, binary=True) as cursor:
        await cursor.execute(_SQL["histories"], parameters)
        return await with_clocks(connection, await cursor.fetchall())


async def with_clocks(
    connection: AsyncConnection[TupleRow], rows: Sequence[Mapping[str, Any]]
) -> dict[int, Watched]:
    """The clocks of rows that have `steps`, all that happened to their ticket, by its id."""
    if not rows:
        return {}
    policies = await promises(connection, rows[0]["promises"])
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


def _watch(row: Mapping[str, Any], policies: Sequence[Policy], cells: Sequence[str]) -> Watched:
    changes = [(at, before) for _, _, at, _, _, before in row["steps"] if before is not None]
    given = [
        (choose(policies, one.severity, cells, one.since), one.since)
        for one in ratings(row["created_at"], row["severity"], changes)
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
            Step(Event(event), State(state), at, reason, note)
            for event, state, at, reason, note, _ in row["steps"]
        ],
    )
    return Watched(row, policy.chain, history, standings(promises, history, row["at"]))
