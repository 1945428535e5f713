"""Cells from and to GeoJSON (RFC 7946): a FeatureCollection of polygons and multipolygons.

A feature's properties `code`, `name`, `level`, `parent` and `people` are ours; a file of a foreign
tool may call them otherwise, and then says so by a mapping. Everything else is kept untouched.
"""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from fleet.grid.cell import Cell, Problem
from fleet.grid.datum import Datum, to_wgs84

FIELDS = ("code", "name", "level", "parent", "people")
_WGS84_NAMES = ("CRS84", "EPSG::4326", "EPSG:4326", "OGC:1.3:CRS84")
_LONGEST_CODE, _LONGEST_NAME = 64, 200
_DEEPEST = 100
_RING_DEPTH = {"Polygon": 2, "MultiPolygon": 3}  # lists around a point


class _Wrong(Exception):
    """What is wrong with one feature."""


def read(
    text: str, datum: Datum = Datum.WGS84, names: Mapping[str, str] | None = None
) -> tuple[list[Cell], list[Problem]]:
    """The cells of a file, and what is wrong with its features; a bad feature gives no cell.

    `names` says how the file calls our properties where it calls them otherwise.
    """
    try:
        document = json.loads(text)
    except ValueError as error:
        return [], [Problem("file", f"is not JSON: {error}")]
    if not isinstance(document, dict) or not isinstance(document.get("features"), list):
        return [], [Problem("file", "is not a GeoJSON FeatureCollection")]
    problems = _reference_system(document)
    called = {field: field for field in FIELDS} | dict(names or {})
    drafts: list[Cell] = []
    for number, feature in enumerate(document["features"], 1):
        try:
            drafts.append(_cell(feature, datum, called))
        except _Wrong as error:
            problems.append(Problem(_where(feature, called, number), str(error)))
    return levelled(drafts), problems


def write(cells: Iterable[Cell]) -> str:
    """Cells as a FeatureCollection, upper levels first, one feature a line."""
    lines = [
        json.dumps(_feature(cell), ensure_ascii=False)
        for cell in sorted(cells, key=lambda cell: (cell.level, cell.code))
    ]
    return '{"type": "FeatureCollection", "features": [\n' + ",\n".join(lines) + "\n]}\n"


def _feature(cell: Cell) -> dict[str, Any]:
    ours: dict[str, Any] = {
        "code": cell.code,
        "name": cell.name,
        "level": cell.level,
        "parent": cell.parent,
    }
    if cell.people is not None:
        ours["people"] = list(cell.people)
    return {
        "type": "Feature",
        "properties": ours | dict(cell.properties),
        "geometry": dict(cell.boundary),
    }


def _reference_system(document: Mapping[str, Any]) -> list[Problem]:
    """Tools that follow the older GeoJSON of 2008 name their reference system."""
    crs = document.get("crs")
    properties = crs.get("properties") if isinstance(crs, dict) else None
    name = str(properties.get("name")) if isinstance(properties, dict) else ""
    if not name or name.endswith(_WGS84_NAMES):
        return []
    return [Problem("file", f"is in {name}; export it in WGS 84 (EPSG:4326)")]


def _where(feature: object, called: Mapping[str, str], number: int) -> str:
    properties = feature.get("properties") if isinstance(feature, dict) else None
    code = properties.get(called["code"]) if isinstance(properties, dict) else None
    if code is None:
        return f"feature {number}"
    told = str(code).encode(errors="backslashreplace").decode()  # to half a letter nobody answers
    return f"feature {number} ({told})"


