"""What rules on trial have counted."""

from collections.abc import Sequence
from datetime import datetime

import msgspec
from psycopg import AsyncConnection
from psycopg.rows import TupleRow

from fleet.db.sql import load

_SQL = load("fleet.db", "shadows")


class Shadow(msgspec.Struct, frozen=True):
    """One rule: faults that fired, are open, would have called for a ticket; on how many subjects;
    how many flapped; when the last one fired."""

    rule: str
    faults: int
    open: int
    tickets: int
    subjects: int
    flapped: int
    last_at: datetime


async def shadows(
    connection: AsyncConnection[TupleRow], since: datetime, cells: Sequence[str] | None = None
) -> list[Shadow]:
    """Every rule on trial that has fired since a time; in some cells alone, if they are given."""
    asked = {"since": since, "cells": None if cells is None else list(cells)}
    cursor = await connection.execute(_SQL["shadows"], asked)
    return [Shadow(*row) async for row in cursor]
