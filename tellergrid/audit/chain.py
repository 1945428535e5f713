"""The audit of the audit: whether every entry is as it was sealed, up to the last exported head."""

from collections.abc import AsyncIterator, Iterable, Sequence
from enum import StrEnum
from pathlib import Path

import msgspec
from psycopg import AsyncConnection
from psycopg.rows import TupleRow

from fleet.chain import BEGINNING, Entry, SignedHead, is_signed, link
from fleet.db.sql import load

_SQL = load("tellergrid.audit", "chain")
_ROWS = 2_000


class Kind(StrEnum):
    """What may be wrong."""

    CHANGED = "changed"
    DELETED = "deleted"
    MISSING = "missing"
    INSERTED = "inserted"
    TRUNCATED = "truncated"
    REWRITTEN = "rewritten"
    FORGED_HEAD = "forged_head"


_WORDS = {
    Kind.CHANGED: "entry, its place or its hash is not what was sealed",
    Kind.DELETED: "the entry is gone",
    Kind.MISSING: "the chain has no such place",
    Kind.INSERTED: "an entry that was never sealed",
    Kind.TRUNCATED: "a head was exported, and the chain ends before it",
    Kind.REWRITTEN: "another hash was exported for this place",
    Kind.FORGED_HEAD: "the signature of this head is not of the key",
}


class HeadsError(Exception):
    """The exported heads cannot be read; says why."""


class Finding(msgspec.Struct, frozen=True):
    """Something wrong: at a place of the chain, or with an entry that has none."""

    kind: Kind
    place: int
    detail: str


class Verdict(msgspec.Struct, frozen=True):
    """What was looked at and found. `waiting` entries are committed and not sealed yet."""

    sound: bool
    entries: int
    waiting: int
    heads: int
    last_head: str | None
    findings: Sequence[Finding]


def read_heads(paths: Iterable[Path]) -> list[SignedHead]:
    """Exported heads; a line cut off by a crash is passed over; raises `HeadsError`."""
    heads = []
    for path in paths:
        try:
            lines = path.read_bytes().splitlines()
        except OSError as error:
            raise HeadsError(f"{path}: {error.strerror}") from error
        for line in lines:
            try:
                heads.append(msgspec.json.decode(line, type=SignedHead))
            except msgspec.DecodeError:
                continue
    return heads


async def verify(
    connection: AsyncConnection[TupleRow], heads: Sequence[SignedHead], public: str
) -> Verdict:
    """Follow the whole chain, and hold it against the heads, in one consistent look."""
    async with connection.transaction():
        await connection.execute(_SQL["one_look"])
        return await _verified(connection, heads, public)


async def _verified(
    connection: AsyncConnection[TupleRow], heads: Sequence[SignedHead], public: str
) -> Verdict:
    findings: list[Finding] = []
    good = []
    for signed in heads:
        if is_signed(public, signed):
            good.append(signed.head)
        else:
            findings.append(_finding(Kind.FORGED_HEAD, signed.head.number))
    wanted = {head.number: head.hash for head in good}
    last = 0
    async for number, digest, found in _walk(connection):
        findings += found
        last = number
        if wanted.pop(number, digest) != digest:
            findings.append(_finding(Kind.REWRITTEN, number))
    findings += [_finding(Kind.TRUNCATED, number) for number in sorted(wanted) if number > last]
    cursor = await connection.execute(_SQL["unsealed"])
    unsealed = await cursor.fetchall()
    findings += [_finding(Kind.INSERTED, entry) for entry, passed in unsealed if passed]
    return Verdict(
        sound=not findings,
        entries=last,
        waiting=sum(not passed for _, passed in unsealed),
        heads=len(heads),
        last_head=max((head.at for head in good), default=None),
        findings=findings,
    )


async def _walk(
    connection: AsyncConnection[TupleRow],
) -> AsyncIterator[tuple[int, str, list[Finding]]]:
    """Each place of the chain, its hash, and what is wrong there.

    A hash is checked against the stored one before it, so one edit is one finding.
    """
    previous, expected = BEGINNING, 1
    async with connection.cursor("chain") as cursor:
        cursor.itersize = _ROWS
        await cursor.execute(_SQL["chain"])
        async for number, digest, *columns in cursor:
            found = [_finding(Kind.MISSING, place) for place in range(expected, number)]
            if columns[0] is None:
                found.append(_finding(Kind.DELETED, number))
            elif link(previous, number, Entry(*columns)) != digest:
                found.append(_finding(Kind.CHANGED, number))
            previous, expected = digest, number + 1
            yield number, digest.hex(), found


def _finding(kind: Kind, place: int) -> Finding:
    return Finding(kind, place, _WORDS[kind])
