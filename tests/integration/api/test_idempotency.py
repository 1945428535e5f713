"""A write may be sent again: carried out once, answered twice, to the byte."""

import asyncio
import hashlib
from functools import partial
from itertools import pairwise

import httpx
import pytest
from fastapi import APIRouter
from psycopg import AsyncConnection
from psycopg.rows import TupleRow

from api import idempotency
from api.routing import require_ours
from tests.integration.api.conftest import SignIn
from tests.integration.api.test_scheduled import listening, tickets_are, until
from tests.integration.api.world import SomeFault, fire

Database = AsyncConnection[TupleRow]
MOVES = "/api/v1/tickets/1/transitions"


@pytest.fixture
async def technician(connection: Database, sign_in: SignIn) -> httpx.AsyncClient:
    """T01's phone; ticket 1 is assigned to T01."""
    client = await sign_in("tech01")
    await listening(connection)
    await fire(connection, SomeFault())
    await until(partial(tickets_are, connection, "ASSIGNED"))
    return client


def send(
    client: httpx.AsyncClient, key: str, event: str, **said: str
) -> "asyncio.Future[httpx.Response]":
    headers = {"Idempotency-Key": key}
    return asyncio.ensure_future(client.post(MOVES, json={"event": event, **said}, headers=headers))


async def history(connection: Database) -> list[str]:
    cursor = await connection.execute("SELECT event FROM ticket_transition ORDER BY id")
    return [event for (event,) in await cursor.fetchall()]


async def test_a_phone_repeats_its_outbox_in_order(
    technician: httpx.AsyncClient, connection: Database
) -> None:
    """No answer arrived: the phone sends all of it again, and gets each answer as it was then."""
    outbox = [("a", "accept"), ("b", "depart"), ("c", "arrive")]
    first = [await send(technician, key, event) for key, event in outbox]
    assert [answer.status_code for answer in first] == [200, 200, 200]
    again = [await send(technician, key, event) for key, event in outbox]
    for before, after in zip(first, again, strict=True):
        assert after.content == before.content
        assert after.headers["ETag"] == before.headers["ETag"]
        assert after.headers["Content-Type"] == before.headers["Content-Type"]
        assert after.headers["Idempotency-Replayed"] == "true"
        assert "Idempotency-Replayed" not in before.headers
    versions = [answer.json()["version"] for answer in again]
    assert all(later == earlier + 1 for earlier, later in pairwise(versions))
    assert await history(connection) == ["raise", "assign", "accept", "depart", "arrive"]


async def test_eight_at_once_are_one(technician: httpx.AsyncClient, connection: Database) -> None:
    """An impatient client sends the same eight times before the first is answered."""
    answers = await asyncio.gather(*(send(technician, "k", "accept") for _ in range(8)))
    assert {answer.status_code for answer in answers} == {200}
    assert len({answer.content for answer in answers}) == 1
    assert sum("Idempotency-Replayed" in answer.headers for answer in answers) == 7
    assert (await history(connection)).count("accept") == 1


async def test_a_key_is_for_one_request(
    technician: httpx.AsyncClient, sign_in: SignIn, connection: Database
) -> None:
    """With another body it is an error and nothing is done; somebody else's key is another key."""
    assert (await send(technician, "k", "accept", note="one")).status_code == 200
    other = await send(technician, "k", "accept", note="two")
    assert other.status_code == 422
    assert other.json()["errors"][0]["field"] == "header.Idempotency-Key"
    assert (await history(connection)).count("accept") == 1
    colleague = await sign_in("tech02")
    assert (await send(colleague, "k", "depart")).status_code == 403


async def test_what_is_remembered_of_a_request_is_of_no_use_to_guess_its_password(
    sign_in: SignIn, connection: Database
) -> None:
    """Whoever reads the table cannot try passwords against it. What was remembered without a
    secret, by the release before, is still answered."""
    admin = await sign_in("admin")
    path, body = "/api/v1/accounts/tech01", b'{"password": "correct horse battery"}'
    headers = {"Idempotency-Key": "k", "Content-Type": "application/json"}
    first = await admin.patch(path, content=body, headers=headers)
    assert first.status_code == 200, first.text
    plain = hashlib.sha256(f"PATCH {path}?\n".encode() + body).digest()
    cursor = await connection.execute("SELECT request FROM idempotency_key")
    [(kept,)] = await cursor.fetchall()
    assert len(kept) == len(plain)
    assert kept != plain
    await connection.execute("UPDATE idempotency_key SET request = %s", (plain,))
    again = await admin.patch(path, content=body, headers=headers)
    assert (again.content, again.headers["Idempotency-Replayed"]) == (first.content, "true")


async def test_what_was_refused_is_judged_anew(
    technician: httpx.AsyncClient, connection: Database
) -> None:
    """A refusal wrote nothing, so nothing is kept: sent again when it is possible, it is done."""
    assert (await send(technician, "k", "depart")).status_code == 409
    cursor = await connection.execute("SELECT count(*) FROM idempotency_key")
    assert await cursor.fetchone() == (0,)
    assert (await send(technician, "j", "accept")).status_code == 200
    assert (await send(technician, "k", "depart")).status_code == 200


@pytest.mark.parametrize("key", ["", "with space", "x" * 201])
async def test_a_key_that_is_none_is_refused(technician: httpx.AsyncClient, key: str) -> None:
    """Better than to take it for no key, and do the work twice."""
    assert (await send(technician, key, "accept")).status_code == 422


async def test_answers_are_forgotten_after_a_month(
    technician: httpx.AsyncClient, connection: Database
) -> None:
    """Not before: a phone may have been out of reach for long."""
    await send(technician, "old", "accept")
    await send(technician, "new", "depart")
    await connection.execute(
        "UPDATE idempotency_key SET at = now() - interval '31 days' WHERE key = 'old'"
    )
    await idempotency.forget(connection)
    cursor = await connection.execute("SELECT key FROM idempotency_key")
    assert await cursor.fetchall() == [("new",)]


async def test_who_has_seen_another_version_moves_nothing(
    technician: httpx.AsyncClient, connection: Database
) -> None:
    """`If-Match` with the ETag one has seen: stale is 412, and writes nothing."""
    tag = (await technician.get("/api/v1/tickets/1")).headers["ETag"]
    body = {"event": "accept"}
    stale = await technician.post(MOVES, json=body, headers={"If-Match": '"1"'})
    assert (stale.status_code, stale.json()["type"].split(":")[-1]) == (412, "stale")
    wrong = await technician.post(MOVES, json=body, headers={"If-Match": "1"})
    assert wrong.status_code == 422
    assert "accept" not in await history(connection)
    right = await technician.post(MOVES, json=body, headers={"If-Match": tag})
    assert right.status_code == 200
    assert right.headers["ETag"] == f'"{right.json()["version"]}"' != tag


def test_no_router_goes_without() -> None:
    """A router of the framework's own would forget its answers: it is refused at the start."""
    router = APIRouter()
    router.add_api_route("/forgetful", lambda: None)
    with pytest.raises(TypeError, match=r"api\.routing"):
        require_ours(router)
