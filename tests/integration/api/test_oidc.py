"""An identity provider's tokens: a real one on loopback with keys of its own, and impostors."""

import asyncio
import base64
import hashlib
import hmac
import json
import socket
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import httpx
import jwt
import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from fastapi import FastAPI
from fastapi.dependencies.models import Dependant
from psycopg import AsyncConnection
from psycopg.rows import TupleRow
from pydantic import ValidationError

from api.accounts.caller import _said as claims_said
from api.app import _ROUTERS, create_app
from api.routing import Route
from api.services import connection as database
from api.settings import Settings
from tests.integration.api.conftest import client_of
from tests.integration.api.conftest import token as sign_in_with_us

Database = AsyncConnection[TupleRow]
AUDIENCE = "tellergrid"


@dataclass
class IdentityProvider:
    """Serves its configuration and its public keys over HTTP, and signs tokens."""

    keys: dict[str, rsa.RSAPrivateKey] = field(default_factory=dict)
    served: list[str] = field(default_factory=list)
    address: str = ""

    def new_key(self, name: str) -> None:
        self.keys[name] = rsa.generate_private_key(public_exponent=65537, key_size=2048)

    def answer(self, path: str) -> dict[str, Any]:
        self.served.append(path)
        if path == "/keys":
            return {"keys": [self._public(name) for name in self.keys]}
        return {"issuer": self.address, "jwks_uri": f"{self.address}/keys"}

    def _public(self, name: str) -> dict[str, Any]:
        algorithm = jwt.algorithms.RSAAlgorithm
        public: dict[str, Any] = json.loads(algorithm.to_jwk(self.keys[name].public_key()))
        return public | {"kid": name, "use": "sig", "alg": "RS256"}

    def claims(self, **other: Any) -> dict[str, Any]:
        now = datetime.now(UTC)
        claims: dict[str, Any] = {"iss": self.address, "aud": AUDIENCE, "sub": "4711"}
        claims |= {
            "preferred_username": "tech01",
            "iat": now,
            "exp": now + timedelta(minutes=5),
        } | other
        return {name: value for name, value in claims.items() if value is not None}

    def token(self, key: str = "one", algorithm: str = "RS256", **other: Any) -> str:
        return jwt.encode(
            self.claims(**other), self.keys[key], algorithm=algorithm, headers={"kid": key}
        )


@pytest.fixture
def provider() -> Iterator[IdentityProvider]:
    """A provider that runs."""
    one = IdentityProvider()
    one.new_key("one")

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            body = json.dumps(one.answer(self.path)).encode()
            self.send_response(200)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    one.address = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield one
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture
def settings(settings: Settings, provider: IdentityProvider) -> Settings:
    """The api takes that provider's tokens."""
    pinned = {"oidc_issuer": provider.address, "oidc_audience": AUDIENCE}
    return settings.model_copy(update=pinned)


async def asked(client: httpx.AsyncClient, token: str) -> httpx.Response:
    return await client.get("/api/v1/me", headers={"Authorization": f"Bearer {token}"})


async def test_who_they_say_it_is_gets_what_our_account_may(
    app: FastAPI, provider: IdentityProvider
) -> None:
    """The name is the provider's, role and cells are ours; its keys are read once."""
    async with client_of(app) as client:
        for _ in range(3):
            me = (await asked(client, provider.token(role="admin", roles=["admin"]))).json()
            assert (me["username"], me["role"], me["cells"]) == ("tech01", "technician", ["C001"])
    assert provider.served == ["/.well-known/openid-configuration", "/keys"]


def _impostors(provider: IdentityProvider) -> dict[str, str]:
    now = datetime.now(UTC)
    other = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    public = (
        provider.keys["one"]
        .public_key()
        .public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
    )
    past: dict[str, Any] = {"iat": now - timedelta(hours=2), "exp": now - timedelta(hours=1)}
    named = {"kid": "one"}
    claims = provider.claims()
    return {
        "expired": provider.token(**past),
        "for somebody else": provider.token(aud="another"),
        "for nobody": provider.token(aud=None),
        "without an end": provider.token(exp=None),
        "without a beginning": provider.token(iat=None),
        "without a name": provider.token(preferred_username=None),
        "of nobody here": provider.token(preferred_username="nobody"),
        "with another algorithm": provider.token(algorithm="RS512"),
        "not signed": jwt.encode(claims, "", algorithm="none", headers=named),
        "by another's key": jwt.encode(claims, other, algorithm="RS256", headers=named),
        "by a key that is not there": jwt.encode(
            claims, other, algorithm="RS256", headers={"kid": "two"}
        ),
        "signed with the public key": _hmac(claims, public),
    }


def _part(value: bytes) -> str:
    return base64.urlsafe_b64encode(value).rstrip(b"=").decode()


def _hmac(claims: dict[str, Any], key: bytes) -> str:
    """What confuses the two kinds of keys: the public one as a secret."""

    times = {name: int(claims[name].timestamp()) for name in ("iat", "exp")}
    head = _part(json.dumps({"alg": "HS256", "typ": "JWT", "kid": "one"}).encode())
    signed = f"{head}.{_part(json.dumps(claims | times).encode())}"
    return f"{signed}.{_part(hmac.new(key, signed.encode(), hashlib.sha256).digest())}"


async def test_impostors_are_refused(app: FastAPI, provider: IdentityProvider) -> None:
    """Each lacks one of the things that are pinned."""
    async with client_of(app) as client:
        assert (await asked(client, provider.token())).status_code == 200
        for story, token in _impostors(provider).items():
            assert (await asked(client, token)).status_code == 401, story


