"""Which cell a terminal is in: an override, else the polygon that holds it, else `UNASSIGNED`."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum

import shapely

from fleet.grid import UNASSIGNED
from fleet.grid.cell import Cell


class Method(StrEnum):
    """How a terminal came to its cell."""

    OVERRIDE = "override"
    POLYGON = "polygon"
    BORDER = "border"
    UNASSIGNED = "unassigned"


@dataclass(frozen=True, slots=True)
class Placed:
    """Where something stands, WGS 84; `override` is the cell it is in whatever the map says."""

    key: str
    longitude: float
    latitude: float
    override: str | None = None


@dataclass(frozen=True, slots=True)
class Assignment:
    """The cell of a terminal and why it is that."""

    cell: str
    method: Method


_NOWHERE = Assignment(UNASSIGNED, Method.UNASSIGNED)


def assign(cells: Sequence[Cell], terminals: Sequence[Placed]) -> dict[str, Assignment]:
    """The assignment of every terminal, by its key.

    Of cells within one another the deepest holds it; of several as deep, on a border, the lowest
    code. An override counts only while its cell is among the cells.
    """
    codes = {cell.code for cell in cells}
    given = {
        terminal.key: Assignment(terminal.override, Method.OVERRIDE)
        for terminal in terminals
        if terminal.override in codes and terminal.override is not None
    }
    mapped = [terminal for terminal in terminals if terminal.key not in given]
    return dict.fromkeys((t.key for t in mapped), _NOWHERE) | given | _by_polygon(cells, mapped)


def _by_polygon(cells: Sequence[Cell], terminals: Sequence[Placed]) -> dict[str, Assignment]:
    if not terminals:
        return {}
    shapes = [cell.shape() for cell in cells]
    points = shapely.points([(t.longitude, t.latitude) for t in terminals])
    asked, hits = shapely.STRtree(shapes).query(points, predicate="intersects")
    holding: dict[int, list[Cell]] = {}
    for point, hit in zip(asked.tolist(), hits.tolist(), strict=True):
        holding.setdefault(point, []).append(cells[hit])
    return {terminals[point].key: _deepest(held) for point, held in holding.items()}


def _deepest(holding: Iterable[Cell]) -> Assignment:
    cells = list(holding)
    level = max(cell.level for cell in cells)
    deepest = sorted(cell.code for cell in cells if cell.level == level)
    return Assignment(deepest[0], Method.POLYGON if len(deepest) == 1 else Method.BORDER)
