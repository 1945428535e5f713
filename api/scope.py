"""What a caller may see: the one place that says so, to the statements and to the database.

Every statement that reads what belongs to a cell takes `%(scope)s`, an array of cell codes, or null
for a caller who sees everything; a test holds every `.sql` file of the api to that. What is outside
the scope does not exist for the caller. Under that the database holds the same by itself: `enter`
makes a transaction see nothing else, whatever its statements say.
"""

from dataclasses import dataclass
from enum import Enum, auto

from psycopg import AsyncConnection
from psycopg.conninfo import conninfo_to_dict, make_conninfo
from psycopg.rows import TupleRow

from api.planning import Plans
from fleet.db.sql import load

_SQL = load("api", "scope")
_ROLE = "-c role=tellergrid_api"
# Until it is known who works in a transaction; from there on it says itself how it is planned.
_PLANS = f"-c plan_cache_mode={Plans.ONCE}"
# A process that dies in the middle of work is noticed within seconds, though its work waits for a
# lock or takes long, and its machine says nothing: what it held is free for another process.
_NOTICED = (
    "-c client_connection_check_interval=1s -c tcp_keepalives_idle=3"
    " -c tcp_keepalives_interval=1 -c tcp_keepalives_count=3"
)


@dataclass(frozen=True, slots=True)
class Scope:
    """The cells a caller sees, with all below them; `None` is every cell.

    `reach` adds the cells above, whose people answer for these too.
    """

    cells: tuple[str, ...] | None
    reach: tuple[str, ...] = ()

    @property
    def parameter(self) -> list[str] | None:
        """The value of `%(scope)s`."""
        return None if self.cells is None else list(self.cells)


EVERYTHING = Scope(None)


class Locks(Enum):
    """Which of the two locks is on; in service both are, tests try each alone."""

    BOTH = auto()
    STATEMENTS = auto()
    DATABASE = auto()

    def for_statements(self, scope: Scope) -> Scope:
        """What the statements are told."""
        return EVERYTHING if self is Locks.DATABASE else scope

    def for_database(self, scope: Scope) -> Scope:
        """What the database is told."""
        return EVERYTHING if self is Locks.STATEMENTS else scope


@dataclass(frozen=True, slots=True)
class Presence:
    """Who is at work in a transaction, from where, and what the database shows them."""

    scope: Scope
    actor: str
    account_id: int | None = None
    origin: str | None = None


ENGINE = Presence(EVERYTHING, "engine")


def as_api(url: str) -> str:
    """The same database, entered in the role that sees nothing yet, whoever logs in."""
    given = conninfo_to_dict(url).get("options")
    ours = f"{_ROLE} {_PLANS} {_NOTICED}"
    return make_conninfo(url, options=f"{given} {ours}" if given else ours)


async def introduce(connection: AsyncConnection[TupleRow], actor: str, origin: str) -> None:
    """Until this transaction ends, what it writes is kept as somebody's; it sees no more."""
    await connection.execute(_SQL["introduce"], {"actor": actor, "origin": origin})


async def enter(connection: AsyncConnection[TupleRow], presence: Presence) -> None:
    """Until this transaction ends, the database shows and takes only what the scope allows."""
    scope = presence.scope
    whole = scope.cells is None
    parameters = {
        "role": "tellergrid_whole" if whole else "tellergrid_scoped",
        "plans": Plans.EACH_TIME,
        "cells": list(scope.cells or ()),
        "reach": [*(scope.cells or ()), *scope.reach],
        "account": "" if presence.account_id is None else str(presence.account_id),
        "actor": presence.actor,
        "origin": presence.origin or "",
    }
    await connection.execute(_SQL["enter"], parameters)
