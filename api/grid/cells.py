"""Brings the cells of a map file into the database, and gives them back as they were."""

import json
from collections.abc import Iterator, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, replace
from datetime import datetime

from psycopg import AsyncConnection
from psycopg.rows import TupleRow

from api.grid.membership import Move, reassign
from api.scope import EVERYTHING, Scope
from fleet.db.sql import load
from fleet.grid.cell import Cell, ImportRefused, Problem
from fleet.grid.geojson import levelled
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
    version: int | None = None


@dataclass(frozen=True, slots=True)
class Wish:
    """How a change of the map is meant, and whose it is.

    With `complete` the file is the whole grid and other cells end; else those in `ends` do. A dry
    run does all of it and takes it back, so what it says is what would be.
    """

    author: str = "tellergrid"
    reason: str = "import"
    complete: bool = False
    ends: tuple[str, ...] = ()
    tolerance: float = OVERLAP_TOLERANCE
    dry_run: bool = False


_PLAIN = Wish()


async def read_grid(
    connection: AsyncConnection[TupleRow], at: datetime | None = None, scope: Scope = EVERYTHING
) -> list[Cell]:
    """The cells that stand, or those that stood at an instant, each with its people then."""
    name = "standing" if at is None else "standing_at"
    cursor = await connection.execute(_SQL[name], {"at": at, "scope": scope.parameter})
    return [_cell(row) for row in await cursor.fetchall()]


async def import_cells(
    connection: AsyncConnection[TupleRow],
    cells: Sequence[Cell],
    found: Sequence[Problem] = (),
    wish: Wish = _PLAIN,
) -> GridChanges:
    """Bring the grid to a file's cells, from now on, in one transaction; move the terminals.

    `found` is what is wrong with the file already. Raises `ImportRefused` with every problem there
    is, and then has changed nothing.
    """
    async with connection.transaction(force_rollback=wish.dry_run):
        await connection.execute(_SQL["lock"])
        await connection.execute(_SQL["begin"])
        standing = {cell.code: cell for cell in await read_grid(connection)}
        cells = levelled(cells, {code: cell.level for code, cell in standing.items()})
        named = {cell.code for cell in cells}
        ending = standing.keys() - named if wish.complete else set(wish.ends) - named
        beside = [
            cell for cell in standing.values() if cell.code not in named and cell.code not in ending
        ]
        cursor = await connection.execute(_SQL["technicians"])
        people = [code for (code,) in await cursor.fetchall()]
        refused = [
            *found,
            *problems(cells, beside, people, wish.tolerance),
            *_left(beside, ending),
            *(Problem(code, "cannot end: it does not stand") for code in ending - standing.keys()),
            *(Problem(code, "cannot end: the file has it") for code in named & set(wish.ends)),
        ]
        if refused:
            raise ImportRefused(refused)
        written = [cell for cell in cells if _differs(cell, standing.get(cell.code))]
        changes = GridChanges(
            added=sorted(cell.code for cell in written if cell.code not in standing),
            changed=sorted(cell.code for cell in written if cell.code in standing),
            ended=sorted(ending),
            unchanged=len(cells) - len(written),
            moves=[],
        )
        await _write(connection, written, changes.ended)
        version = await _new_version(connection, changes, wish)
        moves = await reassign(connection, [*beside, *cells])
        await connection.execute(_SQL["announce"])
    return replace(changes, moves=moves, version=None if wish.dry_run else version)


async def _new_version(
    connection: AsyncConnection[TupleRow], changes: GridChanges, wish: Wish
) -> int | None:
    """Note what is changed on the map; nothing where nothing is."""
    if not (changes.added or changes.changed or changes.ended):
        return None
    parameters = {
        "author": wish.author,
        "reason": wish.reason,
        "added": changes.added,
        "changed": changes.changed,
        "ended": changes.ended,
    }
    cursor = await connection.execute(_SQL["new_version"], parameters)
    [(version,)] = await cursor.fetchall()
    found: int = version
    return found


def _left(beside: Sequence[Cell], ending: AbstractSet[str]) -> Iterator[Problem]:
    """Cells that would stay while the one above them ends."""
    for cell in beside:
        if cell.parent in ending:
            yield Problem(cell.code, f"would be an orphan: {cell.parent} above it ends")


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
