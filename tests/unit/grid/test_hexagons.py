"""Grids of hexagons."""

import pytest

from fleet.grid import geojson
from fleet.grid.assignment import Placed, assign
from fleet.grid.hexagons import hexagons
from fleet.grid.soundness import problems


def test_a_generated_grid_is_sound_and_survives_its_file() -> None:
    """Two rings are 19 cells under one; the middle is in one of them."""
    cells = list(hexagons(30.2741, 120.1551, 8, 2))
    assert [cell.level for cell in cells] == [0] + [1] * 19
    assert problems(cells) == []
    read, wrong = geojson.read(geojson.write(cells))
    assert wrong == []
    assert {cell.code for cell in read} == {cell.code for cell in cells}
    assert assign(read, [Placed("T", 120.1551, 30.2741)])["T"].cell in {c.code for c in cells[1:]}


@pytest.mark.parametrize(("resolution", "rings"), [(0, 1), (16, 1), (8, -1)])
def test_what_cannot_be_drawn_is_refused(resolution: int, rings: int) -> None:
    """No such resolution, no such ring."""
    with pytest.raises(ValueError, match="must"):
        list(hexagons(30, 120, resolution, rings))
