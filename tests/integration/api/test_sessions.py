"""Sessions: refreshed by tokens that are good once, ended by hand; guessing is slowed down."""

import asyncio
from time import monotonic
from typing import Any

import httpx
import pytest
from fastapi import FastAPI
from psycopg import AsyncConnection
from psycopg.rows import TupleRow

from api.accounts.passwords import matches
from api.accounts.sessions import forget
from api.scope import ENGINE
from api.services import Services
from tests.integration.api.conftest import SignIn, client_of
from tests.integration.api.test_scheduled import until
from tests.integration.api.world import password

Database = AsyncConnection[TupleRow]
TOKEN = "/api/v1/token"


async def signed_in(client: httpx.AsyncClient, username: str = "tech01") -> dict[str, Any]:
    form = {"username": username, "password": password(username)}
    answer = await client.post(TOKEN, data=form)
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


async def refreshed(client: httpx.AsyncClient, token: str) -> httpx.Response:
    form = {"grant_type": "refresh_token", "refresh_token": token}
    return await client.post(TOKEN, data=form)


async def known(client: httpx.AsyncClient, token: str) -> bool:
    answer = await client.get("/api/v1/me", headers={"Authorization": f"Bearer {token}"})
    return answer.status_code == 200


async def make_admin(admin: httpx.AsyncClient, username: str) -> None:
    account = {"username": username, "role": "admin", "password": password(username)}
    assert (await admin.post("/api/v1/accounts", json=account)).status_code == 200


async def test_a_refresh_gives_the_next_tokens(app: FastAPI) -> None:
    """The phone goes on without a password: each refresh brings the one after it."""
    async with client_of(app) as client:
        tokens = await signed_in(client)
        for _ in range(3):
            answer = await refreshed(client, tokens["refresh_token"])
            assert answer.status_code == 200
            assert answer.json()["refresh_token"] != tokens["refresh_token"]
            tokens = answer.json()
            assert await known(client, tokens["access_token"])


async def test_a_refresh_token_that_comes_again_ends_the_session(
    app: FastAPI, connection: Database
) -> None:
    """Somebody else has it too, thief or owner: both are out, and it is written down why."""
    async with client_of(app) as client:
        first = await signed_in(client)
        second = (await refreshed(client, first["refresh_token"])).json()
        assert (await refreshed(client, first["refresh_token"])).status_code == 401
        assert (await refreshed(client, second["refresh_token"])).status_code == 401
        assert not await known(client, second["access_token"])
    cursor = await connection.execute("SELECT ended_because FROM session")
    assert await cursor.fetchall() == [("reused",)]


async def test_of_two_refreshes_at_once_one_is_too_many(app: FastAPI) -> None:
    """The token is locked while it is used: never do two successors live."""
    async with client_of(app) as client:
        tokens = await signed_in(client)
        answers = await asyncio.gather(
            *(refreshed(client, tokens["refresh_token"]) for _ in range(4))
        )
        assert sorted(answer.status_code for answer in answers) == [200, 401, 401, 401]


async def test_signing_out_ends_what_was_given_out(app: FastAPI) -> None:
    """The access token is refused from the next request on, and the refresh with it."""
    async with client_of(app) as client:
        tokens, other = await signed_in(client), await signed_in(client)
        headers = {"Authorization": f"Bearer {tokens['access_token']}"}
        assert (await client.post("/api/v1/sign-out", headers=headers)).status_code == 200
        assert not await known(client, tokens["access_token"])
        assert (await refreshed(client, tokens["refresh_token"])).status_code == 401
        assert await known(client, other["access_token"])


@pytest.mark.parametrize(
    "why", ["expires_at = now()", "ended_at = now(), ended_because = 'revoked'"]
)
async def test_a_session_that_is_over_gives_nothing(
    app: FastAPI, connection: Database, why: str
) -> None:
    """Expired or revoked."""
    async with client_of(app) as client:
        tokens = await signed_in(client)
        await connection.execute(f"UPDATE session SET {why}".encode())
        assert not await known(client, tokens["access_token"])
        assert (await refreshed(client, tokens["refresh_token"])).status_code == 401


async def test_what_is_over_is_forgotten_and_what_goes_on_is_not(
    app: FastAPI, connection: Database
) -> None:
    """A day after it ended or expired a session goes with its tokens; while it goes on, they stay:
    the one that was used comes again and ends it."""
    async with client_of(app) as client:
        ended, expired, just_ended, first = [await signed_in(client) for _ in range(4)]
        for tokens in (ended, expired, first):
            assert (await refreshed(client, tokens["refresh_token"])).status_code == 200
        for tokens, over in (
            (ended, "ended_at = now() - interval '25 hours', ended_because = 'signed_out'"),
            (expired, "expires_at = now() - interval '25 hours'"),
            (just_ended, "ended_at = now() - interval '23 hours', ended_because = 'signed_out'"),
        ):
            await connection.execute(
                f"UPDATE session SET {over} FROM refresh_token WHERE session.id = session_id"
                " AND hash = sha256(%s)".encode(),
                (tokens["refresh_token"].encode(),),
            )
        running: Services = app.state.services
        async with running.transaction(ENGINE) as engine:
            await forget(engine)
        cursor = await connection.execute(
            "SELECT count(DISTINCT session.id), count(hash) FROM session"
            " LEFT JOIN refresh_token ON session_id = session.id"
        )
        assert await cursor.fetchone() == (2, 3)
        assert (await refreshed(client, ended["refresh_token"])).status_code == 401
        assert not await known(client, ended["access_token"])
        assert await known(client, first["access_token"])
        assert (await refreshed(client, first["refresh_token"])).status_code == 401
        assert not await known(client, first["access_token"])


