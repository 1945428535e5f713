"""Content negotiation, and tables that say the same as CSV and as Parquet."""

import csv
import io
from dataclasses import dataclass
from datetime import UTC, datetime
from operator import attrgetter

import pyarrow as pa
import pytest
from pyarrow import parquet

from api.tables import (
    INSTANT,
    SHARE,
    TEXT,
    TEXTS,
    WHOLE,
    Column,
    Media,
    wanted,
    written,
    written_parquet,
)


@pytest.mark.parametrize(
    ("accept", "media"),
    [
        (None, Media.JSON),
        ("", Media.JSON),
        ("*/*", Media.JSON),
        ("text/csv", Media.CSV),
        ("TEXT/CSV; charset=utf-8", Media.CSV),
        ("application/vnd.apache.parquet", Media.PARQUET),
        ("application/json, text/csv;q=0.5", Media.JSON),
        ("application/json;q=0.5, text/csv", Media.CSV),
        ("text/csv;q=0, */*", Media.JSON),
        ("text/html,application/xhtml+xml,*/*;q=0.8", Media.JSON),
        ("application/vnd.apache.parquet;q=0.9, text/csv;q=0.8, */*;q=0.1", Media.PARQUET),
        ("image/png", Media.JSON),
        ("text/csv;q=nonsense", Media.JSON),
    ],
)
def test_what_is_liked_best_is_given(accept: str | None, media: Media) -> None:
    """By weight, then by order; what we cannot give is passed over."""
    assert wanted(accept) is media


@dataclass
class Row:
    at: datetime
    code: str
    us: int | None
    share: float | None
    causes: list[str]


COLUMNS = [
    Column(name, type_, attrgetter(name))
    for name, type_ in (
        ("at", INSTANT),
        ("code", TEXT),
        ("us", WHOLE),
        ("share", SHARE),
        ("causes", TEXTS),
    )
]
ROWS = [
    Row(datetime(2026, 11, 23, 8, 0, 0, 1, tzinfo=UTC), "C1", 2**53 + 1, 1 / 3, ["a", "b"]),
    Row(datetime(2026, 11, 23, 8, 0, tzinfo=UTC), '网点 "1", 二', None, None, []),
]


def test_parquet_keeps_every_value_and_its_type() -> None:
    """Instants in UTC to the microsecond, whole numbers beyond doubles, nulls, lists."""
    table = parquet.read_table(pa.BufferReader(written_parquet(COLUMNS, ROWS)))
    assert table.schema.types == [INSTANT, TEXT, WHOLE, SHARE, TEXTS]
    assert [Row(**row) for row in table.to_pylist()] == ROWS


def test_csv_says_the_same() -> None:
    """Quoted where it must be; what is not there is empty; texts of a list side by side."""
    first, second = csv.DictReader(io.StringIO(written(COLUMNS, ROWS), newline=""))
    assert (first["at"], first["us"]) == ("2026-11-23T08:00:00.000001+00:00", str(2**53 + 1))
    assert (float(first["share"]), first["causes"]) == (1 / 3, "a b")
    assert (second["code"], second["us"], second["causes"]) == ('网点 "1", 二', "", "")


@pytest.mark.parametrize("code", ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1"])
def test_no_text_of_a_csv_is_a_formula(code: str) -> None:
    """Whoever may name a cell or a vendor works nothing out in a spreadsheet; numbers are numbers,
    and data tools get what was said."""
    row = Row(ROWS[0].at, code, -1, None, [code])
    [sheet] = csv.DictReader(io.StringIO(written(COLUMNS, [row]), newline=""))
    assert (sheet["code"], sheet["causes"], sheet["us"]) == (f"'{code}", f"'{code}", "-1")
    table = parquet.read_table(pa.BufferReader(written_parquet(COLUMNS, [row])))
    assert table.to_pylist()[0]["code"] == code


def test_a_table_without_rows_has_its_head() -> None:
    assert written(COLUMNS, []).strip() == "at,code,us,share,causes"
    assert parquet.read_table(pa.BufferReader(written_parquet(COLUMNS, []))).num_rows == 0
