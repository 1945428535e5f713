"""Reads accounts."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from psycopg import AsyncConnection
from psycopg.rows import TupleRow, class_row

from api.planning import Plans
from fleet.db.sql import load

_SQL = load("api.accounts", "store")


@dataclass(frozen=True, slots=True)
class SignInRow:
    """An account as log-in needs it."""

    username: str
    password_hash: str
    role: str
    service: bool


@dataclass(frozen=True, slots=True)
class CallerRow:
    """An account that is not disabled; `cells` is nothing for whoever sees every cell,
    `above` are the cells over those. `in_session`: the one asked for goes on. `at` is now."""

    account_id: int
    username: str
    role: str
    technician_id: int | None
    technician: str | None
    name: str | None
    skills: list[str] | None
    cells: list[str] | None
    above: list[str] | None
    in_session: bool
    at: datetime
    settings: int


async def to_sign_in(connection: AsyncConnection[TupleRow], username: str) -> SignInRow | None:
    """The account of a username, if there is one that is not disabled."""
    async with connection.cursor(row_factory=class_row(SignInRow)) as cursor:
        await cursor.execute(_SQL["to_sign_in"], {"username": username})
        return await cursor.fetchone()


@dataclass(frozen=True, slots=True)
class Asked:
    """Who a token speaks for, from where; `everything` lets the database show every cell."""

    username: str
    session: UUID | None
    origin: str
    everything: bool = False
    plans: Plans = Plans.EACH_TIME

    @property
    def parameters(self) -> dict[str, object]:
        """What the statement takes."""
        return {
            "username": self.username,
            "session": self.session,
            "origin": self.origin,
            "everything": self.everything,
            "plans": self.plans,
        }


async def caller_row(connection: AsyncConnection[TupleRow], asked: Asked) -> CallerRow | None:
    """The account as it is now, if it may still sign in: the transaction works for it from now on.

    In one statement, for every request begins with it.
    """
    async with connection.cursor(row_factory=class_row(CallerRow)) as cursor:
        await cursor.execute(_SQL["caller"], asked.parameters)
        return await cursor.fetchone()
