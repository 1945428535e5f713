"""A grid made of H3 hexagons around a place, for a bank that has drawn none yet."""

from collections.abc import Iterator

import h3

from fleet.grid.cell import Cell

COARSEST, FINEST = 1, 15
MOST_RINGS = 100  # thirty thousand hexagons, and half of what may be imported over HTTP


def hexagons(latitude: float, longitude: float, resolution: int, rings: int) -> Iterator[Cell]:
    """The hexagons within so many rings of the one that holds a place, under one cell above.

    Cells are named by their H3 index, so the same place gives the same cells every time. The cell
    above them is drawn as all of them together. Raises `ValueError` on what cannot be drawn.
    """
    if not COARSEST <= resolution <= FINEST:
        raise ValueError(f"the resolution must be from {COARSEST} to {FINEST}, not {resolution}")
    if not 0 <= rings <= MOST_RINGS:
        raise ValueError(f"the number of rings must be from 0 to {MOST_RINGS}, not {rings}")
    centre = h3.latlng_to_cell(latitude, longitude, resolution)
    indexes = sorted(h3.grid_disk(centre, rings))
    area = f"area-{centre}"
    outline = h3.cells_to_h3shape(indexes).__geo_interface__
    yield Cell(area, f"Area {centre}", 0, None, _plain(outline))
    for index in indexes:
        boundary = h3.cells_to_h3shape([index]).__geo_interface__
        yield Cell(index, f"Cell {index}", 1, area, _plain(boundary))


def _plain(geometry: object) -> dict[str, object]:
    """GeoJSON with lists for tuples, as a file has it."""
    assert isinstance(geometry, dict)  # noqa: S101 - the protocol of __geo_interface__
    return {"type": geometry["type"], "coordinates": _lists(geometry["coordinates"])}


def _lists(value: object) -> object:
    return [_lists(one) for one in value] if isinstance(value, list | tuple) else value
