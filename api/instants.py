"""Instants on the wire: RFC 3339 with an offset in, UTC out."""

import re
from datetime import UTC, datetime
from typing import Annotated

from pydantic import AfterValidator, AwareDatetime, BeforeValidator

_RFC3339 = re.compile(
    r"\d{4}-\d\d-\d\d[Tt]\d\d:\d\d:\d\d(\.\d{1,6})?([Zz]|[+-]\d\d:\d\d)", re.ASCII
)
_FIRST = datetime(2, 1, 1, tzinfo=UTC)
_LAST = datetime(9989, 12, 31, tzinfo=UTC)


def _with_offset(value: object) -> object:
    if isinstance(value, str) and not _RFC3339.fullmatch(value):
        raise ValueError(
            "must be RFC 3339 with an offset, like 2026-11-23T08:00:00Z or"
            " 2026-11-23T16:00:00+08:00 (in a URL, write + as %2B)"
        )
    return value


def _utc(value: datetime) -> datetime:
    return value.astimezone(UTC)


def _reckonable(value: datetime) -> datetime:
    """What every calendar can take a while off or add to, in whatever zone."""
    if not _FIRST <= value <= _LAST:
        raise ValueError(f"must be of the years {_FIRST.year} to {_LAST.year}")
    return value


Instant = Annotated[AwareDatetime, AfterValidator(_utc)]
"""An instant in an answer, in UTC."""

GivenInstant = Annotated[
    AwareDatetime,
    BeforeValidator(_with_offset),
    AfterValidator(_reckonable),
    AfterValidator(_utc),
]
"""An instant in a request: an offset is required, for a time without one means nothing."""