async def test_another_issuer_is_nobody(app: FastAPI, provider: IdentityProvider) -> None:
    """A token that does not say it is of the provider is judged as ours, and is none."""
    async with client_of(app) as client:
        for issuer in ("https://elsewhere.example", f"{provider.address}/", None):
            assert (await asked(client, provider.token(iss=issuer))).status_code == 401


async def test_a_disabled_account_is_out_whatever_the_provider_says(
    app: FastAPI, provider: IdentityProvider, connection: Database
) -> None:
    """The account as it is now has the last word."""
    async with client_of(app) as client:
        await connection.execute("UPDATE account SET disabled_at = now()")
        assert (await asked(client, provider.token())).status_code == 401


async def test_new_keys_are_learned_and_not_asked_for_at_every_impostor(
    app: FastAPI, provider: IdentityProvider, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The provider rotates: an unknown key has them read anew, and not again for a while."""
    monkeypatch.setattr("api.accounts.oidc._KEYS_AGAIN_AFTER_S", 3600)
    async with client_of(app) as client:
        assert (await asked(client, provider.token())).status_code == 200
        provider.new_key("two")
        for _ in range(5):
            assert (await asked(client, provider.token("two"))).status_code == 401
        assert len(provider.served) == 2
        monkeypatch.setattr("api.accounts.oidc._KEYS_AGAIN_AFTER_S", 0)
        assert (await asked(client, provider.token("two"))).status_code == 200
        assert len(provider.served) == 4


async def test_while_the_provider_is_away_its_people_are_told_to_come_back(
    settings: Settings, app: FastAPI, provider: IdentityProvider
) -> None:
    """503, not 401: nobody is thrown out for it."""
    assert app.state.services.issuer
    gone = "http://127.0.0.1:9"
    elsewhere = create_app(settings.model_copy(update={"oidc_issuer": gone}))
    async with elsewhere.router.lifespan_context(elsewhere), client_of(elsewhere) as client:
        answer = await asked(client, provider.token(iss=gone))
        assert answer.status_code == 503
        assert answer.headers["Retry-After"] == "5"


def _impostor(issuer: str) -> str:
    """Of a key that is not known: to look for it, nothing needs to be signed."""
    parts: tuple[dict[str, str], ...] = ({"alg": "RS256", "kid": "none"}, {"iss": issuer}, {})
    return ".".join(_part(json.dumps(part).encode()) for part in parts)


async def test_a_provider_that_says_nothing_holds_up_nobody_else(
    settings: Settings, connection: Database
) -> None:
    """More tokens at once than there are connections: whoever signs in with us does not notice."""
    del connection
    with socket.create_server(("127.0.0.1", 0)) as silent:
        issuer = f"http://127.0.0.1:{silent.getsockname()[1]}"
        one = create_app(settings.model_copy(update={"oidc_issuer": issuer}))
        async with one.router.lifespan_context(one), client_of(one) as client:
            ours = await sign_in_with_us(client, "ops")
            asking = [asyncio.create_task(asked(client, _impostor(issuer))) for _ in range(20)]
            await asyncio.sleep(0.5)
            assert not any(task.done() for task in asking)
            assert (await asked(client, ours)).status_code == 200
            assert not any(task.done() for task in asking)
            answers = await asyncio.gather(*asking)
        assert {answer.status_code for answer in answers} == {503}


async def test_while_new_keys_are_asked_for_the_known_ones_are_good(
    app: FastAPI, provider: IdentityProvider, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An impostor has them read anew, and the provider has stopped talking meanwhile."""
    async with client_of(app) as client:
        assert (await asked(client, provider.token())).status_code == 200
        monkeypatch.setattr("api.accounts.oidc._KEYS_AGAIN_AFTER_S", 0)
        goes_on = threading.Event()
        answer = provider.answer

        def late(path: str) -> dict[str, Any]:
            goes_on.wait(10)
            return answer(path)

        monkeypatch.setattr(provider, "answer", late)
        asking = asyncio.create_task(asked(client, _impostor(provider.address)))
        await asyncio.sleep(0.5)
        assert (await asked(client, provider.token())).status_code == 200
        assert not asking.done()
        goes_on.set()
        assert (await asking).status_code == 401


def _in_order(dependant: Dependant) -> Iterator[Any]:
    for one in dependant.dependencies:
        yield from _in_order(one)
        yield one.call


def test_no_connection_is_taken_before_the_token_is_read() -> None:
    """Of any route: reading it may take as long as the provider does."""
    for router in _ROUTERS:
        for route in router.routes:
            assert isinstance(route, Route)
            calls = list(_in_order(route.dependant))
            if claims_said in calls and database in calls:
                assert calls.index(claims_said) < calls.index(database), route.path


async def test_a_token_without_an_end_that_a_calendar_has_is_refused(
    app: FastAPI, provider: IdentityProvider
) -> None:
    """Milliseconds where seconds belong."""
    async with client_of(app) as client:
        assert (await asked(client, provider.token(exp=1_900_000_000_000))).status_code == 401


@pytest.mark.parametrize("wrong", [{"oidc_audience": None}, {"oidc_algorithms": "HS256"}])
def test_what_must_be_pinned_is_demanded(settings: Settings, wrong: dict[str, Any]) -> None:
    """No audience, or an algorithm whose key is a secret: it does not start."""
    with pytest.raises(ValidationError, match="TELLERGRID_OIDC"):
        Settings(**(settings.model_dump() | wrong))
