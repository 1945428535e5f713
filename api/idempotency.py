"""Writes that may be sent again: `Idempotency-Key` makes the second time answer like the first.

The answer is stored in the transaction that did the work, so either both are there or neither. A
request that was refused wrote nothing and keeps nothing: sent again, it is judged anew. Every route
takes the key: signing in looks for a kept answer, `api.routing` keeps a new one.
"""

import hashlib
import hmac
import re
from dataclasses import dataclass

from fastapi import Request, Response
from psycopg import AsyncConnection
from psycopg.rows import TupleRow
from psycopg.types.json import Jsonb

from api.errors import Invalid
from fleet.db.sql import load

HEADER = "Idempotency-Key"
REPLAYED = "Idempotency-Replayed"
SAFE = frozenset({"GET", "HEAD", "OPTIONS"})
_KEY = re.compile(r"[\x21-\x7e]{1,200}")
_KEPT_HEADERS = ("content-type", "etag", "location")
_SQL = load("api", "idempotency")


@dataclass(frozen=True, slots=True)
class Claim:
    """A key that this request is the first to use; its answer is to be kept."""

    connection: AsyncConnection[TupleRow]
    account_id: int
    key: str

    async def keep(self, response: Response) -> None:
        """Store the answer, with what the request wrote, or not at all."""
        headers = {name: response.headers.get(name) for name in _KEPT_HEADERS}
        parameters = {
            "account": self.account_id,
            "key": self.key,
            "status": response.status_code,
            "headers": Jsonb({name: value for name, value in headers.items() if value}),
            "body": bytes(response.body),
        }
        await self.connection.execute(_SQL["keep"], parameters)


class Replayed(Exception):
    """Not an error: the request was carried out before, and this is its answer."""

    def __init__(self, response: Response) -> None:
        super().__init__("answered before")
        self.response = response


async def claim(
    request: Request, connection: AsyncConnection[TupleRow], account_id: int, secret: str
) -> None:
    """Take the key of a write, if it has one; raises `Replayed` when it was carried out before.

    What was asked is remembered as a digest under a secret: a body may have a password in it.
    Raises `Invalid` for a key that was used for another request. Of two at the same time the second
    waits for the end of the first.
    """
    key = request.headers.get(HEADER)
    if key is None or request.method in SAFE:
        return
    if not _KEY.fullmatch(key):
        raise Invalid(f"header.{HEADER}", "must be 1 to 200 printable ASCII characters, no spaces")
    plain = await _digest(request)
    digest = hmac.digest(secret.encode(), b"Idempotency-Key\n" + plain, hashlib.sha256)
    parameters = {"account": account_id, "key": key, "request": digest}
    if (await connection.execute(_SQL["claim"], parameters)).rowcount:
        request.state.claim = Claim(connection, account_id, key)
        return
    [(known, status, headers, body)] = await (
        await connection.execute(_SQL["kept"], parameters)
    ).fetchall()
    # Without the secret, as it was remembered once: a phone may still send those again.
    if known not in (digest, plain):
        raise Invalid(f"header.{HEADER}", "was used for another request: take a new one")
    raise Replayed(Response(body, status, {**headers, REPLAYED: "true"}))


async def forget(connection: AsyncConnection[TupleRow]) -> None:
    """Delete answers that nobody will ask for again."""
    await connection.execute(_SQL["forget"])


async def _digest(request: Request) -> bytes:
    asked = f"{request.method} {request.url.path}?{request.url.query}\n"
    return hashlib.sha256(asked.encode() + await request.body()).digest()
