"""The api as a process: how it starts, stops, and lives through the loss of its database."""

import asyncio
import contextlib
import os
import signal
import sys
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path

import httpx
import pytest
from fastapi import FastAPI
from psycopg import AsyncConnection
from psycopg.rows import TupleRow
from pydantic import SecretStr

from api.app import create_app
from api.seed import demo_accounts, seed
from api.settings import Settings
from fleet.db.pool import connect
from tellergrid.stack.ports import free_port
from tests.engines import DatabaseServer
from tests.integration.api.conftest import client_of, token
from tests.integration.api.test_events import streaming
from tests.integration.api.test_scheduled import listening, tickets_are, until
from tests.integration.api.world import GRID, SomeFault, fire, password
from tests.machine import PATIENCE_S
from tests.processes import OPENLY

Database = AsyncConnection[TupleRow]
SECRET = "a secret of the tests, 32 bytes or more"
ENDLESS = 16 * 2**20
_CONNECTED, _KEPT_ALIVE = "01", "02"  # a connection and its timer, as the kernel writes them


@asynccontextmanager
async def started(
    module: str = "api", **environment: str
) -> AsyncIterator[asyncio.subprocess.Process]:
    """`python -m api` with nothing in its environment but this; killed if it is still there."""
    inherited = {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ}
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        module,
        env=inherited | {f"TELLERGRID_{name}": value for name, value in environment.items()},
        stderr=asyncio.subprocess.PIPE,
    )
    try:
        yield process
    finally:
        if process.returncode is None:
            process.kill()
        await process.communicate()


def timers_of(port: int) -> list[str]:
    """What the kernel waits for on each connection to a port of this machine."""
    rows = [line.split() for line in Path("/proc/net/tcp").read_text().splitlines()[1:]]
    return [row[5][:2] for row in rows if row[1].endswith(f":{port:04X}") and row[3] == _CONNECTED]


async def ready(url: str) -> None:
    async def answers() -> bool:
        async with httpx.AsyncClient(base_url=url, verify=OPENLY) as client:
            try:
                return (await client.get("/readyz")).status_code == 200
            except httpx.TransportError:
                return False

    await until(answers, every_s=0.1)


@pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGINT])
async def test_asked_to_stop_it_ends_streams_and_itself(
    connection: Database, database_url: str, how: signal.Signals
) -> None:
    """With a client on the event stream: the stream ends, the process too, and in order."""
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    settings = {"DATABASE_URL": database_url, "TOKEN_SECRET": SECRET, "API_PORT": str(port)}
    async with started(**settings) as process:
        await ready(url)
        await listening(connection)
        async with streaming(url) as stream:
            await stream.next()
            process.send_signal(how)
            assert await stream.ended()
        async with asyncio.timeout(PATIENCE_S):
            assert await process.wait() == 0


async def test_from_where_is_not_said_by_who_calls(connection: Database, database_url: str) -> None:
    """From this machine too: no proxy was named that could know it."""
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    settings = {"DATABASE_URL": database_url, "TOKEN_SECRET": SECRET, "API_PORT": str(port)}
    async with started(**settings), httpx.AsyncClient(base_url=url, verify=OPENLY) as client:
        await ready(url)
        client.headers["X-Forwarded-For"] = "198.51.100.17"
        await token(client, "ops")
    cursor = await connection.execute("SELECT origin FROM session")
    assert await cursor.fetchall() == [("127.0.0.1",)]


async def test_a_load_balancer_may_ask_by_head(connection: Database, database_url: str) -> None:
    """As by GET, without the body: on the same connection the next answer is in its place."""
    assert not connection.closed
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    settings = {"DATABASE_URL": database_url, "TOKEN_SECRET": SECRET, "API_PORT": str(port)}
    async with started(**settings), httpx.AsyncClient(base_url=url, verify=OPENLY) as client:
        await ready(url)
        for path in ("/healthz", "/readyz"):
            asked = [await client.request(method, path) for method in ("HEAD", "GET", "HEAD")]
            assert [one.status_code for one in asked] == [200] * 3
            assert [one.content for one in asked] == [b"", asked[1].content, b""]
            assert len({one.headers["Content-Length"] for one in asked}) == 1
        measured = await client.head("/metrics")
        assert (measured.status_code, measured.content) == (200, b"")


@pytest.mark.parametrize(
    "begins",
    [
        b"GET /healthz HTTP/1.1\r\nHost: x\r\nX: ",
        b"GET /healthz?",
        b"POST /api/v1/token HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n0\r\nX: ",
    ],
    ids=["header", "address", "trailer"],
)
async def test_a_head_without_an_end_is_cut(
    connection: Database, database_url: str, begins: bytes
) -> None:
    """Whoever goes on with one line for ever is refused soon; whoever sends a large body is not."""
    assert not connection.closed
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    settings = {"DATABASE_URL": database_url, "TOKEN_SECRET": SECRET, "API_PORT": str(port)}
    async with started(**settings), httpx.AsyncClient(base_url=url, verify=OPENLY) as client:
        await ready(url)
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(begins)
        sent = 0
        async with asyncio.timeout(PATIENCE_S):
            with contextlib.suppress(ConnectionError):
                while not writer.transport.is_closing() and sent < ENDLESS:
                    writer.write(b"a" * 65536)
                    sent += 65536
                    await writer.drain()
                    await asyncio.sleep(0)
            with contextlib.suppress(ConnectionError):
                await reader.read()
        writer.close()
        assert sent < ENDLESS
        large = await client.post("/api/v1/token", content=b"a" * 2**20)
        assert large.status_code == 413


