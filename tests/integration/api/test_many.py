"""Two api processes on one database: it is all the same which of them is asked."""

import asyncio
import re
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest
from psycopg import AsyncConnection
from psycopg.rows import TupleRow

from api.scheduled import lock_key
from fleet.db.pool import connect
from tellergrid.stack.ports import free_port
from tests.integration.api.conftest import token
from tests.integration.api.test_events import streaming
from tests.integration.api.test_process import SECRET, ready, started
from tests.integration.api.test_scheduled import states, until
from tests.integration.api.world import SomeFault, fire, password
from tests.machine import PATIENCE_S, Pulse
from tests.processes import OPENLY

Database = AsyncConnection[TupleRow]
FAULTS = 20
_RAISED = "SELECT count(*) FROM ticket_transition WHERE event = 'raise'"


@dataclass(frozen=True, slots=True)
class Running:
    """An api process and where it answers."""

    url: str
    process: asyncio.subprocess.Process

    async def ask(self, method: str, path: str, bearer: str, **said: Any) -> httpx.Response:
        headers = {"Authorization": f"Bearer {bearer}"} | said.pop("headers", {})
        async with httpx.AsyncClient(
            base_url=self.url, timeout=PATIENCE_S, verify=OPENLY
        ) as client:
            return await client.request(method, f"/api/v1{path}", headers=headers, **said)


@pytest.fixture
async def pair(connection: Database, database_url: str) -> AsyncIterator[tuple[Running, Running]]:
    """Two of them, each looking by itself every half second."""
    assert connection.closed is False
    async with AsyncExitStack() as stack:
        both = []
        for _ in range(2):
            port = free_port()
            settings = {"DATABASE_URL": database_url, "TOKEN_SECRET": SECRET}
            settings |= {"API_PORT": str(port), "POLL_SECONDS": "0.5"}
            process = await stack.enter_async_context(started(**settings))
            both.append(Running(f"http://127.0.0.1:{port}", process))
        for one in both:
            await ready(one.url)
        yield both[0], both[1]


async def signed_in(running: Running, username: str) -> dict[str, Any]:
    form = {"username": username, "password": password(username)}
    async with httpx.AsyncClient(base_url=running.url, timeout=PATIENCE_S) as client:
        found: dict[str, Any] = (await client.post("/api/v1/token", data=form)).json()
        return found


async def test_no_request_needs_the_process_of_the_one_before(
    pair: tuple[Running, Running], connection: Database
) -> None:
    """Sign in at one, work at the other, repeat at the first, sign out at the other: all holds.

    Twenty faults become twenty tickets, though both processes look; what happens at one is told on
    the stream of the other.
    """
    one, other = pair
    for number in range(FAULTS):
        await fire(connection, SomeFault(item=str(number)))

    async def raised() -> bool:
        return await states(connection) == ["ASSIGNED"] * FAULTS

    await until(raised)
    assert await (await connection.execute(_RAISED)).fetchone() == (FAULTS,)
    tokens = await signed_in(one, "tech01")
    bearer = tokens["access_token"]
    mine = (await other.ask("GET", "/me/tickets", bearer)).json()["items"][0]["id"]
    moves = f"/tickets/{mine}/transitions"
    said: dict[str, Any] = {"json": {"event": "accept"}, "headers": {"Idempotency-Key": "k"}}
    async with streaming(one.url) as stream:
        await stream.next()
        first = await other.ask("POST", moves, bearer, **said)
        again = await one.ask("POST", moves, bearer, **said)
        assert (first.status_code, again.content) == (200, first.content)
        assert again.headers["Idempotency-Replayed"] == "true"
        told = await stream.next()
        assert (told.data["id"], told.data["change"]) == (mine, "accept")
    form = {"grant_type": "refresh_token", "refresh_token": tokens["refresh_token"]}
    async with httpx.AsyncClient(base_url=other.url, timeout=PATIENCE_S) as client:
        bearer = (await client.post("/api/v1/token", data=form)).json()["access_token"]
    assert (await other.ask("POST", "/sign-out", bearer)).status_code == 200
    assert (await one.ask("GET", "/me", bearer)).status_code == 401


async def test_the_leaders_death_is_noticed_in_seconds(
    pair: tuple[Running, Running], connection: Database, database_url: str
) -> None:
    """The one at work is killed while it waits for a lock that nobody gives up.

    What it held is free within seconds, though that lock is not; then the other does the work.
    """
    async with await connect(database_url, name="obstacle") as obstacle:
        await obstacle.execute("LOCK TABLE ticket IN ACCESS EXCLUSIVE MODE")
        await fire(connection, SomeFault())
        port = 0

        async def at_work() -> bool:
            nonlocal port
            port = await working(connection) or 0
            return bool(port)

        await until(at_work)
        [leader] = [one for one in pair if port in ports_of(one.process.pid)]
        leader.process.kill()
        await leader.process.wait()

        async def noticed() -> bool:
            return await working(connection) != port

        with Pulse() as pulse:
            noticed_s = await until(noticed)
        assert noticed_s < pulse.allows(5)
        await obstacle.rollback()

    async def done() -> bool:
        return await states(connection) == ["ASSIGNED"]

    with Pulse() as pulse:
        done_s = await until(done)
    assert done_s < pulse.allows(5)
    [survivor] = [one for one in pair if one is not leader]
    async with httpx.AsyncClient(base_url=survivor.url, timeout=PATIENCE_S) as client:
        assert await token(client, "ops")


async def working(connection: Database) -> int | None:
    """The client's port of whoever holds the lock of following faults."""
    cursor = await connection.execute(
        "SELECT client_port FROM pg_locks JOIN pg_stat_activity USING (pid)"
        " WHERE locktype = 'advisory' AND granted AND objid = %s::bigint::oid"
        " AND pg_stat_activity.datname = current_database()",
        (lock_key("follow_faults"),),
    )
    row = await cursor.fetchone()
    return None if row is None else row[0]


def ports_of(pid: int) -> set[int]:
    """The local TCP ports of a process."""
    links = (link.readlink() for link in Path(f"/proc/{pid}/fd").iterdir())
    inodes = {found[1] for link in links if (found := re.match(r"socket:\[(\d+)\]", str(link)))}
    rows = [line.split() for line in Path("/proc/net/tcp").read_text().splitlines()[1:]]
    return {int(row[1].split(":")[1], 16) for row in rows if row[9] in inodes}
