"""Columns that we pack are the arrays that the database reads."""

from typing import Any

import pytest

from collector import columns
from collector.columns import Column
from collector.rows import EPOCH, MICROSECOND
from collector.store import Connection
from tests.integration.collector.test_desk import connection

__all__ = ["connection"]

INSTANT = EPOCH + 812_345_678_901_234 * MICROSECOND


@pytest.mark.parametrize(
    ("column", "kind", "expected"),
    [
        (columns.integers([1, -2, 2**31 - 1]), "integer", [1, -2, 2**31 - 1]),
        (columns.integers([None, 7]), "integer", [None, 7]),
        (columns.bigints([2**63 - 1, -(2**63)]), "bigint", [2**63 - 1, -(2**63)]),
        (columns.bigints([5, None, None]), "bigint", [5, None, None]),
        (columns.instants([812_345_678_901_234]), "timestamptz", [INSTANT]),
        (columns.instants([None]), "timestamptz", [None]),
        (columns.booleans([True, False]), "boolean", [True, False]),
        (columns.booleans([False, None, True]), "boolean", [False, None, True]),
        (columns.documents([b'{"a": "\xc3\xa9"}', b"{}"]), "json", [{"a": "é"}, {}]),
        (columns.documents([b"", b"[1]", b""]), "json", [None, [1], None]),
    ],
)
async def test_a_column_is_an_array(
    connection: Connection, column: Column, kind: str, expected: list[Any]
) -> None:
    """With nulls and without, to the last of each type's values."""
    columns.adapt(connection)
    statement = f"SELECT %(column)b::{kind}[]".encode()
    cursor = await connection.execute(statement, {"column": column})
    assert await cursor.fetchone() == (expected,)