@pytest.mark.parametrize(
    "asked",
    [
        "/api/v1/tickets/1/attachments?name=rollers.jpg HTTP/1.1\r\nContent-Type: image/jpeg",
        "/api/v1/sign-out HTTP/1.1\r\nIdempotency-Key: one",
    ],
    ids=["photo", "key"],
)
async def test_bodies_that_stop_on_the_way_hold_up_nobody(
    connection: Database, database_url: str, asked: str
) -> None:
    """Phones lose their signal in the middle of a photo and say no more: others are served, and no
    connection to the database waits for the rest. That they went is no error of ours."""
    await fire(connection, SomeFault())
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    settings = {"DATABASE_URL": database_url, "TOKEN_SECRET": SECRET, "API_PORT": str(port)}
    async with (
        started(**settings) as process,
        httpx.AsyncClient(base_url=url, verify=OPENLY) as client,
    ):
        await ready(url)
        client.headers["Authorization"] = f"Bearer {await token(client, 'tech01')}"
        async with AsyncExitStack() as phones:
            for _ in range(10):
                _, phone = await asyncio.open_connection("127.0.0.1", port)
                phones.callback(phone.close)
                phone.write(
                    f"POST {asked}\r\nHost: x\r\nContent-Length: 60000\r\n"
                    f"Authorization: {client.headers['Authorization']}\r\n\r\n".encode()
                    + b"\xff\xd8\xff"
                )
                await phone.drain()
            for _ in range(3):
                answer = await client.get("/api/v1/me", timeout=PATIENCE_S)
                assert answer.status_code == 200, answer.text
        process.send_signal(signal.SIGTERM)
        _, logged = await process.communicate()
        assert b"Traceback" not in logged


async def test_what_one_account_waits_for_holds_up_nobody_else(
    connection: Database, database_url: str
) -> None:
    """A phone taps ten times while its ticket is held: each tap waited on a connection, and whoever
    else asked was told that the database does not answer. In the end each tap has its answer."""
    await fire(connection, SomeFault())
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    settings = {"DATABASE_URL": database_url, "TOKEN_SECRET": SECRET, "API_PORT": str(port)}
    async with (
        started(**settings),
        httpx.AsyncClient(base_url=url, verify=OPENLY, timeout=PATIENCE_S) as phone,
        httpx.AsyncClient(base_url=url, verify=OPENLY, timeout=PATIENCE_S) as ops,
    ):
        await ready(url)
        await until(lambda: tickets_are(connection, "ASSIGNED"))
        for client, name in ((phone, "tech01"), (ops, "ops")):
            client.headers["Authorization"] = f"Bearer {await token(client, name)}"
        body = {"event": "accept"}
        async with connection.transaction():
            await connection.execute("SELECT FROM ticket FOR UPDATE")
            taps = [
                asyncio.create_task(phone.post("/api/v1/tickets/1/transitions", json=body))
                for _ in range(10)
            ]
            await until(lambda: several_wait(connection))
            for _ in range(3):
                answer = await ops.get("/api/v1/me")
                assert answer.status_code == 200, answer.text
            await asyncio.wait(taps, return_when=asyncio.FIRST_COMPLETED)
        answers = [await tap for tap in taps]
        refused = [one for one in answers if one.status_code == 429]
        assert len(refused) == 6
        assert {one.headers["Retry-After"] for one in refused} == {"2"}
        assert sorted(one.status_code for one in answers)[0] == 200


async def several_wait(connection: Database) -> bool:
    """Whether requests wait for a lock, as many as may."""
    cursor = await connection.execute("SELECT count(*) FROM pg_locks WHERE NOT granted")
    [(waiting,)] = await cursor.fetchall()
    return int(waiting) >= 4


async def test_phones_that_are_gone_without_a_word_are_let_go(
    connection: Database, database_url: str
) -> None:
    """What they sent of a photo would be kept for ever: the kernel asks whether they are there."""
    assert not connection.closed
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    settings = {"DATABASE_URL": database_url, "TOKEN_SECRET": SECRET, "API_PORT": str(port)}
    async with started(**settings):
        await ready(url)
        _, phone = await asyncio.open_connection("127.0.0.1", port)
        phone.write(b"POST /api/v1/token HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\nhalf")

        async def is_asked_after() -> bool:
            return timers_of(port) == [_KEPT_ALIVE]

        await until(is_asked_after, every_s=0.1)
        phone.close()


