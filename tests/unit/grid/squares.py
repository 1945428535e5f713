"""Maps for tests, drawn on squared paper: degrees around 120° east, 30° north, scaled down."""

import json
from typing import Any

from fleet.grid.cell import Cell

_UNIT = 0.01


def ring(west: float, south: float, east: float, north: float) -> list[list[float]]:
    corners = [(west, south), (east, south), (east, north), (west, north), (west, south)]
    return [[120 + x * _UNIT, 30 + y * _UNIT] for x, y in corners]


def square(*sides: float) -> dict[str, Any]:
    return {"type": "Polygon", "coordinates": [ring(*sides)]}


def cell(code: str, boundary: dict[str, Any], parent: str | None = None, level: int = 0) -> Cell:
    return Cell(code, f"Cell {code}", level, parent, boundary)


def feature(boundary: dict[str, Any] | None, **properties: Any) -> dict[str, Any]:
    return {"type": "Feature", "properties": properties, "geometry": boundary}


def collection(*features: dict[str, Any], **members: Any) -> str:
    return json.dumps({"type": "FeatureCollection", "features": list(features)} | members)
