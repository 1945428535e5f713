"""Figures as a table, for spreadsheets: one row a part and bucket, times in microseconds."""

import csv
import io
from collections.abc import Iterable

from api.uptime.schemas import Slice

MEDIA_TYPE = "text/csv"
_PLAIN = (
    *("part", "terminals", "scope_us", "up_us", "down_us", "unknown_us", "cash_out_us"),
    *("operational", "technical", "full_function", "coverage"),
    *("outages", "longest_outage_us", "mtbf_us", "mttr_us"),
)


def accepts(header: str | None) -> bool:
    """Whether an `Accept` header asks for this rather than JSON: it names it, and no JSON first."""
    wanted = [one.split(";")[0].strip() for one in (header or "").split(",")]
    return MEDIA_TYPE in wanted and "application/json" not in wanted[: wanted.index(MEDIA_TYPE)]


def written(slices: Iterable[Slice]) -> str:
    """The table, with its head; a figure that is none is empty."""
    text = io.StringIO(newline="")
    rows = csv.writer(text)
    rows.writerow(("from", "to", *_PLAIN))
    for one in slices:
        values = ("" if (value := getattr(one, name)) is None else value for name in _PLAIN)
        rows.writerow((one.begin.isoformat(), one.end.isoformat(), *values))
    return text.getvalue()
