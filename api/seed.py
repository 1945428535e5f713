"""Writes the demo grid and its accounts: run at every start, it changes only what is not so yet."""

import asyncio
import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from psycopg import AsyncConnection
from psycopg.rows import TupleRow

from api.accounts.passwords import hashed, matches
from fleet.db.sql import load
from fleet.demo import DemoCell, DemoGrid

_SQL = load("api", "seed")


@dataclass(frozen=True, slots=True)
class SeedAccount:
    """An account the demo needs; `technician` is a technician's code, for that role alone."""

    username: str
    password: str = field(repr=False)
    role: str
    technician: str | None = None


def demo_accounts(grid: DemoGrid, passwords: Callable[[str], str]) -> list[SeedAccount]:
    """`admin`, `ops`, `tester` and one account a technician or branch; `passwords` by username."""
    people = [
        (technician.account, "technician", technician.code) for technician in grid.technicians
    ]
    staff = [("admin", "admin", None), ("ops", "operations", None), ("tester", "tester", None)]
    return [
        SeedAccount(username, passwords(username), role, technician)
        for username, role, technician in [*staff, *people]
    ]


async def seed(
    connection: AsyncConnection[TupleRow], grid: DemoGrid, accounts: Sequence[SeedAccount]
) -> None:
    """Bring regions, cells, terminals, technicians and accounts to the demo's, in one transaction.

    A larger grid adds, and moves the terminals it places elsewhere; nothing is ever removed. A grid
    that somebody has drawn since stays as it is: terminals are added to it, and nothing else. An
    account's password is written only where the stored one is another. Collectors are told on the
    channel `registry`.
    """
    async with connection.transaction():
        for name, rows in _statements(grid):
            await connection.execute(_SQL[name], rows)
        await _accounts(connection, accounts)
        await connection.execute(_SQL["announce"])


def _statements(grid: DemoGrid) -> Iterable[tuple[str, Mapping[str, object]]]:
    terminals = grid.terminals
    placed = {"code": [t.code for t in terminals], "cell": [t.cell for t in terminals]}
    yield "regions", {"codes": list(grid.regions)}
    yield (
        "cells",
        _columns(grid.cells, "code", "name", "level", "parent")
        | {"boundary": [_polygon(cell) for cell in grid.cells]},
    )
    yield (
        "terminals",
        _columns(
            terminals,
            *("code", "kind", "vendor", "model", "region", "site", "latitude", "longitude"),
        ),
    )
    yield "leave_cells", placed
    yield "enter_cells", placed
    yield (
        "technicians",
        _columns(grid.technicians, "code", "name")
        | {
            "skills": [",".join(person.skills) for person in grid.technicians],
            "lines": [",".join(map(str, person.lines)) for person in grid.technicians],
        },
    )
    answers = [(person.code, cell) for person in grid.technicians for cell in person.cells]
    yield (
        "technician_cells",
        {"technician": [code for code, _ in answers], "cell": [cell for _, cell in answers]},
    )


def _columns(rows: Sequence[object], *names: str) -> dict[str, object]:
    return {name: [getattr(row, name) for row in rows] for name in names}


def _polygon(cell: DemoCell) -> str:
    return json.dumps({"type": "Polygon", "coordinates": [cell.boundary]})


async def _accounts(connection: AsyncConnection[TupleRow], accounts: Sequence[SeedAccount]) -> None:
    cursor = await connection.execute(
        _SQL["password_hashes"], {"usernames": [account.username for account in accounts]}
    )
    stored: dict[str, str] = dict(await cursor.fetchall())
    # Argon2 lets go of the interpreter: threads use every core for a grid of many technicians.
    fresh = await asyncio.gather(
        *(asyncio.to_thread(_fresh_hash, stored.get(a.username), a.password) for a in accounts)
    )
    changed = [pair for pair in zip(accounts, fresh, strict=True) if pair[1] is not None]
    await connection.execute(
        _SQL["accounts"],
        _columns([account for account, _ in changed], "username", "role", "technician")
        | {"password_hash": [hash_ for _, hash_ in changed]},
    )


def _fresh_hash(stored: str | None, password: str) -> str | None:
    """The hash to write, or nothing where the stored one already is of this password."""
    if stored is not None and matches(stored, password):
        return None
    return hashed(password)