async def test_an_admin_makes_disables_and_throws_out(
    app: FastAPI, sign_in: SignIn, connection: Database
) -> None:
    """A program's account: it signs in with its secret and without a refresh; then it is out."""
    admin = await sign_in("admin")
    secret = "the secret of the reporting program"
    body = {"username": "reporting", "role": "operations", "service": True, "password": secret}
    assert (await admin.post("/api/v1/accounts", json=body)).status_code == 200
    assert (await admin.post("/api/v1/accounts", json=body)).status_code == 409
    form = {"grant_type": "client_credentials", "client_id": "reporting", "client_secret": secret}
    async with client_of(app) as program:
        tokens = (await program.post(TOKEN, data=form)).json()
        assert tokens["refresh_token"] is None
        assert await known(program, tokens["access_token"])
        as_person = {"username": "reporting", "password": secret}
        assert (await program.post(TOKEN, data=as_person)).status_code == 401
        ended = await admin.delete("/api/v1/accounts/reporting/sessions")
        assert ended.json()["sessions"] == 0
        assert not await known(program, tokens["access_token"])
        again = (await program.post(TOKEN, data=form)).json()["access_token"]
        await admin.patch("/api/v1/accounts/reporting", json={"disabled": True})
        assert not await known(program, again)
        assert (await program.post(TOKEN, data=form)).status_code == 401
    cursor = await connection.execute("SELECT DISTINCT actor FROM audit WHERE subject = 'session'")
    assert {"admin", "reporting"} <= {actor for (actor,) in await cursor.fetchall()}
    cursor = await connection.execute("SELECT count(*) FROM audit WHERE after::text LIKE '%argon%'")
    assert await cursor.fetchone() == (0,)


@pytest.mark.parametrize(
    "change", [{"password": "another password altogether"}, {"disabled": True}]
)
async def test_a_sign_in_that_is_under_way_does_not_outlive_a_change(
    app: FastAPI, sign_in: SignIn, monkeypatch: pytest.MonkeyPatch, change: dict[str, Any]
) -> None:
    """The old password was right when it was looked at: its session would be ended by now."""
    admin = await sign_in("admin")
    here = asyncio.get_running_loop()

    def looked_at(stored: str | None, given: str) -> bool:
        right = matches(stored, given)
        asked = admin.patch("/api/v1/accounts/tech01", json=change)
        assert asyncio.run_coroutine_threadsafe(asked, here).result().status_code == 200
        return right

    monkeypatch.setattr("api.accounts.signing_in.matches", looked_at)
    async with client_of(app) as client:
        form = {"username": "tech01", "password": password("tech01")}
        assert (await client.post(TOKEN, data=form)).status_code == 401
    assert (await admin.get("/api/v1/accounts/tech01")).json()["sessions"] == 0


async def test_names_that_differ_by_case_alone_are_one(
    app: FastAPI, sign_in: SignIn, connection: Database
) -> None:
    """Of several at once one is made. What there is since before goes on, and signs in by its own
    name alone."""
    admin = await sign_in("admin")
    await connection.execute(
        "INSERT INTO account (username, password_hash, role)"
        " SELECT unnest('{OPS,ＡＤＡ}'::text[]), password_hash, role FROM account"
        " WHERE username = 'ops'"
    )

    async def made(username: str) -> int:
        account = {"username": username, "role": "tester", "password": password(username)}
        return (await admin.post("/api/v1/accounts", json=account)).status_code

    assert [await made(name) for name in ("Ops", "oPS", "ops", "Ada", "opsy")] == [409] * 4 + [200]
    assert sorted(await asyncio.gather(*map(made, ("Eve", "EVE", "eve")))) == [200, 409, 409]
    async with client_of(app) as client:
        assert (await signed_in(client, "ops"))["access_token"]
        for name, status in (("OPS", 200), ("Ops", 401)):
            form = {"username": name, "password": password("ops")}
            assert (await client.post(TOKEN, data=form)).status_code == status


