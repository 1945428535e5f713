"""A database with a small grid and accounts, the api on it, and people signed in."""

from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import AsyncExitStack, asynccontextmanager

import httpx
import pytest
from argon2 import PasswordHasher
from fastapi import FastAPI
from psycopg import AsyncConnection
from psycopg.rows import TupleRow
from pydantic import SecretStr

from api.accounts.passwords import _nobody
from api.app import create_app
from api.seed import demo_accounts, seed
from api.settings import Settings
from fleet.db.pool import connect
from tests.integration.api.world import BEGAN, GRID, password
from tests.machine import PATIENCE_S

SignIn = Callable[[str], Awaitable[httpx.AsyncClient]]


@pytest.fixture(autouse=True)
def hasher(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Passwords hashed in next to no time: a dozen accounts a test, and none is to be guessed."""
    quick = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)
    monkeypatch.setattr("api.accounts.passwords._HASHER", quick)
    _nobody.cache_clear()
    yield
    _nobody.cache_clear()  # other tests have the real one


@pytest.fixture
async def connection(database_url: str) -> AsyncIterator[AsyncConnection[TupleRow]]:
    """A connection, each statement its own transaction, to a database with the small grid.

    Its terminals have been there since everything began.
    """
    async with await connect(database_url, name="test", autocommit=True) as one:
        await seed(one, GRID, demo_accounts(GRID, password))
        await one.execute("UPDATE terminal SET commissioned_at = %s", (BEGAN,))
        await one.execute("UPDATE terminal_cell SET valid = tstzrange(%s, NULL)", (BEGAN,))
        yield one


@pytest.fixture
def settings(database_url: str) -> Settings:
    """The api's settings: hardly any polling, so that tests see what notifications do."""
    return Settings(
        database_url=database_url,
        token_secret=SecretStr("a secret of the tests, 32 bytes or more"),
        poll_seconds=60,
        requests_per_minute=0,
        verify_minutes=60,
        accept_minutes=1_000_000,  # tests let time pass
    )


@pytest.fixture
async def app(
    settings: Settings,
    connection: AsyncConnection[TupleRow],  # noqa: ARG001 - the database is seeded first
    monkeypatch: pytest.MonkeyPatch,
) -> AsyncIterator[FastAPI]:
    """The api, running; it waits for a connection for as long as the machine needs."""
    monkeypatch.setattr("api.services.PATIENCE_S", PATIENCE_S)
    monkeypatch.setattr("api.events.stream.PATIENCE_S", PATIENCE_S)
    running = create_app(settings)
    async with running.router.lifespan_context(running):
        yield running


@pytest.fixture
async def sign_in(app: FastAPI) -> AsyncIterator[SignIn]:
    """Signs an account in and gives a client that sends its token."""
    async with AsyncExitStack() as stack:

        async def signed_in(username: str) -> httpx.AsyncClient:
            client = await stack.enter_async_context(client_of(app))
            client.headers["Authorization"] = f"Bearer {await token(client, username)}"
            return client

        yield signed_in


@asynccontextmanager
async def client_of(app: FastAPI) -> AsyncIterator[httpx.AsyncClient]:
    """A client that is not signed in."""
    transport = httpx.ASGITransport(app=app, raise_app_exceptions=False)
    async with httpx.AsyncClient(transport=transport, base_url="http://api.test") as client:
        yield client


async def token(client: httpx.AsyncClient, username: str) -> str:
    """A fresh token of an account."""
    form = {"username": username, "password": password(username)}
    answer = await client.post("/api/v1/token", data=form)
    assert answer.status_code == 200, answer.text
    given: str = answer.json()["access_token"]
    return given
