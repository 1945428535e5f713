"""Cells split into parts and merged into one, so that no ground is lost and nobody is forgotten."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import shapely
import shapely.geometry

from fleet.grid.cell import Cell, Problem


@dataclass(frozen=True, slots=True)
class Redrawn:
    """What a change of the map writes, what it ends, and what is wrong with it."""

    written: tuple[Cell, ...]
    ended: tuple[str, ...]
    problems: tuple[Problem, ...] = ()


def split(cell: Cell, parts: Sequence[Cell], tolerance: float) -> Redrawn:
    """Put parts in the place of a cell; they take its level, its parent, and its people.

    A part may have people of its own. A part that keeps the cell's code is what is left of it.
    Together the parts must cover what the cell covered, but for the share `tolerance` of it.
    """
    placed = tuple(
        replace(
            part,
            level=cell.level,
            parent=cell.parent,
            people=cell.people if part.people is None else part.people,
        )
        for part in parts
    )
    ended = () if any(part.code == cell.code for part in parts) else (cell.code,)
    if len(parts) < 2:
        problem = Problem(cell.code, "is split into two parts or more")
        return Redrawn(placed, ended, (problem,))
    return Redrawn(placed, ended, tuple(_uncovered(cell, parts, tolerance)))


def merge(cells: Sequence[Cell], below: Sequence[Cell], code: str, name: str | None) -> Redrawn:
    """Put one cell in the place of several; `below` are the cells whose parents they are.

    It is drawn as all of them together and has all their people. It may keep the code of one.
    """
    problems = []
    if len(cells) < 2:
        problems.append(Problem(code, "is merged from two cells or more"))
    first = cells[0]
    problems += [
        Problem(cell.code, f"is of another level or parent than {first.code}: move it there first")
        for cell in cells[1:]
        if (cell.level, cell.parent) != (first.level, first.parent)
    ]
    kept = next((cell for cell in cells if cell.code == code), None)
    one = Cell(
        code=code,
        name=name or (kept.name if kept else code),
        level=first.level,
        parent=first.parent,
        boundary=_together(cells),
        people=tuple(sorted({person for cell in cells for person in cell.people or ()})),
        properties=kept.properties if kept else {},
    )
    moved = (replace(cell, parent=code) for cell in below if cell.parent != code)
    ended = tuple(cell.code for cell in cells if cell.code != code)
    return Redrawn((one, *moved), ended, tuple(problems))


def _together(cells: Sequence[Cell]) -> dict[str, object]:
    shape = shapely.union_all([cell.shape() for cell in cells])
    drawn = shapely.geometry.mapping(shape)
    return {"type": drawn["type"], "coordinates": _lists(drawn["coordinates"])}


def _lists(value: object) -> object:
    """GeoJSON with lists for tuples, as a file has it."""
    return [_lists(part) for part in value] if isinstance(value, list | tuple) else value


def _uncovered(cell: Cell, parts: Sequence[Cell], tolerance: float) -> list[Problem]:
    try:
        whole = cell.shape()
        drawn = shapely.union_all([part.shape() for part in parts])
        missing = whole.difference(drawn).area / whole.area
        beyond = drawn.difference(whole).area / whole.area
    except (ValueError, ZeroDivisionError, shapely.errors.GEOSException):
        return []  # the parts are judged one by one, and what is wrong with them is said there
    found = []
    if missing > tolerance:
        found.append(Problem(cell.code, f"would lose {missing:.1%} of its ground: draw it too"))
    if beyond > tolerance:
        found.append(Problem(cell.code, f"has parts that reach {beyond:.1%} beyond it"))
    return found
