"""Columns in the binary format of PostgreSQL's arrays, each packed in one go.

Format: `array_send` in src/backend/utils/adt/arrayfuncs.c. The number of dimensions, whether there
are nulls, the type of the elements; how many there are and the number of the first; then each one's
length (-1: null) and bytes, all in network order. psycopg would pack each element by a call.
"""

import struct
from collections.abc import Sequence

from psycopg import AsyncConnection
from psycopg.abc import Buffer
from psycopg.adapt import Dumper
from psycopg.pq import Format
from psycopg.rows import TupleRow

_HEAD = struct.Struct("!iiiii")
_LENGTH = struct.Struct("!i")
_NULL = _LENGTH.pack(-1)
# Of the elements: their type in `pg_type.dat`, and how one is packed.
_BOOLEAN, _BIGINT, _INTEGER, _JSON, _INSTANT = 16, 20, 23, 114, 1184


class Column(bytes):
    """A packed array; it has the type to which the statement casts it."""


class _Packed(Dumper):
    format = Format.BINARY  # and no `oid`: the statement says of what type it is

    def dump(self, obj: Column) -> Buffer:
        return bytes(obj)


def adapt(connection: AsyncConnection[TupleRow]) -> None:
    """What a connection needs before its statements are given columns."""
    connection.adapters.register_dumper(Column, _Packed)


def integers(values: Sequence[int | None]) -> Column:
    """An `integer[]`."""
    return _fixed(_INTEGER, "i", 4, values)


def bigints(values: Sequence[int | None]) -> Column:
    """A `bigint[]`."""
    return _fixed(_BIGINT, "q", 8, values)


def instants(values: Sequence[int | None]) -> Column:
    """A `timestamptz[]` of microseconds since 2000."""
    return _fixed(_INSTANT, "q", 8, values)


def booleans(values: Sequence[bool | None]) -> Column:
    """A `boolean[]`."""
    return _fixed(_BOOLEAN, "?", 1, values)


def documents(values: Sequence[bytes]) -> Column:
    """A `json[]`; what is empty is null."""
    parts = [_LENGTH.pack(len(each)) + each if each else _NULL for each in values]
    return _column(_JSON, len(values), b"".join(parts), nulls=b"" in values)


def _fixed(element: int, letter: str, size: int, values: Sequence[int | None]) -> Column:
    if None in values:
        one = struct.Struct(f"!i{letter}")
        parts = [_NULL if each is None else one.pack(size, each) for each in values]
        return _column(element, len(values), b"".join(parts), nulls=True)
    flat: list[int | None] = [size] * (2 * len(values))
    flat[1::2] = values
    packed = struct.pack(f"!{f'i{letter}' * len(values)}", *flat)
    return _column(element, len(values), packed, nulls=False)


def _column(element: int, count: int, packed: bytes, *, nulls: bool) -> Column:
    return Column(_HEAD.pack(1, nulls, element, count, 1) + packed)
