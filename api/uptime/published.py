"""Published figures: what was told to somebody is never changed, only followed by a version.

Whoever publishes the same again gets the version that was told; where late data, a correction or a
window made the figures others, they become the next version, and the one before stays.
"""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import msgspec
from psycopg import AsyncConnection
from psycopg.rows import TupleRow, class_row
from psycopg.types.json import Jsonb

from fleet.db.sql import load

_SQL = load("api.uptime", "published")


@dataclass(frozen=True, slots=True)
class Of:
    """What figures are published of: a name such as `report`, over a time, in a zone."""

    name: str
    begin: datetime
    end: datetime
    zone: str


@dataclass(frozen=True, slots=True)
class Published:
    """A version of published figures."""

    version: int
    digest: str
    body: dict[str, Any]
    published_at: datetime
    author: str
    reason: str


async def latest(connection: AsyncConnection[TupleRow], of: Of) -> Published | None:
    """The version that was published last, if any was."""
    return await _one(connection, "latest", _key(of))


async def numbered(connection: AsyncConnection[TupleRow], of: Of, version: int) -> Published | None:
    """A version as it was published, if there is one of that number."""
    return await _one(connection, "numbered", _key(of) | {"version": version})


async def is_published(connection: AsyncConnection[TupleRow], of: Of) -> bool:
    """Whether there is any version, without reading it: figures may be megabytes."""
    cursor = await connection.execute(_SQL["is_published"], _key(of))
    return await cursor.fetchone() == (True,)


async def publish(
    connection: AsyncConnection[TupleRow],
    of: Of,
    body: Mapping[str, Any],
    author: str,
    reason: str,
) -> Published:
    """Publish figures, in the caller's transaction; the same ones again are the same version."""
    key = _key(of)
    await connection.execute(_SQL["lock"], {"name": of.name})
    known = await _one(connection, "latest", key)
    digest = hashlib.sha256(msgspec.json.encode(body, order="sorted")).hexdigest()
    if known is not None and known.digest == digest:
        return known
    said = {
        "version": 1 if known is None else known.version + 1,
        "body": Jsonb(body, dumps=lambda value: msgspec.json.encode(value).decode()),
        "digest": digest,
        "author": author,
        "reason": reason,
    }
    made = await _one(connection, "publish", key | said)
    if made is None:
        raise LookupError("an insert returned nothing")
    return made


def _key(of: Of) -> dict[str, object]:
    return {"name": of.name, "begin": of.begin, "end": of.end, "zone": of.zone}


async def _one(
    connection: AsyncConnection[TupleRow], statement: str, parameters: Mapping[str, object]
) -> Published | None:
    async with connection.cursor(row_factory=class_row(Published)) as cursor:
        await cursor.execute(_SQL[statement], parameters)
        return await cursor.fetchone()
