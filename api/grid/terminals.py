"""Brings the registry of terminals from a file into the database, each into its cell."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from datetime import datetime

from psycopg import AsyncConnection
from psycopg.rows import TupleRow, dict_row

from api.errors import NotFound
from api.grid.cells import read_grid
from api.grid.membership import Move, reassign
from api.windows.expansion import expand_schedule
from fleet.db.sql import load
from fleet.grid.cell import Cell, ImportRefused, Problem
from fleet.grid.registry import Registered

_SQL = load("api.grid", "store")
_MAY_BE_UNSAID = frozenset({"commissioned_at", "skills", "schedule"})


@dataclass(frozen=True, slots=True)
class RegistryChanges:
    """What an import changed: codes of terminals and regions, and who is in which cell now.

    `out_of_fleet` were taken out of it: they stay out, and as they are.
    """

    added: list[str]
    changed: list[str]
    unchanged: int
    regions: list[str]
    out_of_fleet: list[str]
    moves: list[Move]


async def import_terminals(
    connection: AsyncConnection[TupleRow],
    terminals: Sequence[Registered],
    found: Sequence[Problem] = (),
    *,
    author: str = "tellergrid",
    dry_run: bool = False,
) -> RegistryChanges:
    """Add and change terminals, in one transaction; those the file does not name stay.

    An override that a file leaves empty ends. A service schedule is served by from now on. A dry
    run does all of it and takes it back. Raises `ImportRefused` with every problem there is.
    """
    async with connection.transaction(force_rollback=dry_run):
        await connection.execute(_SQL["lock"])
        await connection.execute(_SQL["begin"])
        cells = await read_grid(connection)
        refused = [*found, *await _unknown(connection, terminals, cells)]
        if refused:
            raise ImportRefused(refused)
        codes = [one.code for one in terminals]
        standing, gone = await registered(connection, codes), await out_of_fleet(connection, codes)
        asked = [one for one in terminals if one.code not in gone]
        written = [one for one in asked if _differs(one, standing.get(one.code))]
        regions = await _write(connection, written)
        await _schedule(connection, written, standing, author)
        moves = await reassign(connection, cells)
        await connection.execute(_SQL["announce"])
    return RegistryChanges(
        added=sorted(one.code for one in written if one.code not in standing),
        changed=sorted(one.code for one in written if one.code in standing),
        unchanged=len(asked) - len(written),
        regions=regions,
        out_of_fleet=sorted(gone),
        moves=moves,
    )


async def decommission(connection: AsyncConnection[TupleRow], code: str) -> None:
    """Take a terminal out of the fleet, from now on if it is in it; raises `NotFound`."""
    if not await registered(connection, [code]):
        raise NotFound("terminal", code)
    await connection.execute(_SQL["decommission"], {"code": code})
    await connection.execute(_SQL["announce"])


async def registered(
    connection: AsyncConnection[TupleRow], codes: Sequence[str]
) -> Mapping[str, Registered]:
    """What the registry says of terminals, by code."""
    async with connection.cursor(row_factory=dict_row) as cursor:
        await cursor.execute(_SQL["registered"], {"codes": list(codes)})
        rows = await cursor.fetchall()
    return {row["code"]: Registered(**row | {"skills": tuple(row["skills"])}) for row in rows}


async def out_of_fleet(
    connection: AsyncConnection[TupleRow], codes: Sequence[str]
) -> Mapping[str, datetime]:
    """Which of them were taken out of the fleet, and since when.

    None comes back: its last state would pass for the one of all the time that it was away.
    """
    rows = await (await connection.execute(_SQL["out_of_fleet"], {"codes": [*codes]})).fetchall()
    return dict(rows)


async def _unknown(
    connection: AsyncConnection[TupleRow], terminals: Sequence[Registered], cells: Sequence[Cell]
) -> list[Problem]:
    codes = {cell.code for cell in cells}
    schedules = {code for (code,) in await (await connection.execute(_SQL["schedules"])).fetchall()}
    return [
        Problem(terminal.code, f"there is no {what} {code}")
        for terminal in terminals
        for what, code, known in (
            ("cell", terminal.cell, codes),
            ("schedule", terminal.schedule, schedules),
        )
        if code and code not in known
    ]


def _differs(one: Registered, standing: Registered | None) -> bool:
    """Whether a file says anything new; what it does not say is nothing new."""
    if standing is None:
        return True
    return any(
        getattr(one, field.name) != getattr(standing, field.name)
        for field in fields(Registered)
        if field.name not in _MAY_BE_UNSAID or getattr(one, field.name) is not None
    )


async def _write(
    connection: AsyncConnection[TupleRow], terminals: Sequence[Registered]
) -> list[str]:
    codes = sorted({one.region for one in terminals})
    cursor = await connection.execute(_SQL["regions"], {"codes": codes})
    regions = sorted(code for (code,) in await cursor.fetchall())
    await connection.execute(_SQL["write_terminals"], _columns(terminals))
    skilled = [one for one in terminals if one.skills is not None]
    await connection.execute(_SQL["write_skills"], _columns(skilled))
    dated = [one for one in terminals if one.commissioned_at is not None]
    await connection.execute(_SQL["recommission"], _columns(dated))
    return regions


def _columns(terminals: Sequence[Registered]) -> dict[str, list[object]]:
    columns: dict[str, list[object]] = {
        field.name: [getattr(one, field.name) for one in terminals] for field in fields(Registered)
    }
    columns["skills"] = [None if one.skills is None else _array(one.skills) for one in terminals]
    return columns


def _array(texts: Sequence[str]) -> str:
    """As PostgreSQL writes an array of texts."""
    quoted = (text.replace("\\", "\\\\").replace('"', '\\"') for text in texts)
    return "{" + ",".join(f'"{text}"' for text in quoted) + "}"


async def _schedule(
    connection: AsyncConnection[TupleRow],
    written: Sequence[Registered],
    standing: Mapping[str, Registered],
    author: str,
) -> None:
    """Let terminals serve by the schedules that are said of them, from now on."""
    moved = [
        one
        for one in written
        if one.schedule is not None
        and one.schedule != (standing[one.code].schedule if one.code in standing else "")
    ]
    if not moved:
        return
    parameters = {
        "codes": [one.code for one in moved],
        "schedules": [one.schedule for one in moved],
        "author": author,
    }
    for name in ("forget_uses", "end_uses", "begin_uses"):
        await connection.execute(_SQL[name], parameters)
    for code in sorted({one.schedule for one in moved if one.schedule}):
        await expand_schedule(connection, code)
