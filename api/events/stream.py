"""Follows the feed for one client, for as long as it listens and may."""

import asyncio
from collections.abc import AsyncIterator, Iterable
from datetime import UTC, datetime

import psycopg
import psycopg_pool
import structlog

from api.accounts.caller import Caller, still
from api.errors import Unauthenticated
from api.events.feed import Change, changes, horizon
from api.events.position import Position
from api.services import PATIENCE_S, Services

_SOON_S = 0.05
_log = structlog.get_logger("api.events")


async def start(running: Services, after: Position | None) -> Position:
    """Where a stream begins: after the place its client knows, else now.

    A place that this database has not come to is of another server: it was restored since.
    """
    async with running.pool.connection() as connection:
        now = await horizon(connection)
    return now if after is None or int(after.tx) > int(now.tx) else after


async def follow(running: Services, caller: Caller, position: Position) -> AsyncIterator[Change]:
    """Every change after a place, as they come.

    Ends when the api stops, when the caller's token, session or account does, when the account has
    too many, or when the database is lost: the client comes back and goes on where it was. Who sees
    other cells by now is told of those. Each look is a short transaction of its own, so that no
    connection is held for an idle client; what it found nothing in it does not read again, for in a
    quiet cell that is all that happens elsewhere.
    """
    patience_s = _SOON_S
    with (
        running.listener.wakeups() as woken,
        running.metrics.open_stream(),
        running.places.taken(caller.account.account_id) as gone,
    ):
        ends = (running.stopping, gone)
        while not any(end.is_set() for end in ends) and datetime.now(UTC) < caller.until:
            woken.clear()
            try:
                async with running.pool.connection(timeout=PATIENCE_S) as connection:
                    now = await still(connection, caller, running)
                    here = await horizon(connection)
                    found = await changes(connection, now.scope, position)
            except Unauthenticated:
                return
            except (psycopg.OperationalError, psycopg_pool.PoolTimeout) as error:
                _log.warning("stream ended", error=type(error).__name__)
                return
            for change in found:
                yield change
                position = change.position
            if not found:
                position = max(position, here, key=_transaction)
                await _pause((woken, *ends), patience_s)
            longer_s = min(2 * patience_s, running.settings.poll_seconds)
            patience_s = _SOON_S if found or woken.is_set() else longer_s


def _transaction(position: Position) -> int:
    return int(position.tx)


async def _pause(until: Iterable[asyncio.Event], seconds: float) -> None:
    """Wait for a notification, the next look by the clock, or the end.

    Notified at its commit, a change is told only once every transaction that began before it is
    over, which is soon; so there are looks by the clock, soon at first, then ever more slowly.
    """
    waits = {asyncio.ensure_future(event.wait()) for event in until}
    try:
        await asyncio.wait(
            waits,
            timeout=seconds,
            return_when=asyncio.FIRST_COMPLETED,
        )
    finally:
        for wait in waits:
            wait.cancel()