@pytest.mark.parametrize(
    ("settings", "says"),
    [
        ({}, "TELLERGRID_DATABASE_URL"),
        ({"DATABASE_URL": "postgresql://nowhere"}, "TELLERGRID_TOKEN_SECRET"),
        (
            {"DATABASE_URL": "postgresql://nowhere", "TOKEN_SECRET": "too short"},
            "TELLERGRID_TOKEN_SECRET",
        ),
        (
            {
                "DATABASE_URL": "postgresql://nowhere",
                "TOKEN_SECRET": SECRET,
                "CATALOGUE": "/no/such/folder",
            },
            "is not a folder",
        ),
    ],
)
async def test_a_wrong_setting_is_named(settings: dict[str, str], says: str) -> None:
    """It does not start, and says which variable to set; the secret itself is not shown."""
    async with started(**settings) as process:
        _, errors = await process.communicate()
    assert process.returncode == 2
    assert says in errors.decode()
    assert "Traceback" not in errors.decode()
    assert "too short" not in errors.decode()


async def test_logs_are_json_lines_without_secrets(connection: Database, database_url: str) -> None:
    """One event a line; no token, no password, no secret among them."""
    assert not connection.closed
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    settings = {
        "DATABASE_URL": database_url,
        "TOKEN_SECRET": SECRET,
        "API_PORT": str(port),
        "LOG_LEVEL": "debug",
    }
    async with started(**settings) as process:
        await ready(url)
        async with httpx.AsyncClient(base_url=url, timeout=PATIENCE_S) as client:
            given = await token(client, "ops")
            headers = {"Authorization": f"Bearer {given}"}
            assert (await client.get("/api/v1/me", headers=headers)).status_code == 200
        process.terminate()
        _, errors = await process.communicate()
    lines = errors.decode().splitlines()
    assert lines
    assert all(line.startswith("{") and line.endswith("}") for line in lines), lines
    for secret in (given, password("ops"), SECRET, "in%20tests"):
        assert secret not in errors.decode()


@pytest.fixture
async def crashing(database_server: DatabaseServer) -> AsyncIterator[FastAPI]:
    """An api on a database of its own, which the test may kill."""
    async with await connect(database_server.url, name="test") as one:
        await seed(one, GRID, demo_accounts(GRID, password))
    app = create_app(
        Settings(database_url=database_server.url, token_secret=SecretStr(SECRET), poll_seconds=0.5)
    )
    async with app.router.lifespan_context(app):
        yield app


async def test_it_lives_through_the_loss_of_its_database(
    crashing: FastAPI, database_server: DatabaseServer
) -> None:
    """The database crashes: alive, not ready, 503 with a hint to come back; then all goes on."""
    async with client_of(crashing) as client:
        client.headers["Authorization"] = f"Bearer {await token(client, 'ops')}"

        async def is_ready() -> bool:
            return (await client.get("/readyz")).status_code == 200

        await until(is_ready)
        database_server.kill()
        assert (await client.get("/healthz")).status_code == 200
        unready = await client.get("/readyz")
        assert (unready.status_code, unready.json()["status"]) == (503, "unready")
        assert (await client.head("/readyz")).status_code == 503
        answer = await client.get("/api/v1/me")
        assert answer.status_code == 503
        assert answer.headers["Retry-After"] == "2"
        assert answer.headers["Content-Type"] == "application/problem+json"
        assert (await client.get("/metrics")).status_code == 200
        database_server.start()

        async def serves_again() -> bool:
            return (await client.get("/api/v1/me")).status_code == 200

        await until(serves_again, every_s=0.1)
    async with await connect(database_server.url, name="test", autocommit=True) as connection:
        await fire(connection, SomeFault())
        await until(lambda: tickets_are(connection, "ASSIGNED"))


async def test_a_database_that_hangs_leaves_probes_their_answers(
    crashing: FastAPI, database_server: DatabaseServer
) -> None:
    """Connections are open and nothing comes back: not ready, and metrics without what it knows."""
    async with client_of(crashing) as client:
        assert (await client.get("/readyz")).status_code == 200
        database_server.freeze()
        try:
            for _ in range(3):
                unready = await client.get("/readyz")
                assert unready.json()["problem"] == "the database does not answer"
            assert (await client.get("/metrics")).status_code == 200
            looks = [task for task in asyncio.all_tasks() if "_problem()" in repr(task)]
        finally:
            database_server.thaw()
        assert len(looks) <= 1, "one look waits, however often somebody probes"

        async def is_ready() -> bool:
            return (await client.get("/readyz")).status_code == 200

        await until(is_ready)


async def test_on_a_database_that_is_not_migrated_it_is_not_ready(empty_database_url: str) -> None:
    """It says what is wrong, and does not pretend."""
    settings = Settings(database_url=empty_database_url, token_secret=SecretStr(SECRET))
    app = create_app(settings)
    async with app.router.lifespan_context(app), client_of(app) as client:
        answer = await client.get("/readyz")
    assert answer.status_code == 503
    assert answer.json()["problem"] == "the database is not migrated"
