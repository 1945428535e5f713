"""Brings the cells of a map file into the database, and gives them back as they were."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from psycopg import AsyncConnection
from psycopg.rows import TupleRow

from api.grid.membership import Move, reassign
from fleet.db.sql import load
from fleet.grid.cell import Cell, ImportRefused, Problem
from fleet.grid.soundness import OVERLAP_TOLERANCE, problems

_SQL = load("api.grid", "store")


@dataclass(frozen=True, slots=True)
class GridChanges:
    """What an import changed: codes of cells, and the terminals that are in another one."""

    added: list[str]
    changed: list[str]
    ended: list[str]
    unchanged: int
    moves: list[Move]


async def read_grid(
    connection: AsyncConnection[TupleRow], at: datetime | None = None
) -> list[Cell]:
    """The cells that stand, or those that stood at an instant (then without the people)."""
    name = "standing" if at is None else "standing_at"
    cursor = await connection.execute(_SQL[name], {"at": at} if at else None)
    return [_cell(row) for row in await cursor.fetchall()]


async def import_cells(
    connection: AsyncConnection[TupleRow],
    cells: Sequence[Cell],
    found: Sequence[Problem] = (),
    *,
    complete: bool = False,
    tolerance: float = OVERLAP_TOLERANCE,
    dry_run: bool = False,
) -> GridChanges:
    """Bring the grid to a file's cells, from now on, in one transaction; move the terminals.

    `found` is what is wrong with the file already. With `complete` the file is the whole grid and
    other cells end. A dry run does all of it and takes it back, so what it says is what would be.
    Raises `ImportRefused` with every problem there is, and then has changed nothing.
    """
    async with connection.transaction(force_rollback=dry_run):
        await connection.execute(_SQL["lock"])
        standing = {cell.code: cell for cell in await read_grid(connection)}
        named = {cell.code for cell in cells}
        beside = [] if complete else [c for c in standing.values() if c.code not in named]
        people = [
            code for (code,) in await (await connection.execute(_SQL["technicians"])).fetchall()
        ]
        refused = [*found, *problems(cells, beside, people, tolerance)]
        if refused:
            raise ImportRefused(refused)
        written = [cell for cell in cells if _differs(cell, standing.get(cell.code))]
        ended = sorted(standing.keys() - named) if complete else []
        await _write(connection, written, ended)
        moves = await reassign(connection, [*beside, *cells])
        await connection.execute(_SQL["announce"])
    return GridChanges(
        added=sorted(cell.code for cell in written if cell.code not in standing),
        changed=sorted(cell.code for cell in written if cell.code in standing),
        ended=ended,
        unchanged=len(cells) - len(written),
        moves=moves,
    )


def _cell(row: TupleRow) -> Cell:
    code, name, level, parent, boundary, properties, people = row
    return Cell(
        code, name, level, parent, boundary, None if people is None else tuple(people), properties
    )


def _differs(cell: Cell, standing: Cell | None) -> bool:
    """Whether a file's cell is another than the one that stands, in what the file says."""
    if standing is None:
        return True
    people = standing.people if cell.people is None else cell.people
    said = (cell.name, cell.level, cell.parent, cell.boundary, cell.properties, people)
    known = (standing.name, standing.level, standing.parent, standing.boundary)
    return said != (*known, standing.properties, standing.people)


async def _write(
    connection: AsyncConnection[TupleRow], cells: Sequence[Cell], ended: Sequence[str]
) -> None:
    await connection.execute(_SQL["end_cells"], {"codes": ended})
    await connection.execute(
        _SQL["write_cells"],
        {name: [getattr(cell, name) for cell in cells] for name in ("code", "name", "level")}
        | {
            "parent": [cell.parent for cell in cells],
            "boundary": [json.dumps(cell.boundary) for cell in cells],
            "properties": [json.dumps(cell.properties) for cell in cells],
        },
    )
    manned = [cell for cell in cells if cell.people is not None]
    await connection.execute(_SQL["dismiss_people"], {"codes": [cell.code for cell in manned]})
    answers = [(person, cell.code) for cell in manned for person in cell.people or ()]
    await connection.execute(
        _SQL["appoint_people"],
        {"people": [person for person, _ in answers], "cells": [cell for _, cell in answers]},
    )
