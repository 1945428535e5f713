"""How the database plans the api's statements."""

from collections.abc import Callable
from enum import StrEnum
from typing import Any, TypeVar

from psycopg import AsyncConnection
from psycopg.rows import TupleRow
from starlette.types import Scope

from fleet.db.sql import load

_SQL = load("api", "planning")
_ONCE = "planned_once"
_Endpoint = TypeVar("_Endpoint", bound=Callable[..., Any])


class Plans(StrEnum):
    """What `plan_cache_mode` is in a transaction.

    Filters that are off and the scope of who sees everything are nulls that fold away only when
    they are known. A plan for all values at once, which PostgreSQL makes after a few runs, reads
    whole tables: 30 ms instead of 2 for one terminal of 100,000. Planning takes up to one.
    """

    EACH_TIME = "force_custom_plan"
    ONCE = "force_generic_plan"


async def plan_each_time(connection: AsyncConnection[TupleRow]) -> None:
    """What a route that is planned once does before a statement with filters."""
    await connection.execute(_SQL["plan"], {"plans": Plans.EACH_TIME})


def planned_once(endpoint: _Endpoint) -> _Endpoint:
    """Mark a route whose statements have no filters that may be off: their plans are kept."""
    setattr(endpoint, _ONCE, True)
    return endpoint


def plans_of(scope: Scope) -> Plans:
    """How the statements of a request's route are planned."""
    return Plans.ONCE if getattr(scope.get("endpoint"), _ONCE, False) else Plans.EACH_TIME
