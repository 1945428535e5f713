"""The general limit of requests, for accounts and for addresses without one."""

from collections.abc import AsyncIterator
from functools import partial

import pytest
from fastapi import FastAPI
from psycopg import AsyncConnection
from psycopg.rows import TupleRow

from api.app import create_app
from api.limits import RateLimit
from api.settings import Settings
from tests.integration.api.conftest import SignIn, client_of


@pytest.fixture
async def app(
    settings: Settings,
    connection: AsyncConnection[TupleRow],  # noqa: ARG001 - the database is seeded first
    monkeypatch: pytest.MonkeyPatch,
) -> AsyncIterator[FastAPI]:
    """An api that takes ten requests a minute, of a minute that does not pass."""
    monkeypatch.setattr("api.app.RateLimit", partial(RateLimit, clock=lambda: 0.0))
    running = create_app(settings.model_copy(update={"requests_per_minute": 10}))
    async with running.router.lifespan_context(running):
        yield running


async def test_who_asks_too_often_waits_and_nobody_else_does(sign_in: SignIn) -> None:
    """Ten at once, the next is a problem that says when to come back; others are served."""
    ops, technician = await sign_in("ops"), await sign_in("tech01")
    for _ in range(10):
        assert (await ops.get("/api/v1/me")).status_code == 200
    refused = await ops.get("/api/v1/me")
    assert refused.status_code == 429
    assert refused.headers["content-type"] == "application/problem+json"
    assert refused.json()["type"] == "urn:problem-type:tellergrid:too-many"
    assert int(refused.headers["Retry-After"]) == 6
    assert (await technician.get("/api/v1/me")).status_code == 200


async def test_an_address_without_an_account_is_limited_too(app: FastAPI) -> None:
    """Bad tokens, none, and log-ins count for the address; health does not."""
    async with client_of(app) as client:
        bad = {"Authorization": "Bearer not-a-token"}
        answers = [
            *[await client.get("/api/v1/me") for _ in range(4)],
            *[await client.get("/api/v1/me", headers=bad) for _ in range(4)],
            *[
                await client.post("/api/v1/token", data={"username": name, "password": "x"})
                for name in ("a", "b")
            ],
        ]
        assert {answer.status_code for answer in answers} == {401}
        assert (await client.get("/api/v1/me")).status_code == 429
        assert (await client.post("/api/v1/token", data={"username": "c"})).status_code == 429
        assert (await client.get("/healthz")).status_code == 200
