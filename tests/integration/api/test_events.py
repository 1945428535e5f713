"""The event stream: in order, none left out, resumable, of one's own cells."""

import asyncio
import json
import socket
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any

import httpx
import pytest
import uvicorn
from fastapi import FastAPI
from psycopg import AsyncConnection
from psycopg.rows import TupleRow

from api.accounts.tokens import issue, read
from api.app import create_app
from api.events.feed import Change, changes
from api.events.places import MOST
from api.events.position import Position
from api.scope import Scope
from api.settings import Settings
from fleet.db.pool import connect
from tests.integration.api.conftest import client_of, token
from tests.integration.api.test_scheduled import listening, tickets_are, until
from tests.integration.api.world import SomeFault, clear, elsewhere, fire
from tests.machine import PATIENCE_S

Database = AsyncConnection[TupleRow]


@dataclass(frozen=True, slots=True)
class Served:
    """An event as it came over the wire."""

    id: str
    event: str
    data: dict[str, Any]

    @property
    def told(self) -> str:
        """What it tells, in short."""
        return f"{self.event} {self.data.get('change')} {self.data.get('terminal')}"


class Listening:
    """An open stream, read event by event; a wait that is too long is an error."""

    def __init__(self, answer: httpx.Response) -> None:
        self._lines = answer.aiter_lines()

    async def next(self) -> Served:
        fields: dict[str, str] = {}
        async with asyncio.timeout(PATIENCE_S):
            async for line in self._lines:
                if line.startswith(":"):
                    continue
                if not line and "data" in fields:
                    data = json.loads(fields["data"])
                    return Served(fields["id"], fields["event"], data)
                name, _, value = line.partition(": ")
                fields[name] = value
        raise EOFError("the stream ended")

    async def take(self, count: int) -> list[Served]:
        return [await self.next() for _ in range(count)]

    async def ended(self) -> bool:
        """Whether nothing more comes: comments apart."""
        async with asyncio.timeout(PATIENCE_S):
            try:
                await self.next()
            except EOFError:
                return True
        return False


@asynccontextmanager
async def serving(app: FastAPI, stopping: asyncio.Event | None = None) -> AsyncIterator[str]:
    """The api behind a real socket; gives its address."""
    listener = socket.create_server(("127.0.0.1", 0))
    server = uvicorn.Server(
        uvicorn.Config(app, log_config=None, timeout_graceful_shutdown=60, lifespan="on")
    )
    serving = asyncio.create_task(server.serve([listener]))
    host, port = listener.getsockname()
    yield f"http://{host}:{port}"
    if stopping is not None:
        stopping.set()
    server.should_exit = True
    await serving
    listener.close()


@pytest.fixture
async def url(settings: Settings, connection: Database) -> AsyncIterator[str]:
    """The api behind a real socket: streams do not end by themselves, as a test client's would."""
    stopping = asyncio.Event()
    async with serving(create_app(settings, stopping), stopping) as address:
        await listening(connection)
        yield address


@asynccontextmanager
async def streaming(
    url: str, username: str = "ops", after: str | None = None
) -> AsyncIterator[Listening]:
    """An open stream of somebody, after an event."""
    async with httpx.AsyncClient(base_url=url, timeout=PATIENCE_S) as client:
        headers = {"Authorization": f"Bearer {await token(client, username)}"}
        if after is not None:
            headers["Last-Event-ID"] = after
        async with client.stream("GET", "/api/v1/events", headers=headers) as answer:
            assert answer.status_code == 200, await answer.aread()
            assert answer.headers["Content-Type"].startswith("text/event-stream")
            yield Listening(answer)


async def test_what_happens_is_told_as_it_happens(url: str, connection: Database) -> None:
    """A fault, its ticket, the technician; then the recovery: each once, in order."""
    async with streaming(url) as stream:
        assert (await stream.next()).event == "open"
        fault = await fire(connection)
        told = await stream.take(3)
        assert [one.told for one in told] == [
            "fault fired ATM-1",
            "ticket raise ATM-1",
            "ticket assign ATM-1",
        ]
        assert told[0].data["id"] == str(fault)
        assert told[2].data["technician"] == "T01"
        assert (told[2].data["from_state"], told[2].data["to_state"]) == ("NEW", "ASSIGNED")
        await clear(connection, fault)
        assert [one.told for one in await stream.take(2)] == [
            "fault cleared ATM-1",
            "ticket recover ATM-1",
        ]


