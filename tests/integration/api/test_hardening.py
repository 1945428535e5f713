"""What every answer tells a browser, whom it lets read, and how much a request may bring."""

from collections.abc import AsyncIterator
from typing import Any

import pytest
from fastapi import FastAPI
from psycopg import AsyncConnection
from psycopg.rows import TupleRow

from api.headers import HEADERS
from tests.integration.api.conftest import SignIn, client_of
from tests.integration.api.test_scheduled import listening, tickets_are, until
from tests.integration.api.world import SomeFault, fire

_PATHS = (
    *("/healthz", "/api/v1/me", "/api/v1/nothing-here", "/api/v1/openapi.json", "/metrics"),
    "/api/v1/docs",
)


@pytest.mark.parametrize("path", _PATHS)
async def test_every_answer_is_hardened(app: FastAPI, path: str) -> None:
    """Good answers, refusals and unknown paths alike."""
    async with client_of(app) as client:
        answer = await client.get(path)
    for name, value in HEADERS.items():
        if (path, name) != ("/api/v1/docs", "Content-Security-Policy"):
            assert answer.headers[name] == value


async def test_no_other_origin_may_read(sign_in: SignIn) -> None:
    """Neither asked before nor after: nothing is allowed to a page of another origin."""
    client = await sign_in("ops")
    headers = {"Origin": "https://elsewhere.example", "Access-Control-Request-Method": "GET"}
    for answer in (
        await client.options("/api/v1/tickets", headers=headers),
        await client.get("/api/v1/tickets", headers=headers),
    ):
        assert not [name for name in answer.headers if name.startswith("access-control")]


@pytest.mark.parametrize(
    ("method", "path", "allowed"),
    [
        ("DELETE", "/api/v1/tickets", "GET, POST"),
        ("PATCH", "/api/v1/cells/C001", "DELETE, GET, PUT"),
        ("POST", "/healthz", "GET, HEAD"),
        ("GET", "/api/v1/token", "POST"),
    ],
)
async def test_a_refused_method_names_all_that_are_served(
    app: FastAPI, method: str, path: str, allowed: str
) -> None:
    """Whichever route of the path comes first."""
    async with client_of(app) as client:
        answer = await client.request(method, path)
    assert (answer.status_code, answer.headers["Allow"]) == (405, allowed)


async def test_a_body_is_bounded(sign_in: SignIn) -> None:
    """Over 64 KiB is refused, whether its length is announced or it comes in pieces."""
    client = await sign_in("ops")

    async def pieces() -> AsyncIterator[bytes]:
        for _ in range(65):
            yield b" " * 1024

    for content in (b" " * 65 * 1024, pieces()):
        answer = await client.post(
            "/api/v1/tickets/1/transitions",
            content=content,
            headers={"Content-Type": "application/json"},
        )
        assert answer.status_code == 413
        assert answer.headers["Content-Type"] == "application/problem+json"


@pytest.mark.parametrize("path", ["grid", "terminals/import", "cells", "terminals"])
async def test_a_map_is_read_of_those_alone_who_may_send_one(
    app: FastAPI, sign_in: SignIn, path: str
) -> None:
    """To read one takes seconds and a gigabyte: anybody could have it done, and others waited."""
    said: dict[str, Any] = {
        "content": b"[[" * 2**20,
        "headers": {"Content-Type": "application/json"},
    }
    async with client_of(app) as nobody:
        assert (await nobody.post(f"/api/v1/{path}", **said)).status_code == 401
    assert (await (await sign_in("tech01")).post(f"/api/v1/{path}", **said)).status_code == 403
    assert (await (await sign_in("ops")).post(f"/api/v1/{path}", **said)).status_code == 422


async def test_nobody_is_sent_elsewhere(app: FastAPI) -> None:
    """A slash too many is an unknown path: a redirect would have the password sent again, to where
    the request says that we are, and in the clear where a proxy speaks TLS for us."""
    async with client_of(app) as client:
        form = {"username": "ops", "password": "a password"}
        answer = await client.post("/api/v1/token/", data=form, headers={"Host": "elsewhere.test"})
    assert answer.status_code == 404
    assert "location" not in answer.headers


_THE_REST = '"component": "terminal", "severity": "minor", "skill": "card"}'


@pytest.mark.parametrize(
    ("path", "said"),
    [
        ("tickets/1/transitions", '{"event": "assign", "technician": "%s"}'),
        ("tickets/1/transitions", '{"event": "hand_over", "reason": "%s"}'),
        ("tickets/1/remarks", '{"kind": "comment", "text": "%s"}'),
        ("tickets", '{"terminal": "%s", "title": "Scratched", ' + _THE_REST),
    ],
)
@pytest.mark.parametrize("text", [r"\u0000", r"\ud800"])
async def test_what_no_text_can_hold_is_refused(
    sign_in: SignIn, connection: AsyncConnection[TupleRow], path: str, said: str, text: str
) -> None:
    """A character that PostgreSQL does not store, and half of one: it is theirs, not our fault."""
    client = await sign_in("ops")
    await listening(connection)
    await fire(connection, SomeFault())
    await until(lambda: tickets_are(connection, "ASSIGNED"))
    answer = await client.post(
        f"/api/v1/{path}",
        content=(said % text).encode(),
        headers={"Content-Type": "application/json"},
    )
    assert answer.status_code == 422, answer.text
