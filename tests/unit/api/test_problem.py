"""Errors: one shape for all, from one table."""

from collections.abc import AsyncIterator

import httpx
import psycopg
import pytest
from fastapi import FastAPI
from pydantic import BaseModel

from api import errors
from api.problem import MEDIA_TYPE, TABLE, register

RAISED: dict[str, Exception] = {
    "not-found": errors.NotFound("terminal", "ATM-9"),
    "unauthenticated": errors.Unauthenticated("Sign in."),
    "forbidden": errors.Forbidden("Not you."),
    "move-refused": errors.MoveRefused("Not now.", ["accept"]),
    "invalid": errors.Invalid("body.parent", "is not there"),
    "unavailable": psycopg.errors.AdminShutdown("terminating connection"),
    "internal": ZeroDivisionError("a secret in the message"),
}


class Body(BaseModel):
    """Something to send."""

    number: int


@pytest.fixture
async def client() -> AsyncIterator[httpx.AsyncClient]:
    """A client of an app that fails in every way there is."""
    app = FastAPI()
    register(app)

    @app.get("/fail/{how}")
    async def fail(how: str) -> None:
        raise RAISED[how]

    @app.post("/body")
    async def body(sent: Body) -> int:
        return sent.number

    transport = httpx.ASGITransport(app=app, raise_app_exceptions=False)
    async with httpx.AsyncClient(transport=transport, base_url="http://api.test") as one:
        yield one


@pytest.mark.parametrize("how", RAISED)
async def test_each_error_is_answered_in_the_one_shape(client: httpx.AsyncClient, how: str) -> None:
    """Status and kind by the table, what happened in words."""
    answer = await client.get(f"/fail/{how}")
    problem = answer.json()
    assert answer.headers["Content-Type"] == MEDIA_TYPE
    assert problem["type"] == f"urn:problem-type:tellergrid:{how}"
    assert problem["status"] == answer.status_code
    assert problem["title"]
    assert problem["detail"]


async def test_what_is_special_about_an_error_is_said(client: httpx.AsyncClient) -> None:
    """What is allowed instead; which field; how to sign in; when to come back."""
    refused = await client.get("/fail/move-refused")
    assert refused.json()["allowed"] == ["accept"]
    invalid = await client.get("/fail/invalid")
    assert invalid.json()["errors"] == [{"field": "body.parent", "message": "is not there"}]
    unknown = await client.get("/fail/unauthenticated")
    assert unknown.headers["WWW-Authenticate"] == "Bearer"
    assert (await client.get("/fail/unavailable")).headers["Retry-After"] == "2"


async def test_our_own_faults_say_nothing_of_the_inside(client: httpx.AsyncClient) -> None:
    """A bug is 500 without its message; a database error without the server's words."""
    assert "secret" not in (await client.get("/fail/internal")).text
    assert "terminating" not in (await client.get("/fail/unavailable")).text


async def test_a_wrong_body_names_its_fields(client: httpx.AsyncClient) -> None:
    """The framework's own validation comes in the same shape."""
    for sent in ({"number": "many"}, {}):
        answer = await client.post("/body", json=sent)
        assert answer.status_code == 422
        assert answer.headers["Content-Type"] == MEDIA_TYPE
        assert [one["field"] for one in answer.json()["errors"]] == ["body.number"]


async def test_a_body_that_is_not_said_to_be_json_is_told_what_it_lacks(
    client: httpx.AsyncClient,
) -> None:
    """As curl sends it without a header: the answer spoke of a dictionary, which it was."""
    answer = await client.post("/body", content='{"number": 1}')
    assert answer.status_code == 422
    assert "Content-Type: application/json" in answer.json()["detail"]


@pytest.mark.parametrize(("method", "path", "status"), [("GET", "/no", 404), ("GET", "/body", 405)])
async def test_what_the_framework_refuses_has_the_shape_too(
    client: httpx.AsyncClient, method: str, path: str, status: int
) -> None:
    """An unknown path, a method that is not served."""
    answer = await client.request(method, path)
    assert answer.status_code == answer.json()["status"] == status
    assert answer.headers["Content-Type"] == MEDIA_TYPE


def test_every_error_of_the_api_is_in_the_table() -> None:
    """A new kind of error needs a row, or it would be called our fault."""
    assert set(errors.ApiError.__subclasses__()) <= TABLE.keys()
