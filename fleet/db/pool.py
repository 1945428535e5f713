"""Connections: one place for how they are opened."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from psycopg import AsyncConnection
from psycopg.rows import TupleRow
from psycopg_pool import AsyncConnectionPool

Pool = AsyncConnectionPool[AsyncConnection[TupleRow]]

_UNANSWERED_S = 10
# A server that went away without a word, or lets us wait at the door, is noticed within seconds:
# psycopg would wait for two minutes, and TCP for a quarter of an hour.
_NOTICED: dict[str, Any] = {
    "keepalives_idle": 2,
    "keepalives_interval": 1,
    "keepalives_count": 3,
    "connect_timeout": _UNANSWERED_S,
    "tcp_user_timeout": _UNANSWERED_S * 1000,
}


@asynccontextmanager
async def open_pool(url: str, *, name: str, most: int = 8) -> AsyncIterator[Pool]:
    """A pool of up to `most` connections, open inside the block; `name` shows in pg_stat_activity.

    Opens at once without waiting for the database: what asks for a connection waits.
    """
    pool: Pool = AsyncConnectionPool(
        url,
        min_size=1,
        max_size=most,
        open=False,
        name=name,
        kwargs={"application_name": f"tellergrid-{name}", **_NOTICED},
    )
    await pool.open()
    try:
        yield pool
    finally:
        await pool.close()


async def connect(url: str, *, name: str, autocommit: bool = False) -> AsyncConnection[TupleRow]:
    """One connection of its own, for what holds a lock or listens."""
    return await AsyncConnection.connect(
        url, autocommit=autocommit, application_name=f"tellergrid-{name}", **_NOTICED
    )