async def test_a_client_goes_on_where_it_was(url: str, connection: Database) -> None:
    """Cut off after any event, even the first: the rest comes, nothing twice, nothing missing."""
    async with streaming(url) as stream:
        opened = await stream.next()
    await fire(connection)
    await until(lambda: tickets_are(connection, "ASSIGNED"))
    async with streaming(url, after=opened.id) as stream:
        everything = [one for one in await stream.take(4) if one.event != "open"]
    assert len(everything) == 3
    for number, event in enumerate(everything[:-1]):
        async with streaming(url, after=event.id) as stream:
            opened, *rest = await stream.take(3 - number)
        assert opened.id == event.id
        assert rest == everything[number + 1 :]


async def test_a_late_commit_is_not_left_out(
    url: str, connection: Database, database_url: str
) -> None:
    """The row with the lower id is committed after the one with the higher.

    Who remembered only the highest id seen would never be told of it. Here nothing is told while
    the older transaction is open, and then both are, in order.
    """
    async with streaming(url) as stream, await connect(database_url, name="late") as late:
        await stream.next()
        await late.execute("SELECT 1")  # its transaction begins, and ends below
        await fire(late, SomeFault(item="late"))
        await fire(connection, SomeFault(terminal="ATM-2"))
        await until(lambda: tickets_are(connection, "ASSIGNED"))
        first = asyncio.create_task(stream.next())
        done, _ = await asyncio.wait({first}, timeout=1.5)
        assert not done
        await late.commit()
        told = [await first, *await stream.take(5)]
    assert [one.told for one in told] == [
        "fault fired ATM-1",
        "fault fired ATM-2",
        "ticket raise ATM-2",
        "ticket assign ATM-2",
        "ticket raise ATM-1",
        "ticket assign ATM-1",
    ]


async def test_a_technician_is_told_of_their_own_cells(url: str, connection: Database) -> None:
    """What happens elsewhere is not told, and holds nothing up."""
    async with streaming(url, "tech01") as stream:
        await stream.next()
        await fire(connection, elsewhere(SomeFault()))
        await until(lambda: tickets_are(connection, "ASSIGNED"))
        await fire(connection)
        assert [one.told for one in await stream.take(3)] == [
            "fault fired ATM-1",
            "ticket raise ATM-1",
            "ticket assign ATM-1",
        ]


