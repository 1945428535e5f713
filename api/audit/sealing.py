"""Seals the audit: takes what is committed into the chain, and exports signed heads of it.

Entries are chained after their commit, in its order: were they chained as they are written, every
transaction would wait for the one before it.
"""

import asyncio
import os
from datetime import UTC, datetime
from pathlib import Path

import msgspec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from psycopg import AsyncConnection
from psycopg.rows import TupleRow

from fleet.chain import BEGINNING, Entry, Head, SignedHead, link, sign
from fleet.db.sql import load

HEADS = "heads.jsonl"
_BATCH = 200  # so many at a time: others are served in between
_LINE = 1_000  # bytes; longer than any
_SQL = load("api.audit", "sealing")


async def seal(connection: AsyncConnection[TupleRow]) -> None:
    """Take every entry into the chain below which no transaction runs any more."""
    last = await (await connection.execute(_SQL["last"])).fetchone()
    number, digest, tx, entry_id = last or (0, BEGINNING, "0", 0)
    while True:
        after = {"tx": tx, "id": entry_id, "rows": _BATCH}
        rows = await (await connection.execute(_SQL["unsealed"], after)).fetchall()
        if not rows:
            return
        numbers, ids, hashes = [], [], []
        for tx, *columns in rows:  # noqa: B007 - the last one's is where to go on
            entry = Entry(*columns)
            number, digest, entry_id = number + 1, link(digest, number + 1, entry), entry.id
            numbers.append(number)
            ids.append(entry_id)
            hashes.append(digest)
        sealed = {"numbers": numbers, "ids": ids, "hashes": hashes}
        await connection.execute(_SQL["seal"], sealed)


async def export(
    connection: AsyncConnection[TupleRow], key: Ed25519PrivateKey, folder: Path
) -> None:
    """Sign the head of the chain and append it to the folder's file, unless it is there already."""
    last = await (await connection.execute(_SQL["last"])).fetchone()
    if last is None:
        return
    number, digest = last[:2]
    signed = sign(key, Head(number, digest.hex(), datetime.now(UTC).isoformat()))
    await asyncio.to_thread(_append, folder / HEADS, signed)


def _append(path: Path, signed: SignedHead) -> None:
    """Add a line, durably. One that a crash cut off is ended first, and stays alone."""
    with path.open("ab+") as file:
        file.seek(max(0, file.tell() - _LINE))
        lines = file.read().split(b"\n")
        if _number(lines[-2] if len(lines) > 1 else b"") == signed.head.number:
            return
        broken = b"\n" if lines[-1] else b""
        file.write(broken + msgspec.json.encode(signed) + b"\n")
        file.flush()
        os.fsync(file.fileno())


def _number(line: bytes) -> int | None:
    try:
        return msgspec.json.decode(line, type=SignedHead).head.number
    except msgspec.DecodeError:
        return None
