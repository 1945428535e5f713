"""Puts every terminal into its cell: what moved begins anew now, the past stays as it was.

What is to do there goes along.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from psycopg import AsyncConnection
from psycopg.rows import TupleRow

from api.tickets.carrying import carry
from fleet.db.sql import load
from fleet.grid.assignment import Placed, assign
from fleet.grid.cell import Cell

_SQL = load("api.grid", "store")


@dataclass(frozen=True, slots=True)
class Move:
    """A terminal that is in another cell now, or in the same by another method."""

    terminal: str
    before: str | None
    after: str
    method: str


async def reassign(connection: AsyncConnection[TupleRow], cells: Sequence[Cell]) -> list[Move]:
    """Bring the membership of all terminals in commission to what the cells say, from now on.

    Must run in a transaction that holds the `lock`.
    """
    rows = await (await connection.execute(_SQL["placed"])).fetchall()
    wanted = assign(cells, [Placed(*row[:4]) for row in rows])
    moves = [
        Move(code, cell, wanted[code].cell, wanted[code].method)
        for code, *_, cell, method in rows
        if (wanted[code].cell, wanted[code].method) != (cell, method)
    ]
    changed = {
        "codes": [move.terminal for move in moves],
        "cells": [move.after for move in moves],
        "methods": [str(move.method) for move in moves],
    }
    for name in ("forget_memberships", "end_memberships", "begin_memberships"):
        await connection.execute(_SQL[name], changed)
    await carry(connection)
    return sorted(moves, key=lambda move: move.terminal)
