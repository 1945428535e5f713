"""What is wrong with a grid: all of it at once, so that a map is mended in one go."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence

import shapely

from fleet.grid import UNASSIGNED
from fleet.grid.cell import Cell, Problem

OVERLAP_TOLERANCE = 0.001
"""The share of the smaller cell that two neighbours drawn by hand may overlap."""


def problems(
    cells: Sequence[Cell],
    standing: Iterable[Cell] = (),
    people: Iterable[str] | None = None,
    tolerance: float = OVERLAP_TOLERANCE,
) -> list[Problem]:
    """What is wrong with cells that are to come beside `standing` ones (of other codes).

    `people` are the technicians there are, where that is to be checked.
    """
    beside = {cell.code: cell for cell in standing}
    found = [
        Problem(code, f"is there {times} times: a code names one cell")
        for code, times in Counter(cell.code for cell in cells).items()
        if times > 1
    ]
    grid = beside | {cell.code: cell for cell in cells}
    for cell in cells:
        found += _of_tree(cell, grid)
    if people is not None:
        known = set(people)
        found += [
            Problem(cell.code, f"there is no technician {person}")
            for cell in cells
            for person in cell.people or ()
            if person not in known
        ]
    drawn, broken = _drawn(grid, {cell.code for cell in cells})
    return [*found, *broken, *_overlaps(cells, grid, drawn, tolerance)]


def _of_tree(cell: Cell, grid: Mapping[str, Cell]) -> list[Problem]:
    """Levels grow from parent to child, so where these hold the tree has no circle."""
    if cell.code == UNASSIGNED:
        return [Problem(cell.code, "is the name of having no cell; call it otherwise")]
    if cell.parent is None:
        return []
    above = grid.get(cell.parent)
    if above is None or cell.parent == UNASSIGNED:
        return [Problem(cell.code, f"is an orphan: there is no cell {cell.parent}")]
    if cell.level < 0:
        return [Problem(cell.code, "has no level, and none follows from its parents")]
    if cell.level <= above.level:
        what = f"is of level {cell.level}, its parent {above.code} of level {above.level}"
        return [Problem(cell.code, f"{what}: levels grow downwards")]
    return []


def _drawn(
    grid: Mapping[str, Cell], judged: Iterable[str]
) -> tuple[dict[str, shapely.Geometry], list[Problem]]:
    """The shapes that are sound, and why the judged ones among the others are not."""
    drawn: dict[str, shapely.Geometry] = {}
    broken: list[Problem] = []
    new = set(judged)
    for code, cell in grid.items():
        try:
            shape = cell.shape()
            reason = None if shape.is_valid else shapely.is_valid_reason(shape)
        except (ValueError, shapely.errors.GEOSException) as error:
            reason = str(error)
        if reason is None and not shape.is_empty:
            drawn[code] = shape
        elif code in new:
            broken.append(Problem(code, f"invalid geometry: {reason or 'it is empty'}"))
    return drawn, broken


def _overlaps(
    cells: Sequence[Cell],
    grid: Mapping[str, Cell],
    drawn: Mapping[str, shapely.Geometry],
    tolerance: float,
) -> Iterable[Problem]:
    """Cells of one level that share more ground than slips of the pen do."""
    codes = list(drawn)
    tree = shapely.STRtree([drawn[code] for code in codes])
    new = sorted({cell.code for cell in cells if cell.code in drawn})
    if not new:
        return
    asked, hits = tree.query([drawn[code] for code in new], predicate="intersects")
    pairs = {
        tuple(sorted((new[a], codes[b])))
        for a, b in zip(asked.tolist(), hits.tolist(), strict=True)
        if new[a] != codes[b] and grid[new[a]].level == grid[codes[b]].level
    }
    for one, other in sorted(pairs):
        shared = drawn[one].intersection(drawn[other]).area
        share = shared / min(drawn[one].area, drawn[other].area)
        if share > tolerance:
            yield Problem(one, f"overlaps {other} by {share:.1%} of the smaller of the two")
