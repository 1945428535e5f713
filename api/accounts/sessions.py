"""Sessions: begun by signing in, kept going by refresh tokens that are good once, ended by hand.

A refresh token that comes a second time was stolen, or its answer was: the session ends, and
whoever has the password signs in anew.
"""

import hashlib
import secrets
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from uuid import UUID

from psycopg import AsyncConnection
from psycopg.rows import TupleRow, class_row

from api.accounts.attempts import one_at_a_time
from api.accounts.store import SignInRow
from fleet.db.sql import load

_SQL = load("api.accounts", "sessions")


class Ended(StrEnum):
    """Why a session ended."""

    SIGNED_OUT = "signed_out"
    REVOKED = "revoked"
    REUSED = "reused"


@dataclass(frozen=True, slots=True)
class Refreshed:
    """A session that goes on, and whose it is."""

    session_id: UUID
    username: str
    role: str


@dataclass(frozen=True, slots=True)
class _Presented:
    session_id: UUID
    username: str
    role: str
    used: bool
    good: bool


async def begin(
    connection: AsyncConnection[TupleRow],
    account: SignInRow,
    origin: str,
    lasting: timedelta,
) -> UUID | None:
    """A new session of an account; nothing where its password is another by now, or it is disabled.

    Who changes an account ends its sessions: one that begins meanwhile waits for that, or is ended.
    """
    await one_at_a_time(connection, account.username)
    parameters = {
        "username": account.username,
        "password_hash": account.password_hash,
        "origin": origin,
        "lasting": lasting,
    }
    row = await (await connection.execute(_SQL["begin"], parameters)).fetchone()
    return None if row is None else row[0]


async def refresh_token(connection: AsyncConnection[TupleRow], session: UUID) -> str:
    """A token that continues the session once; only its hash is stored."""
    token = secrets.token_urlsafe(32)
    parameters = {"hash": _hash(token), "session": session}
    await connection.execute(_SQL["issue_refresh"], parameters)
    return token


async def refresh(connection: AsyncConnection[TupleRow], token: str) -> Refreshed | None:
    """Use a refresh token; nothing where it is not good, and then its session may have ended."""
    async with connection.cursor(row_factory=class_row(_Presented)) as cursor:
        await cursor.execute(_SQL["presented"], {"hash": _hash(token)})
        found = await cursor.fetchone()
    if found is None or not found.good:
        return None
    if found.used:
        await end(connection, found.session_id, Ended.REUSED)
        return None
    await connection.execute(_SQL["use_refresh"], {"hash": _hash(token)})
    return Refreshed(found.session_id, found.username, found.role)


async def end(connection: AsyncConnection[TupleRow], session: UUID, because: Ended) -> None:
    """End a session: its tokens are good no more, from now on."""
    await connection.execute(_SQL["end"], {"session": session, "because": because})


async def end_all(connection: AsyncConnection[TupleRow], username: str) -> int:
    """End every session of an account; returns how many."""
    parameters = {"username": username, "because": Ended.REVOKED}
    return (await connection.execute(_SQL["end_all"], parameters)).rowcount


async def forget(connection: AsyncConnection[TupleRow]) -> None:
    """Delete the sessions that are over, with their refresh tokens."""
    await connection.execute(_SQL["forget"])


def _hash(token: str) -> bytes:
    return hashlib.sha256(token.encode()).digest()
