"""Splits, merges and moves cells, each with what follows for the terminals and the cells below."""

from collections.abc import Iterable, Sequence
from dataclasses import replace

from psycopg import AsyncConnection
from psycopg.rows import TupleRow

from api.errors import NotFound
from api.grid.cells import GridChanges, Wish, import_cells, read_grid
from fleet.grid import redraw
from fleet.grid.cell import Cell, Problem


async def split(
    connection: AsyncConnection[TupleRow],
    code: str,
    parts: Sequence[Cell],
    found: Sequence[Problem],
    wish: Wish,
) -> GridChanges:
    """Put parts in the place of a cell; raises `NotFound` or `ImportRefused`."""
    [cell] = await _standing(connection, [code])
    drawn = redraw.split(cell, parts, wish.tolerance)
    others = {part.code for part in parts} - {code}
    return await _carry_out(connection, drawn, [*found, *await _there(connection, others)], wish)


async def merge(
    connection: AsyncConnection[TupleRow],
    codes: Sequence[str],
    into: str,
    name: str | None,
    wish: Wish,
) -> GridChanges:
    """Put one cell in the place of several; raises `NotFound` or `ImportRefused`."""
    cells = await _standing(connection, codes)
    below = [cell for cell in await read_grid(connection) if cell.parent in codes]
    found = await _there(connection, {into} - set(codes))
    return await _carry_out(connection, redraw.merge(cells, below, into, name), found, wish)


async def move(
    connection: AsyncConnection[TupleRow], code: str, under: str, wish: Wish
) -> GridChanges:
    """Put a cell under another one, whose level must be above its own."""
    cell, *_ = await _standing(connection, [code, under])
    return await import_cells(connection, [replace(cell, parent=under)], (), wish)


async def _standing(connection: AsyncConnection[TupleRow], codes: Sequence[str]) -> list[Cell]:
    standing = {cell.code: cell for cell in await read_grid(connection)}
    for code in codes:
        if code not in standing:
            raise NotFound("cell", code)
    return [standing[code] for code in dict.fromkeys(codes)]


async def _there(connection: AsyncConnection[TupleRow], codes: Iterable[str]) -> list[Problem]:
    """Cells that stand, and would be drawn anew in the place of others: each loses its own."""
    standing = {cell.code for cell in await read_grid(connection)}
    what = "stands elsewhere, and would lose its ground: call it otherwise"
    return [Problem(code, what) for code in codes if code in standing]


async def _carry_out(
    connection: AsyncConnection[TupleRow],
    drawn: redraw.Redrawn,
    found: Sequence[Problem],
    wish: Wish,
) -> GridChanges:
    wish = replace(wish, complete=False, ends=drawn.ended)
    return await import_cells(connection, drawn.written, [*found, *drawn.problems], wish)
