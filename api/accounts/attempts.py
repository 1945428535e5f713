"""Attempts to sign in: whoever fails too often, by name or by address, waits before the next.

An attempt counts from before its password is looked at, so guessing side by side gains nothing; one
that succeeds is taken back, so who is one too many while some are under way comes again soon. The
same holds for names that are nobody's.
"""

from dataclasses import dataclass
from datetime import datetime

from psycopg import AsyncConnection
from psycopg.rows import TupleRow

from api.errors import TooMany
from fleet.db.sql import load

WINDOW_S = 15 * 60
MOST_BY_NAME = 5
MOST_BY_ADDRESS = 50
_SOON_S = 2
_LONGEST_S = 60  # that an attempt is under way, unless its process died
_SQL = load("api.accounts", "attempts")


@dataclass(frozen=True, slots=True)
class Attempt:
    """Who tries, from where."""

    username: str
    origin: str

    @property
    def parameters(self) -> dict[str, object]:
        """What the statements take."""
        return {
            "name": f"name {self.username}",
            "address": f"address {self.origin}",
            "window": WINDOW_S,
            "soon": _SOON_S,
            "longest": _LONGEST_S,
            "most_by_name": MOST_BY_NAME,
            "most_by_address": MOST_BY_ADDRESS,
        }


async def count(connection: AsyncConnection[TupleRow], attempt: Attempt) -> datetime:
    """Note an attempt, and give when; raises `TooMany` with how long to wait, and notes nothing."""
    await one_at_a_time(connection, attempt.username)
    cursor = await connection.execute(_SQL["wait_s"], attempt.parameters)
    [(wait_s,)] = await cursor.fetchall()
    if wait_s is not None:
        raise TooMany("Too many attempts to sign in.", max(1, int(wait_s)))
    cursor = await connection.execute(_SQL["note"], attempt.parameters)
    (at,), _ = await cursor.fetchall()
    noted: datetime = at
    return noted


async def one_at_a_time(connection: AsyncConnection[TupleRow], username: str) -> None:
    """Whoever signs in by a name, or changes its account, waits until this transaction ends."""
    await connection.execute(_SQL["lock"], Attempt(username, "").parameters)


async def succeeded(connection: AsyncConnection[TupleRow], attempt: Attempt, at: datetime) -> None:
    """Take the failures of a name back; of an address, this one."""
    await connection.execute(_SQL["forgive"], attempt.parameters)
    await connection.execute(_SQL["take_back"], attempt.parameters | {"at": at})


async def failed(connection: AsyncConnection[TupleRow], attempt: Attempt, at: datetime) -> None:
    """An attempt is under way no more, and counts for as long as any."""
    await connection.execute(_SQL["failed"], attempt.parameters | {"at": at})


async def forget(connection: AsyncConnection[TupleRow]) -> None:
    """Delete attempts that count no more."""
    await connection.execute(_SQL["forget"], {"window": WINDOW_S})
