"""Brings the registry of terminals from a file into the database, each into its cell."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields

from psycopg import AsyncConnection
from psycopg.rows import TupleRow

from api.grid.cells import read_grid
from api.grid.membership import Move, reassign
from fleet.db.sql import load
from fleet.grid.cell import ImportRefused, Problem
from fleet.grid.registry import Registered

_SQL = load("api.grid", "store")


@dataclass(frozen=True, slots=True)
class RegistryChanges:
    """What an import changed: codes of terminals and regions, and who is in which cell now."""

    added: list[str]
    changed: list[str]
    unchanged: int
    regions: list[str]
    moves: list[Move]


async def import_terminals(
    connection: AsyncConnection[TupleRow],
    terminals: Sequence[Registered],
    found: Sequence[Problem] = (),
    *,
    dry_run: bool = False,
) -> RegistryChanges:
    """Add and change terminals, in one transaction; those the file does not name stay.

    An override that a file leaves empty ends. Raises `ImportRefused` with every problem there is.
    A dry run does all of it and takes it back.
    """
    async with connection.transaction(force_rollback=dry_run):
        await connection.execute(_SQL["lock"])
        cells = await read_grid(connection)
        codes = {cell.code for cell in cells}
        refused = [
            *found,
            *(
                Problem(terminal.code, f"there is no cell {terminal.cell}")
                for terminal in terminals
                if terminal.cell is not None and terminal.cell not in codes
            ),
        ]
        if refused:
            raise ImportRefused(refused)
        standing = await _registered(connection, terminals)
        written = [one for one in terminals if _differs(one, standing.get(one.code))]
        regions = await _write(connection, written)
        moves = await reassign(connection, cells)
        await connection.execute(_SQL["announce"])
    return RegistryChanges(
        added=sorted(one.code for one in written if one.code not in standing),
        changed=sorted(one.code for one in written if one.code in standing),
        unchanged=len(terminals) - len(written),
        regions=regions,
        moves=moves,
    )


async def _registered(
    connection: AsyncConnection[TupleRow], terminals: Sequence[Registered]
) -> Mapping[str, Registered]:
    codes = [terminal.code for terminal in terminals]
    cursor = await connection.execute(_SQL["registered"], {"codes": codes})
    return {row[0]: Registered(*row) for row in await cursor.fetchall()}


def _differs(one: Registered, standing: Registered | None) -> bool:
    if standing is None:
        return True
    names = [field.name for field in fields(Registered) if field.name != "commissioned_at"]
    if any(getattr(one, name) != getattr(standing, name) for name in names):
        return True
    return one.commissioned_at not in (None, standing.commissioned_at)


async def _write(
    connection: AsyncConnection[TupleRow], terminals: Sequence[Registered]
) -> list[str]:
    columns = {
        field.name: [getattr(one, field.name) for one in terminals] for field in fields(Registered)
    }
    codes = sorted({one.region for one in terminals})
    cursor = await connection.execute(_SQL["regions"], {"codes": codes})
    regions = sorted(code for (code,) in await cursor.fetchall())
    await connection.execute(_SQL["write_terminals"], columns)
    await connection.execute(_SQL["recommission"], columns)
    return regions
