"""Map files: what foreign tools write is read as it is, and what is wrong is said all at once."""

import json

import pytest

from fleet.grid import geojson
from fleet.grid.datum import Datum, from_wgs84
from tests.unit.grid.squares import collection, feature, ring, square

HOLED = {"type": "Polygon", "coordinates": [ring(0, 0, 9, 9), ring(3, 3, 5, 5)]}
PARTS = {
    "type": "MultiPolygon",
    "coordinates": [[ring(10, 0, 12, 2)], [ring(14, 0, 18, 4), ring(15, 1, 16, 2)]],
}


def test_a_foreign_map_is_read_as_it_is() -> None:
    """A desktop tool's export: its own names, numbers for codes, extra columns, holes, parts."""
    text = collection(
        feature(HOLED, GRID_ID=7, TITLE="Harbour", UPPER="N", area_km2=4.5),
        feature(PARTS, GRID_ID=8, TITLE=None, UPPER="N", area_km2=None),
        feature(square(0, 0, 20, 10), GRID_ID="N", TITLE="North", UPPER=""),
        name="cells",
        crs={"type": "name", "properties": {"name": "urn:ogc:def:crs:OGC:1.3:CRS84"}},
    )
    names = {"code": "GRID_ID", "name": "TITLE", "parent": "UPPER"}
    cells, problems = geojson.read(text, names=names)
    assert problems == []
    seven, eight, north = cells
    assert (seven.code, seven.name, seven.level, seven.parent) == ("7", "Harbour", 1, "N")
    assert (eight.code, eight.name, eight.level) == ("8", "8", 1)
    assert (north.level, north.parent) == (0, None)
    assert (seven.boundary, eight.boundary) == (HOLED, PARTS)
    assert seven.properties == {"area_km2": 4.5}


def test_whole_numbers_that_a_tool_made_reals_of_are_whole() -> None:
    """A code of 7.0 is 7, a level of 1.0 is 1; 7.5 is no code."""
    text = collection(
        feature(square(0, 0, 20, 10), code=7.0),
        feature(square(0, 0, 9, 9), code=8.0, parent=7.0, level=1.0),
        feature(square(0, 0, 1, 1), code=7.5),
    )
    cells, [problem] = geojson.read(text)
    assert [(one.code, one.parent, one.level) for one in cells] == [("7", None, 0), ("8", "7", 1)]
    assert "must be text, not 7.5" in str(problem)


def test_what_is_written_reads_the_same() -> None:
    """Holes, parts, three levels, people and foreign properties survive."""
    text = collection(
        feature(square(0, 0, 20, 10), code="A"),
        feature(HOLED, code="B", parent="A", people=["T02", "T01"], colour="红"),
        feature(PARTS, code="C", parent="A", level=5),
        feature(square(1, 1, 2, 2), code="D", parent="B"),
    )
    cells, problems = geojson.read(text)
    assert problems == []
    again, problems = geojson.read(geojson.write(cells))
    assert problems == []
    assert sorted(again, key=lambda one: one.code) == cells
    assert [one.level for one in cells] == [0, 1, 5, 2]


def test_a_map_in_gcj02_is_converted() -> None:
    """Named as such, every corner comes to lie where it is."""
    true = ring(0, 0, 1, 1)
    shifted = [list(from_wgs84((x, y), Datum.GCJ02)) for x, y in true]
    text = collection(feature({"type": "Polygon", "coordinates": [shifted]}, code="A"))
    [cell], problems = geojson.read(text, Datum.GCJ02)
    assert problems == []
    for got, meant in zip(cell.boundary["coordinates"][0], true, strict=True):
        assert max(abs(got[0] - meant[0]), abs(got[1] - meant[1])) < 1e-9


def test_everything_wrong_is_said_at_once() -> None:
    """Each bad feature with its place and code; the good ones are read all the same."""
    text = collection(
        feature(square(0, 0, 1, 1), code="A"),
        feature(square(0, 0, 1, 1), name="no code"),
        feature({"type": "Point", "coordinates": [120, 30]}, code="P"),
        feature({"type": "Polygon", "coordinates": [[[500000, 3350000]]]}, code="M"),
        feature(square(0, 0, 1, 1), code="L", parent="A", level="first"),
        feature(None, code="G"),
        feature(square(0, 0, 1, 1), code="W", people="T01"),
    )
    cells, problems = geojson.read(text)
    assert [cell.code for cell in cells] == ["A"]
    assert [str(problem) for problem in problems] == [
        "feature 2: has no property 'code'",
        "feature 3 (P): the geometry must be a Polygon or MultiPolygon, not Point",
        "feature 4 (M): [500000, 3350000] is no longitude and latitude in degrees",
        "feature 5 (L): 'level' must be a whole number from 0 to 99, not \"first\"",
        "feature 6 (G): the geometry must be a Polygon or MultiPolygon, not None",
        "feature 7 (W): 'people' must be a list of technicians' codes",
    ]


def test_a_file_that_is_no_map_is_refused() -> None:
    """No JSON, another kind of JSON, another reference system."""
    for text, complaint in (
        ("{", "is not JSON"),
        (json.dumps({"type": "Feature"}), "is not a GeoJSON FeatureCollection"),
        (
            collection(crs={"properties": {"name": "urn:ogc:def:crs:EPSG::3857"}}),
            "export it in WGS 84",
        ),
    ):
        cells, [problem] = geojson.read(text)
        assert cells == []
        assert complaint in str(problem)


@pytest.mark.parametrize(
    "said",
    [
        {"code": " "},
        {"code": "a/b"},
        {"code": "c" * 65},
        {"code": "C\x00"},
        {"code": "C\ud800"},
        {"code": "C", "name": "n" * 201},
    ],
)
def test_a_cell_that_nobody_could_name_is_refused(said: dict[str, str]) -> None:
    """No code, or none that a URL or the database can hold; a name of pages fits on none."""
    cells, [problem] = geojson.read(collection(feature(square(0, 0, 1, 1), **said)))
    assert (cells, problem.where.startswith("feature 1")) == ([], True)
    assert str(problem).encode()


def test_a_tree_deeper_than_levels_go_has_no_levels() -> None:
    """Thousands of cells, each the parent of the one before: it is said of each."""
    chain = [
        feature(square(0, 0, 1, 1), code=f"C{n}", parent=f"C{n + 1}" if n < 3000 else None)
        for n in range(3001)
    ]
    cells, _ = geojson.read(collection(*chain))
    assert (cells[0].level, cells[-2].level, cells[-1].level) == (-1, 1, 0)
