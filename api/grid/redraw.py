"""Splits, merges and moves cells, each with what follows for the terminals and the cells below."""

from collections.abc import Sequence
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
    return await _carry_out(connection, drawn, found, wish)


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
    return await _carry_out(connection, redraw.merge(cells, below, into, name), (), wish)


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


async def _carry_out(
    connection: AsyncConnection[TupleRow],
    drawn: redraw.Redrawn,
    found: Sequence[Problem],
    wish: Wish,
) -> GridChanges:
    wish = replace(wish, complete=False, ends=drawn.ended)
    return await import_cells(connection, drawn.written, [*found, *drawn.problems], wish)
