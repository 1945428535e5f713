"""Signing in: who gets a token, and how long it is good."""

import re
from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid4

import jwt
import pytest
from fastapi import FastAPI
from psycopg import AsyncConnection
from psycopg.rows import TupleRow

from api.accounts.tokens import issue, read
from api.settings import Settings
from tests.integration.api.conftest import SignIn, client_of, token
from tests.integration.api.world import password

Database = AsyncConnection[TupleRow]


async def test_a_technician_signs_in_and_is_known(sign_in: SignIn) -> None:
    """The password flow of OAuth2 gives a bearer token, which says who one is."""
    technician = await sign_in("tech01")
    me = (await technician.get("/api/v1/me")).json()
    assert me == {
        "username": "tech01",
        "role": "technician",
        "technician": "T01",
        "name": "Technician 01",
        "skills": ["cash", "card"],
        "cells": ["C001"],
    }


async def test_whoever_answers_for_a_cell_sees_all_below_it(sign_in: SignIn) -> None:
    """T02 answers for the district D01 and so sees its cells."""
    me = (await (await sign_in("tech02")).get("/api/v1/me")).json()
    assert me["cells"] == ["C001", "C002", "D01"]


async def test_the_token_says_what_was_agreed(app: FastAPI, settings: Settings) -> None:
    """Subject, role, and an end a quarter of an hour from now; signed with HS256."""
    async with client_of(app) as client:
        form = {"username": "ops", "password": password("ops")}
        answer = (await client.post("/api/v1/token", data=form)).json()
    assert (answer["token_type"], answer["expires_in"]) == ("bearer", 900)
    secret = settings.token_secret.get_secret_value()
    claims = jwt.decode(answer["access_token"], secret, algorithms=["HS256"])
    assert (claims["sub"], claims["role"]) == ("ops", "operations")
    assert claims["exp"] - claims["iat"] == 900


@pytest.mark.parametrize(
    ("username", "typed"), [("tech01", "wrong"), ("nobody", password("nobody"))]
)
async def test_wrong_name_and_wrong_password_look_the_same(
    app: FastAPI, username: str, typed: str
) -> None:
    """Nobody learns from the answer which accounts there are."""
    async with client_of(app) as client:
        form = {"username": username, "password": typed}
        answer = await client.post("/api/v1/token", data=form)
    assert answer.status_code == 401
    assert answer.json()["detail"] == "Wrong username or password."
    assert answer.headers["WWW-Authenticate"] == "Bearer"
    assert answer.headers["Content-Type"] == "application/problem+json"


def _forged(settings: Settings, session: UUID) -> dict[str, str]:
    secret = settings.token_secret.get_secret_value()
    now = datetime.now(UTC)
    day = timedelta(days=1)
    claims = {"sub": "admin", "role": "admin", "sid": str(session), "iat": now, "exp": now + day}
    return {
        "expired": issue(secret, "admin", "admin", session, now - 2 * day, day),
        "of another secret": issue("x" * 32, "admin", "admin", session, now, day),
        "not signed": jwt.encode(claims, "", algorithm="none"),
        "signed with another algorithm": jwt.encode(claims, secret * 2, algorithm="HS512"),
        "without an end": jwt.encode(
            {name: claims[name] for name in ("sub", "role", "sid", "iat")},
            secret,
            algorithm="HS256",
        ),
        "of nobody": issue(secret, "nobody", "admin", session, now, day),
        "of a role it has not": issue(secret, "tech01", "admin", session, now, day),
        "of somebody else's session": issue(secret, "tech01", "technician", session, now, day),
        "of no session": issue(secret, "admin", "admin", uuid4(), now, day),
        "no token at all": "garbage",
    }


async def test_no_other_token_is_good(app: FastAPI, settings: Settings) -> None:
    """Expired, forged, of nobody, of a role the account has not: 401 for each."""
    async with client_of(app) as client:
        good = read(settings.token_secret.get_secret_value(), await token(client, "admin"))
        assert good.session is not None
        for story, forged in _forged(settings, good.session).items():
            headers = {"Authorization": f"Bearer {forged}"}
            answer = await client.get("/api/v1/me", headers=headers)
            assert answer.status_code == 401, story
        assert (await client.get("/api/v1/me")).status_code == 401


async def test_a_disabled_account_is_out_at_once(sign_in: SignIn, connection: Database) -> None:
    """Its token would be good for a while more, and is not; nor can it sign in again."""
    technician = await sign_in("tech01")
    await connection.execute("UPDATE account SET disabled_at = now() WHERE username = 'tech01'")
    assert (await technician.get("/api/v1/me")).status_code == 401
    form = {"username": "tech01", "password": password("tech01")}
    assert (await technician.post("/api/v1/token", data=form)).status_code == 401


async def test_every_path_but_health_and_sign_in_needs_a_token(app: FastAPI) -> None:
    """Walk all that is served: without a token there is nothing to see."""
    open_to_all = {"/healthz", "/readyz", "/metrics", "/api/v1/token"}
    paths = app.openapi()["paths"]
    async with client_of(app) as client:
        for path in set(paths) - open_to_all:
            for method in paths[path]:
                url = re.sub(r"\{\w+\}", "1", path)
                answer = await client.request(method, url)
                assert answer.status_code == 401, (method, path)
