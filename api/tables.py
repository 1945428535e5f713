"""Answers as tables, for spreadsheets and data tools: CSV or Parquet, by content negotiation."""

import csv
import io
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Annotated, Any

import pyarrow as pa
from fastapi import Depends, Header, Response
from pyarrow import parquet


class Media(StrEnum):
    """The media types that an answer can have."""

    JSON = "application/json"
    CSV = "text/csv"
    PARQUET = "application/vnd.apache.parquet"


INSTANT = pa.timestamp("us", tz="UTC")
WHOLE = pa.int64()
SHARE = pa.float64()
TEXT = pa.string()
TEXTS = pa.list_(TEXT)
_RANGES = {"*/*": Media.JSON, "application/*": Media.JSON, "text/*": Media.CSV}
_FORMULA = tuple("=+-@\t\r")  # what begins so is worked out by a spreadsheet, whoever wrote it
_BETWEEN = " "  # texts of one field in CSV; codes and rules have none in them


@dataclass(frozen=True, slots=True)
class Column:
    """A column: what it is called, of what type, and how it is read from what a row is made of."""

    name: str
    type: pa.DataType
    read: Callable[[Any], object]


def wanted(accept: str | None) -> Media:
    """What an `Accept` header likes best of what there is; JSON where it likes none of it."""
    liked: list[tuple[float, Media]] = []
    for one in (accept or "").split(","):
        name, *parameters = (part.strip().lower() for part in one.split(";"))
        media = _RANGES.get(name) or next((media for media in Media if media == name), None)
        weight = _weight(parameters)
        if media is not None and weight > 0:
            liked.append((weight, media))
    return max(liked, key=lambda pair: pair[0], default=(0, Media.JSON))[1]


def _weight(parameters: Iterable[str]) -> float:
    for parameter in parameters:
        name, _, value = parameter.partition("=")
        if name.strip() == "q":
            try:
                return float(value)
            except ValueError:
                return 0
    return 1


async def _asked(
    response: Response, accept: Annotated[str | None, Header(include_in_schema=False)] = None
) -> Media:
    response.headers["Vary"] = "Accept"
    return wanted(accept)


AskedMedia = Annotated[Media, Depends(_asked)]
"""What the request would like the answer to be."""


def answer(media: Media, columns: Sequence[Column], items: Iterable[object]) -> Response:
    """The items as a table of a media type that is one."""
    content = written_parquet(columns, items) if media is Media.PARQUET else written(columns, items)
    return Response(content, media_type=media, headers={"Vary": "Accept"})


def written(columns: Sequence[Column], items: Iterable[object]) -> str:
    """A table as CSV, with its head; what is not there is empty.

    A text that a spreadsheet would take for a formula has an apostrophe before it.
    """
    text = io.StringIO(newline="")
    rows = csv.writer(text)
    rows.writerow([column.name for column in columns])
    for item in items:
        rows.writerow([_plain(column.read(item)) for column in columns])
    return text.getvalue()


def written_parquet(columns: Sequence[Column], items: Iterable[object]) -> bytes:
    """The same table as Parquet: typed, with nulls for what is not there."""
    schema = pa.schema([(column.name, column.type) for column in columns])
    rows = [{column.name: column.read(item) for column in columns} for item in items]
    sink = pa.BufferOutputStream()
    parquet.write_table(pa.Table.from_pylist(rows, schema=schema), sink)
    return bytes(sink.getvalue().to_pybytes())


def documented_tables(columns: Sequence[Column]) -> dict[int | str, dict[str, Any]]:
    """For OpenAPI: that an answer is also given as a table, and what its columns are."""
    return {
        200: {
            "content": {
                Media.CSV: {"schema": {"type": "string"}, "example": written(columns, [])},
                Media.PARQUET: {
                    "schema": {"type": "string", "format": "binary"},
                    "example": "PAR1…",
                },
            }
        }
    }


def _plain(value: object) -> object:
    if value is None:
        return ""
    if isinstance(value, datetime):
        return value.isoformat()
    if isinstance(value, list | tuple):
        value = _BETWEEN.join(map(str, value))
    return f"'{value}" if isinstance(value, str) and value.startswith(_FORMULA) else value
