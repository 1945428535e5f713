"""What is wrong with a grid is said all at once."""

from fleet.grid.soundness import problems
from tests.unit.grid.squares import cell, ring, square

DISTRICT = cell("D", square(0, 0, 10, 10))


def test_neighbours_that_touch_are_sound() -> None:
    """A shared border is no overlap, nor is a cell within its district."""
    west = cell("A", square(0, 0, 5, 10), "D", 1)
    east = cell("B", square(5, 0, 10, 10), "D", 1)
    assert problems([DISTRICT, west, east]) == []


def test_a_slip_of_the_pen_is_tolerated_and_more_is_not() -> None:
    """0.02 % of a cell, and 10 %."""
    west = cell("A", square(0, 0, 5.001, 10), "D", 1)
    east = cell("B", square(5, 0, 10, 10), "D", 1)
    far = cell("C", square(4.5, 0, 9, 10), "D", 1)
    assert problems([DISTRICT, west, east]) == []
    assert problems([DISTRICT, west, east], tolerance=0)
    found = [str(one) for one in problems([west, far], [DISTRICT])]
    assert found == ["A: overlaps C by 11.1% of the smaller of the two"]


def test_what_stands_already_is_looked_at_too() -> None:
    """A new cell over an old one is a problem of the new one; old sins are left alone."""
    old = [DISTRICT, cell("A", square(0, 0, 5, 5), "D", 1), cell("B", square(0, 0, 5, 5), "D", 1)]
    assert problems([cell("C", square(6, 6, 9, 9), "D", 1)], old) == []
    found = [str(one) for one in problems([cell("C", square(4, 4, 9, 9), "D", 1)], old)]
    assert [one.split(" by ")[0] for one in found] == ["A: overlaps C", "B: overlaps C"]


def test_all_kinds_of_wrong_at_once() -> None:
    """Doubled, orphaned, upside down, in a circle, crossing itself, unknown people."""
    bow = ring(0, 20, 5, 25)
    bow[1], bow[2] = bow[2], bow[1]
    grid = [
        DISTRICT,
        cell("A", square(0, 0, 1, 1), "D", 1),
        cell("A", square(2, 0, 3, 1), "D", 1),
        cell("O", square(4, 0, 5, 1), "nowhere", 1),
        cell("U", square(6, 0, 7, 1), "A", 1),
        cell("X", square(20, 0, 21, 1), "Y", -1),
        cell("Y", square(22, 0, 23, 1), "X", -1),
        cell("BOW", {"type": "Polygon", "coordinates": [bow]}, "D", 1),
        cell("UNASSIGNED", square(30, 0, 31, 1)),
    ]
    found = sorted(str(one) for one in problems(grid))
    assert [one.split(": ")[0] for one in found] == ["A", "BOW", "O", "U", "UNASSIGNED", "X", "Y"]
    assert "A: is there 2 times: a code names one cell" in found
    assert "O: is an orphan: there is no cell nowhere" in found
    assert "X: has no level, and none follows from its parents" in found
    assert any(one.startswith("BOW: invalid geometry: Self-intersection") for one in found)