async def test_what_happens_elsewhere_is_read_once(
    url: str, connection: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The last event of a quiet cell is of long ago: not all that came since is read each time."""
    after: list[int] = []

    async def read_from(connection: Database, scope: Scope, place: Position) -> Sequence[Change]:
        after.append(int(place.tx))
        return await changes(connection, scope, place)

    monkeypatch.setattr("api.events.stream.changes", read_from)
    async with streaming(url, "tech01") as stream:
        begun = int((await stream.next()).id.partition("-")[0])
        await fire(connection, elsewhere(SomeFault()))
        await until(lambda: tickets_are(connection, "ASSIGNED"))
        cursor = await connection.execute("SELECT max(tx)::text FROM fault_change")
        [(tx,)] = await cursor.fetchall()
        await until(lambda: passed(after, int(tx)))
        assert after[0] == begun
        await fire(connection)
        assert (await stream.next()).told == "fault fired ATM-1"


async def passed(after: Sequence[int], tx: int) -> bool:
    """Whether what is read begins behind a transaction."""
    return after[-1] > tx


async def test_several_clients_are_told_the_same(url: str, connection: Database) -> None:
    """Each has its own place in the feed."""
    async with streaming(url) as one, streaming(url, "tester") as other:
        await one.next()
        await other.next()
        for item in range(5):
            await fire(connection, SomeFault(item=str(item)))
        assert await one.take(15) == await other.take(15)


async def test_of_too_many_streams_of_an_account_the_oldest_ends(
    url: str, connection: Database
) -> None:
    """Each of them asks the database at each change. Others' streams, and the newer ones, go on."""
    async with AsyncExitStack() as stack:
        opened = []
        for username in ("ops", *["tech01"] * (MOST + 1)):
            opened.append(await stack.enter_async_context(streaming(url, username)))
            await opened[-1].next()
            await until(partial(_streams_are, url, min(len(opened), MOST + 1)))
        other, oldest, next_oldest, *_, newest = opened
        assert await oldest.ended()
        await fire(connection)
        for one in (other, next_oldest, newest):
            assert (await one.next()).told == "fault fired ATM-1"


async def _streams_are(url: str, count: int) -> bool:
    async with httpx.AsyncClient(base_url=url) as client:
        return f"streams {float(count)}" in (await client.get("/metrics")).text


async def test_the_stream_ends_with_the_token(settings: Settings, connection: Database) -> None:
    """A token of seconds: the stream says open, and ends when the token does. Where the machine
    takes longer than that to open it, the token is of more."""
    stopping = asyncio.Event()
    app = create_app(settings.model_copy(update={"poll_seconds": 0.2}), stopping)
    async with serving(app, stopping) as address:
        await listening(connection)
        async with httpx.AsyncClient(base_url=address, timeout=PATIENCE_S) as client:
            for seconds in (2, 8, 32):
                expiring = await token_for(app, settings, seconds)
                if ended := await opens_and_ends(client, expiring):
                    break
            assert ended


async def test_a_stream_tells_what_its_caller_may_see_by_now(
    url: str, connection: Database
) -> None:
    """A technician is sent to other cells, then out: neither waits for the end of the token."""
    async with streaming(url, "tech01") as stream:
        await stream.next()
        await connection.execute(
            "UPDATE technician_cell SET cell_code = 'C003' FROM technician"
            " WHERE technician.id = technician_id AND technician.code = 'T01'"
        )
        await fire(connection)
        await fire(connection, elsewhere(SomeFault()))
        told = [one.told for one in await stream.take(3)]
        assert told == ["fault fired ATM-4", "ticket raise ATM-4", "ticket assign ATM-4"]
        await connection.execute(
            "UPDATE session SET ended_at = now(), ended_because = 'revoked' FROM account"
            " WHERE account.id = account_id AND username = 'tech01'"
        )
        await fire(connection, elsewhere(SomeFault(item="later")))
        assert await stream.ended()


async def opens_and_ends(client: httpx.AsyncClient, token: str) -> bool:
    """Whether a stream opens with a token, and ends by itself."""
    headers = {"Authorization": f"Bearer {token}"}
    async with client.stream("GET", "/api/v1/events", headers=headers) as answer:
        if answer.status_code == 401:
            return False
        stream = Listening(answer)
        assert (await stream.next()).event == "open"
        return await stream.ended()


async def token_for(app: FastAPI, settings: Settings, seconds: float) -> str:
    """A token of operations that is good for so long."""
    secret = settings.token_secret.get_secret_value()
    async with client_of(app) as client:
        session = read(secret, await token(client, "ops")).session
    assert session is not None
    lifetime = timedelta(seconds=seconds)
    return issue(secret, "ops", "operations", session, datetime.now(UTC), lifetime)


async def test_a_stopping_api_ends_its_streams(settings: Settings, connection: Database) -> None:
    """Told to stop it ends the streams, and so can end itself."""
    stopping = asyncio.Event()
    async with serving(create_app(settings, stopping), stopping) as address:
        await listening(connection)
        async with streaming(address) as stream:
            await stream.next()
            stopping.set()
            assert await stream.ended()


async def test_an_id_that_is_not_ours_is_refused(url: str) -> None:
    """A place that was never given out: 422, naming the header."""
    async with httpx.AsyncClient(base_url=url, timeout=PATIENCE_S) as client:
        client.headers["Authorization"] = f"Bearer {await token(client, 'ops')}"
        for after in ("garbage", "1-2-3", "99999999999999999999999-0-1", "1-0-"):
            answer = await client.get("/api/v1/events", headers={"Last-Event-ID": after})
            assert answer.status_code == 422, after
            assert answer.json()["errors"][0]["field"] == "header.Last-Event-ID"