async def test_the_last_admin_cannot_be_disabled(sign_in: SignIn) -> None:
    """Nobody could enable them again: another is made first. One who is disabled does not count."""
    admin = await sign_in("admin")
    last = await admin.patch("/api/v1/accounts/admin", json={"disabled": True})
    assert (last.status_code, last.json()["detail"]) == (
        409,
        "admin is the last admin who is not disabled: make another first.",
    )
    await make_admin(admin, "second")
    for disabled, status in ((True, 200), (True, 200), (False, 200)):
        change = {"disabled": disabled}
        answer = await admin.patch("/api/v1/accounts/second", json=change)
        assert answer.status_code == status
    second = await sign_in("second")
    assert (await admin.patch("/api/v1/accounts/admin", json={"disabled": True})).status_code == 200
    for name, status in (("second", 409), ("ops", 200)):
        answer = await second.patch(f"/api/v1/accounts/{name}", json={"disabled": True})
        assert answer.status_code == status


async def test_of_two_admins_who_disable_each_other_one_stays(
    sign_in: SignIn, connection: Database
) -> None:
    """At the same moment: each finds the other still there, and one of them is refused."""
    admin = await sign_in("admin")
    await make_admin(admin, "second")
    second = await sign_in("second")
    disabled = {"disabled": True}

    async def both_wait() -> bool:
        cursor = await connection.execute("SELECT count(*) >= 2 FROM pg_locks WHERE NOT granted")
        return await cursor.fetchone() == (True,)

    async with asyncio.TaskGroup() as group, connection.transaction():
        await connection.execute("SELECT FROM account WHERE role = 'admin' FOR UPDATE")
        asked = [
            group.create_task(admin.patch("/api/v1/accounts/second", json=disabled)),
            group.create_task(second.patch("/api/v1/accounts/admin", json=disabled)),
        ]
        await until(both_wait)
    assert sorted(one.result().status_code for one in asked) == [200, 409]
    cursor = await connection.execute(
        "SELECT count(*) FROM account WHERE role = 'admin' AND disabled_at IS NULL"
    )
    assert await cursor.fetchone() == (1,)


@pytest.mark.parametrize("username", ["tech01", "ops", "tester"])
async def test_accounts_are_for_admins(sign_in: SignIn, username: str) -> None:
    """Nobody else sees or changes who may sign in."""
    client = await sign_in(username)
    assert (await client.get("/api/v1/accounts")).status_code == 403
    assert (await client.patch("/api/v1/accounts/ops", json={})).status_code == 403
    assert (await client.delete("/api/v1/accounts/ops/sessions")).status_code == 403


@pytest.mark.parametrize("username", ["tech01", "nobody"])
async def test_who_guesses_is_locked_out(app: FastAPI, connection: Database, username: str) -> None:
    """After five failures even the right password must wait; the others may sign in meanwhile.

    It is the same for a name that is nobody's. A quarter of an hour later it is over.
    """
    async with client_of(app) as client:
        began = monotonic()
        for _ in range(5):
            form = {"username": username, "password": "guess"}
            assert (await client.post(TOKEN, data=form)).status_code == 401
        form = {"username": username, "password": password(username)}
        locked = await client.post(TOKEN, data=form)
        assert locked.status_code == 429
        took_s = monotonic() - began
        assert 900 - took_s - 2 < int(locked.headers["Retry-After"]) <= 900
        assert (await signed_in(client, "ops"))["access_token"]
        await connection.execute("UPDATE sign_in_attempt SET at = at - interval '15 minutes'")
        assert (await client.post(TOKEN, data=form)).status_code == (
            200 if username == "tech01" else 401
        )


async def test_guessing_side_by_side_gains_nothing(app: FastAPI) -> None:
    """Twenty at once: five are judged, the others refused."""
    async with client_of(app) as client:
        form = {"username": "tech01", "password": "guess"}
        answers = await asyncio.gather(*(client.post(TOKEN, data=form) for _ in range(20)))
    assert sorted(answer.status_code for answer in answers) == [401] * 5 + [429] * 15


async def test_many_workers_of_a_program_sign_in_side_by_side(
    app: FastAPI, sign_in: SignIn
) -> None:
    """Twenty at once with the right secret: who is one too many is told to come again soon."""
    admin = await sign_in("admin")
    account = {"username": "reporting", "role": "operations", "service": True, "password": "x" * 32}
    assert (await admin.post("/api/v1/accounts", json=account)).status_code == 200
    form = {"grant_type": "client_credentials", "client_id": "reporting", "client_secret": "x" * 32}
    async with client_of(app) as client:
        answers = await asyncio.gather(*(client.post(TOKEN, data=form) for _ in range(20)))
        waits = {answer.headers.get("Retry-After") for answer in answers}
        assert {answer.status_code for answer in answers} == {200, 429}
        assert waits == {None, "2"}
        assert (await client.post(TOKEN, data=form)).status_code == 200


async def test_an_address_that_tries_many_names_must_wait(
    app: FastAPI, connection: Database
) -> None:
    """Fifty failures from one address, whoever they were for."""
    await connection.execute(
        "INSERT INTO sign_in_attempt (subject)"
        " SELECT 'address 127.0.0.1' FROM generate_series(1, 50)"
    )
    async with client_of(app) as client:
        form = {"username": "tech01", "password": password("tech01")}
        assert (await client.post(TOKEN, data=form)).status_code == 429
