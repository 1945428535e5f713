"""Brings technicians from a file into the database."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from psycopg import AsyncConnection
from psycopg.rows import TupleRow

from fleet.db.sql import load
from fleet.dispatch.place import Place
from fleet.dispatch.roster import Enrolled
from fleet.grid.cell import ImportRefused, Problem
from fleet.rules.rule import SKILLS
from fleet.sla.calendar import Hours

_SQL = load("api.technicians", "enrolling")


@dataclass(frozen=True, slots=True)
class RosterChanges:
    """What an import changed, by code."""

    added: list[str]
    changed: list[str]
    unchanged: int


async def import_technicians(
    connection: AsyncConnection[TupleRow],
    people: Sequence[Enrolled],
    found: Sequence[Problem] = (),
    *,
    dry_run: bool = False,
) -> RosterChanges:
    """Add and change technicians, in one transaction; those the file does not name stay.

    Raises `ImportRefused` with every problem there is. A dry run does all of it and takes it back.
    """
    async with connection.transaction(force_rollback=dry_run):
        await connection.execute(_SQL["lock"])
        cells = await _words(connection, "cells")
        skills = {*SKILLS, *await _words(connection, "terminal_skills")}
        refused = [
            *found,
            *(
                Problem(one.code, f"neither a rule nor a terminal takes the skill {skill}")
                for one in people
                for skill in one.skills
                if skill not in skills
            ),
            *(
                Problem(one.code, f"there is no cell {cell}")
                for one in people
                for cell in one.cells
                if cell not in cells
            ),
        ]
        if refused:
            raise ImportRefused(refused)
        standing = await _standing(connection, people)
        written = [one for one in people if standing.get(one.code) != _in_order(one)]
        for one in written:
            await _write(connection, one)
        await connection.execute(_SQL["announce"])
    return RosterChanges(
        added=sorted(one.code for one in written if one.code not in standing),
        changed=sorted(one.code for one in written if one.code in standing),
        unchanged=len(people) - len(written),
    )


async def _words(connection: AsyncConnection[TupleRow], statement: str) -> set[str]:
    return {word for (word,) in await (await connection.execute(_SQL[statement])).fetchall()}


async def _standing(
    connection: AsyncConnection[TupleRow], people: Sequence[Enrolled]
) -> Mapping[str, Enrolled]:
    codes = [one.code for one in people]
    rows = await (await connection.execute(_SQL["standing"], {"codes": codes})).fetchall()
    return {
        row[0]: Enrolled(
            code=row[0],
            name=row[1],
            skills=tuple(row[2]),
            cells=tuple(row[3]),
            lines=tuple(sorted(row[4])),
            home=None if row[5] is None else Place(row[5], row[6]),
            zone=row[7],
            shifts=tuple(Hours(*shift) for shift in row[8]),
            most_visits=row[9],
        )
        for row in rows
    }


def _in_order(one: Enrolled) -> Enrolled:
    return replace(one, cells=tuple(sorted(one.cells)))


async def _write(connection: AsyncConnection[TupleRow], one: Enrolled) -> None:
    person = {
        "code": one.code,
        "name": one.name,
        "skills": list(one.skills),
        "cells": list(one.cells),
        "lines": list(one.lines),
        "latitude": one.home and one.home.latitude,
        "longitude": one.home and one.home.longitude,
        "zone": one.zone,
        "most_visits": one.most_visits,
        "weekdays": [shift.weekday for shift in one.shifts],
        "begins": [shift.opens for shift in one.shifts],
        "ends": [shift.closes for shift in one.shifts],
    }
    for statement in ("write", "leave_cells", "enter_cells", "forget_shifts", "write_shifts"):
        await connection.execute(_SQL[statement], person)
