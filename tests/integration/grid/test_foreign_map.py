"""A map that GDAL wrote goes in as it is, comes out for GDAL to read, and is the same map.

GDAL is what desktop and server map tools write GeoJSON with. The map here has three levels, cells
with holes, cells of several parts, a part within another's hole, Chinese names, columns of its own
and numbers for codes.
"""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pyogrio.raw
import pytest
import shapely
from shapely.geometry import shape
from typer.testing import CliRunner

from tellergrid.cli import app
from tests.unit.grid.squares import ring, square

CELLS: list[tuple[int, str, int | None, float, dict[str, Any]]] = [
    (1, "城东", None, 12.5, square(0, 0, 40, 20)),
    (2, "城西", None, 7.25, square(-40, 0, 0, 20)),
    (10, "环", 1, 3.0, {"type": "Polygon", "coordinates": [ring(0, 0, 9, 9), ring(3, 3, 6, 6)]}),
    (
        11,
        "两处",
        1,
        2.0,
        {
            "type": "MultiPolygon",
            "coordinates": [
                [ring(3, 3, 6, 6)],
                [ring(10, 0, 20, 10), ring(12, 2, 14, 4), ring(16, 6, 18, 8)],
            ],
        },
    ),
    (12, "Harbour & docks", 1, 1.0, square(20, 0, 30, 10)),
    (13, "西", 2, 1.5, square(-40, 0, -20, 20)),
    (100, "Quay", 12, 0.1, square(21, 1, 23, 3)),
    (101, "Pier", 12, 0.2, {"type": "MultiPolygon", "coordinates": [[ring(24, 1, 26, 3)]]}),
]
NAMES = ["code=GRID_ID", "name=TITLE", "parent=UPPER"]


def written_by_gdal(path: Path, driver: str, **options: str) -> None:
    """The cells in a file of GDAL's; codes are integers, the tops' parent is not set."""
    codes, titles, parents, areas, shapes = zip(*CELLS, strict=True)
    no_parent = np.array([parent is None for parent in parents])
    fields = {
        "GRID_ID": np.array(codes, dtype=np.int64),
        "TITLE": np.array(titles, dtype=object),
        "UPPER": np.array([parent or 0 for parent in parents], dtype=np.int64),
        "area_km2": np.array(areas),
    }
    mask: list[Any] = [no_parent if name == "UPPER" else None for name in fields]
    pyogrio.raw.write(
        path,
        geometry=np.array(shapely.to_wkb([shape(one) for one in shapes]), dtype=object),
        field_data=list(fields.values()),
        fields=list(fields),
        field_mask=mask,
        driver=driver,
        geometry_type="Unknown",
        crs="EPSG:4326",
        **options,
    )


def read_by_gdal(path: Path) -> dict[str, tuple[Any, ...]]:
    """What GDAL finds in a file: by code, the other columns and the geometry."""
    meta, _, geometry, columns = pyogrio.raw.read(path)
    rows = zip(*columns, shapely.from_wkb(geometry), strict=True)
    found = [dict(zip([*meta["fields"], "geometry"], row, strict=True)) for row in rows]
    return {str(row["code"]): tuple(row.items()) for row in found}


def shell(*arguments: str) -> str:
    done = CliRunner().invoke(app, ["cells", *arguments])
    assert done.exit_code == 0, done.output
    return done.output


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"RFC7946": "YES", "WRITE_BBOX": "YES"},
        {"COORDINATE_PRECISION": "7", "ID_FIELD": "TITLE"},
    ],
    ids=["as-it-comes", "rfc7946-with-boxes", "rounded-with-ids"],
)
def test_a_map_by_gdal_is_imported_unchanged_and_round_trips(
    database_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, options: dict[str, str]
) -> None:
    """In, out, read by GDAL: each ring and each column is there; in again: nothing changes."""
    monkeypatch.setenv("TELLERGRID_DATABASE_URL", database_url)
    given, exported = tmp_path / "given.geojson", tmp_path / "exported.geojson"
    written_by_gdal(given, "GeoJSON", **options)
    properties = [part for name in NAMES for part in ("--property", name)]
    if "ID_FIELD" in options:  # GDAL makes the column the feature's id, and leaves it out
        properties = ["--property", "code=GRID_ID", "--property", "parent=UPPER"]
    assert "added: 1, 10, 100, 101, 11, 12, 13, 2" in shell("import", str(given), *properties)
    exported.write_text(shell("export"), encoding="utf-8")

    before = {
        str(one["properties"]["GRID_ID"]): one
        for one in json.loads(given.read_text(encoding="utf-8"))["features"]
    }
    after = {
        one["properties"]["code"]: one
        for one in json.loads(exported.read_text(encoding="utf-8"))["features"]
    }
    assert after.keys() == before.keys()
    for code, one in after.items():
        assert one["geometry"] == {
            name: before[code]["geometry"][name] for name in ("type", "coordinates")
        }
        assert one["properties"]["area_km2"] == before[code]["properties"]["area_km2"]
    levels = {code: one["properties"]["level"] for code, one in after.items()}
    assert levels == {code: len(code) - 1 for code in after}
    assert {code: one["properties"]["parent"] for code, one in after.items()} == {
        str(code): None if parent is None else str(parent) for code, _, parent, *_ in CELLS
    }

    seen = {code: dict(found) for code, found in read_by_gdal(exported).items()}
    for code, title, _, area, drawn in CELLS:
        row = seen[str(code)]
        assert shapely.equals_exact(row["geometry"], shape(drawn), tolerance=1e-6, normalize=True)
        assert row["area_km2"] == area
        assert row["name"] == (str(code) if "ID_FIELD" in options else title)

    again = shell("import", str(exported), "--complete")
    assert "8 of the file's cells are as they were" in again
    assert shell("export") == exported.read_text(encoding="utf-8")


def test_a_map_that_went_through_another_format_is_the_same_map(
    database_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Drawn in a GeoPackage, converted to GeoJSON by GDAL, as a desktop tool's export does.

    On the way the parents' codes became reals, for some are not set: `12.0` is the cell 12.
    """
    monkeypatch.setenv("TELLERGRID_DATABASE_URL", database_url)
    drawn, given = tmp_path / "drawn.gpkg", tmp_path / "given.geojson"
    written_by_gdal(drawn, "GPKG")
    meta, _, geometry, columns = pyogrio.raw.read(drawn)
    parents = columns[list(meta["fields"]).index("UPPER")]
    pyogrio.raw.write(
        given,
        geometry=geometry,
        field_data=columns,
        fields=meta["fields"],
        field_mask=[np.isnan(parents) if name == "UPPER" else None for name in meta["fields"]],
        driver="GeoJSON",
        geometry_type="Unknown",
        crs=meta["crs"],
    )
    shell("import", str(given), *(part for name in NAMES for part in ("--property", name)))
    features = json.loads(shell("export"))["features"]
    found = {one["properties"]["code"]: shape(one["geometry"]) for one in features}
    for code, _, _, _, boundary in CELLS:
        assert shapely.equals_exact(found[str(code)], shape(boundary), 1e-6, normalize=True)