def _cell(feature: object, datum: Datum, called: Mapping[str, str]) -> Cell:
    """One feature; raises `_Wrong`. A level that is not said is -1 until all are read."""
    properties = feature.get("properties") if isinstance(feature, dict) else None
    if not isinstance(feature, dict) or not isinstance(properties, dict):
        raise _Wrong("has no properties")
    given = {field: properties.get(called[field]) for field in FIELDS}
    code = _text(given["code"], called["code"])
    if code is None:
        raise _Wrong(f"has no property {called['code']!r}")
    if len(code) > _LONGEST_CODE or "/" in code:
        raise _Wrong(f"{called['code']!r} must be of {_LONGEST_CODE} characters at most, no /")
    name = _text(given["name"], called["name"]) or code
    if len(name) > _LONGEST_NAME:
        raise _Wrong(f"{called['name']!r} must be of {_LONGEST_NAME} characters at most")
    parent = _text(given["parent"], called["parent"])
    return Cell(
        code=code,
        name=name,
        level=_level(given["level"], called["level"]) if parent else 0,
        parent=parent,
        boundary=_geometry(feature.get("geometry"), datum),
        people=_people(given["people"], called["people"]),
        properties={
            name: value
            for name, value in properties.items()
            if name not in called.values() and name not in FIELDS
        },
    )


def _text(value: object, name: str) -> str | None:
    value = _whole(value)
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, str | int):
        raise _Wrong(f"{name!r} must be text, not {json.dumps(value)}")
    text = str(value).strip()
    if any(letter < " " or "\ud800" <= letter <= "\udfff" for letter in text):
        raise _Wrong(f"{name!r} must be text, not {json.dumps(text)}")
    return text or None


def _whole(value: object) -> object:
    """Tools make a column of whole numbers one of reals as soon as one of it is not set."""
    return int(value) if isinstance(value, float) and value.is_integer() else value


def _level(value: object, name: str) -> int:
    value = _whole(value)
    if value is None:
        return -1
    if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value <= 99:
        raise _Wrong(f"{name!r} must be a whole number from 0 to 99, not {json.dumps(value)}")
    return value


def _people(value: object, name: str) -> tuple[str, ...] | None:
    if value is None:
        return None
    if not isinstance(value, list) or not all(isinstance(one, str) for one in value):
        raise _Wrong(f"{name!r} must be a list of technicians' codes")
    return tuple(sorted(value))


def _geometry(geometry: object, datum: Datum) -> dict[str, Any]:
    kind = geometry.get("type") if isinstance(geometry, dict) else None
    if not isinstance(geometry, dict) or kind not in _RING_DEPTH:
        raise _Wrong(f"the geometry must be a Polygon or MultiPolygon, not {kind}")
    coordinates = _positions(geometry.get("coordinates"), _RING_DEPTH[kind], datum)
    return {"type": kind, "coordinates": coordinates}


def _positions(value: object, depth: int, datum: Datum) -> list[Any]:
    if not isinstance(value, list) or not value:
        raise _Wrong("the geometry's coordinates are not lists of rings of positions")
    if depth == 0:
        return _position(value, datum)
    return [_positions(part, depth - 1, datum) for part in value]


def _position(value: list[Any], datum: Datum) -> list[float]:
    if len(value) < 2 or not all(isinstance(n, int | float) for n in value):
        raise _Wrong(f"{json.dumps(value)} is no position")
    if not (-180 <= value[0] <= 180 and -90 <= value[1] <= 90):
        raise _Wrong(f"{json.dumps(value)} is no longitude and latitude in degrees")
    return value[:2] if datum is Datum.WGS84 else list(to_wgs84((value[0], value[1]), datum))


def levelled(cells: Sequence[Cell], standing: Mapping[str, int] | None = None) -> list[Cell]:
    """Levels that are not said are one more than the parent's; -1 where there is no way to know.

    Nor is it looked for farther up than levels go. `standing` are the levels of cells that may be
    parents and are not among these.
    """
    by_code = {cell.code: cell for cell in cells}

    def level(cell: Cell, seen: frozenset[str]) -> int:
        parent = cell.parent or ""
        above = by_code.get(parent)
        if cell.level >= 0 or parent in seen or len(seen) > _DEEPEST:
            return cell.level
        if above is None:
            upper = (standing or {}).get(parent, -1)
        else:
            upper = level(above, seen | {cell.code})
        return upper + 1 if upper >= 0 else -1

    return [replace(cell, level=level(cell, frozenset({cell.code}))) for cell in cells]
