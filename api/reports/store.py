"""Makes a report of what is recorded now, and keeps it when it says something new."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

import msgspec
from psycopg import AsyncConnection
from psycopg.rows import TupleRow

from api.scope import EVERYTHING
from api.uptime.figures import Question, slices
from api.uptime.schemas import By, Slice
from fleet.buckets import Bucket, buckets
from fleet.db.sql import load
from fleet.reports.monthly import CellMonth, Figures, Month, bounds, changed, digest
from fleet.service_state import OUT_OF_SCOPE

_SQL = load("api.reports", "store")
_Connection = AsyncConnection[TupleRow]


class ReportRefused(Exception):
    """There can be no such report, or there is none; says why."""


@dataclass(frozen=True, slots=True)
class Report:
    """A version of a monthly report; `changed` are the cells in which it differs from the last."""

    month: Month
    version: int
    digest: str
    made_at: datetime
    changed: tuple[str, ...] = ()
    new: bool = False

    def as_json(self) -> dict[str, object]:
        """For programs: the figures, whole, with the version they are of."""
        figures: dict[str, object] = msgspec.to_builtins(self.month)
        return {
            "version": self.version,
            "digest": self.digest,
            "made_at": self.made_at.isoformat(),
            "changed": list(self.changed),
        } | figures


async def make(connection: _Connection, month: str, zone: ZoneInfo) -> Report:
    """The report of a month as the records stand now, in the transaction of the caller.

    When it says what the last version said it is that one; else it is kept as the next version.
    Raises `ReportRefused` for a month that is not over.
    """
    [(now,)] = await (await connection.execute(_SQL["now"])).fetchall()
    try:
        begin, end = bounds(month, zone)
    except ValueError as error:
        raise ReportRefused(str(error)) from error
    if end > now:
        raise ReportRefused(f"{month} is not over in {zone}: it can be reported from {end} on")
    await connection.execute(_SQL["one_at_a_time"], {"month": month, "zone": str(zone)})
    found = await _read(connection, month, zone, begin, end)
    last = await kept(connection, month, zone)
    said = digest(found)
    if last is not None and last.digest == said:
        return last
    version = last.version + 1 if last else 1
    figures = msgspec.json.encode(found).decode()
    row = {"month": month, "zone": str(zone), "version": version, "digest": said}
    cursor = await connection.execute(_SQL["keep"], row | {"figures": figures})
    [(made_at,)] = await cursor.fetchall()
    differs = tuple(changed(last.month, found)) if last else ()
    return Report(found, version, said, made_at, differs, new=True)


async def kept(
    connection: _Connection, month: str, zone: ZoneInfo, version: int | None = None
) -> Report | None:
    """A version of a report as it was made, or the last one; None where there is none."""
    row = await _kept(connection, month, zone, version)
    if row is None:
        return None
    number, said, figures, made_at = row
    found = msgspec.convert(figures, Month)
    before = await _kept(connection, month, zone, number - 1)
    differs = tuple(changed(msgspec.convert(before[2], Month), found)) if before else ()
    return Report(found, number, said, made_at, differs)


async def _kept(
    connection: _Connection, month: str, zone: ZoneInfo, version: int | None
) -> TupleRow | None:
    parameters = {"month": month, "zone": str(zone), "version": version}
    return await (await connection.execute(_SQL["kept"], parameters)).fetchone()


async def _read(
    connection: _Connection, month: str, zone: ZoneInfo, begin: datetime, end: datetime
) -> Month:
    window = {"begin": begin, "end": end, "scope": EVERYTHING.parameter}
    names: dict[str, str] = dict(await (await connection.execute(_SQL["names"], window)).fetchall())
    days = list(buckets(begin, end, Bucket.DAY, zone))

    async def asked(by: By, cuts: Sequence[tuple[datetime, datetime]]) -> list[Slice]:
        return await slices(connection, EVERYTHING, Question(by, cuts), {})

    by_day: dict[str, dict[datetime, Slice]] = {}
    for one in await asked(By.CELL, days):
        by_day.setdefault(one.part, {})[one.begin] = one
    cells = tuple(
        CellMonth(
            whole.part,
            names.get(whole.part, whole.part),
            whole.terminals,
            _figures(whole),
            tuple(_figures(by_day[whole.part].get(day)) for day, _ in days),
        )
        for whole in await asked(By.CELL, [(begin, end)])
    )
    fleet = next(iter(await asked(By.FLEET, [(begin, end)])), None)
    return Month(month, str(zone), _figures(fleet), fleet.terminals if fleet else 0, cells)


def _figures(found: Slice | None) -> Figures:
    if found is None:
        return Figures({}, 0, 0, {})
    judged = {
        state: us for state, us in found.by_state_us.items() if us and state not in OUT_OF_SCOPE
    }
    return Figures(judged, found.outages, found.longest_outage_us, found.down_by_cause_us)
