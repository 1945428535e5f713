"""The clocks of tickets: reads histories and promises, and lets `fleet.sla` compute."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from functools import lru_cache
from typing import Any, NamedTuple

from psycopg import AsyncConnection
from psycopg.rows import TupleRow, dict_row

from api.scope import Scope
from api.tickets.promises import Promises, promises
from fleet.db.sql import load
from fleet.sla.calendar import FOREVER
from fleet.sla.escalation import Escalation, escalations, next_at
from fleet.sla.policy import Level, Policy, choose
from fleet.sla.promise import Laid, Promise, Standing, lay, ratings, standings
from fleet.sla.reading import History, Reading, Step
from fleet.tickets.lifecycle import Event
from fleet.tickets.ticket import State

_SQL = load("api.tickets", "clocks")
_SLICE = 5
_REMEMBERED = 8192  # tickets that people look at again, as they were then: a few KiB each


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
        return bool(self._at(level))

    def next_due(self, level: Level | None) -> datetime:
        """When the first of the running clocks at a level is due."""
        return min((one.due_at or FOREVER for one in self._at(level)), default=FOREVER)

    def _at(self, level: Level | None) -> list[Reading]:
        return [
            one
            for one in self.readings
            if one.stopped_at is None and (level is None or one.level is level)
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
    agreed = await promises(connection, rows[0]["promises"])
    found: dict[int, Watched] = {}
    for number, row in enumerate(rows, start=1):
        found[row["id"]] = _watch(row, agreed)
        if number % _SLICE == 0:  # thousands at a time: others are served in between
            await asyncio.sleep(0)
    return found


def _watch(row: Mapping[str, Any], agreed: Promises) -> Watched:
    life = _Life(
        row["created_at"], row["severity"], row["state"], row["resolved_at"], row["recovered_at"],
        row["fault_id"] is None, tuple(row["steps"]), tuple(row["promised_in"]),
    )  # fmt: skip
    lived = _lived(life, agreed)
    if lived is None:
        return Watched(row)
    history, laid = lived
    chain = laid[-1].promise.policy.chain
    return Watched(row, chain, history, standings(laid, row["at"]))


class _Life(NamedTuple):
    """All that the clocks of a ticket depend on, but the time."""

    created_at: datetime
    severity: str
    state: str
    resolved_at: datetime | None
    recovered_at: datetime | None
    by_hand: bool
    steps: tuple[
        tuple[str, str, datetime, str | None, str | None, str | None, datetime | None], ...
    ]
    cells: tuple[str, ...]


@lru_cache(_REMEMBERED)
def _lived(life: _Life, agreed: Promises) -> tuple[History, tuple[Laid, ...]] | None:
    """A ticket's history with its clocks, to be read at any time; nothing where none is agreed.

    It is worked out once: people look again and again at tickets to which nothing happens.
    """
    changes = [(at, before) for _, _, at, _, _, before, _ in life.steps if before is not None]
    given = [
        (choose(agreed.policies, one.severity, life.cells, one.since), one.since)
        for one in ratings(life.created_at, life.severity, changes)
    ]
    promised = [Promise(policy, since) for policy, since in given if policy is not None]
    if not promised:
        return None
    steps = tuple(
        Step(Event(event), State(state), at, reason, note, recovered_at)
        for event, state, at, reason, note, _, recovered_at in life.steps
    )
    history = History(
        life.created_at, State(life.state), life.resolved_at, life.recovered_at, steps, life.by_hand
    )
    return history, lay(promised, history)
