"""Which cell a terminal is in, and why."""

from fleet.grid.assignment import Assignment, Method, Placed, assign
from tests.unit.grid.squares import cell, ring, square

HOLED = {"type": "Polygon", "coordinates": [ring(0, 0, 10, 10), ring(4, 4, 6, 6)]}
GRID = [
    cell("D", square(0, 0, 20, 10)),
    cell("B", HOLED, "D", 1),
    cell("A", square(10, 0, 20, 10), "D", 1),
]


def at(x: float, y: float, override: str | None = None) -> Assignment:
    return assign(GRID, [Placed("T", 120 + x * 0.01, 30 + y * 0.01, override)])["T"]


def test_the_deepest_polygon_that_holds_it() -> None:
    """A cell within a district; in a hole of the cell only the district is left."""
    assert at(1, 1) == Assignment("B", Method.POLYGON)
    assert at(15, 5) == Assignment("A", Method.POLYGON)
    assert at(5, 5) == Assignment("D", Method.POLYGON)


def test_on_a_border_the_lowest_code() -> None:
    """Neither cell is more right than the other, so the rule is one that never changes."""
    assert at(10, 5) == Assignment("A", Method.BORDER)


def test_outside_is_unassigned() -> None:
    """Seen and serviced, but in no cell."""
    assert at(-1, -1) == Assignment("UNASSIGNED", Method.UNASSIGNED)
    assert assign([], [Placed("T", 120, 30)])["T"].cell == "UNASSIGNED"
    assert assign(GRID, []) == {}


def test_an_override_is_stronger_than_the_map_while_its_cell_stands() -> None:
    """Bank staff know better; a cell that is gone binds nobody."""
    assert at(1, 1, "A") == Assignment("A", Method.OVERRIDE)
    assert at(1, 1, "GONE") == Assignment("B", Method.POLYGON)
