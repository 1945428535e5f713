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
from api.uptime.published import Of, Published, is_published, latest, numbered, publish
from api.uptime.schemas import By, Slice
from fleet.buckets import Bucket, buckets
from fleet.db.sql import load
from fleet.reports.monthly import CellMonth, Figures, Month, bounds, changed
from fleet.service_state import OUT_OF_SCOPE

_SQL = load("api.reports", "store")
_Connection = AsyncConnection[TupleRow]
_READINGS = 5


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


async def make(
    connection: _Connection, month: str, zone: ZoneInfo, author: str, reason: str
) -> Report:
    """The report of a month as the records stand now, published in the caller's transaction.

    When it says what the last version said it is that one; else it is the next version. Raises
    `ReportRefused` for a month that is not over, or in which there was nothing, or of which records
    come so fast that no two readings agree.
    """
    [(now,)] = await (await connection.execute(_SQL["now"])).fetchall()
    of = _of(month, zone)
    if of.end > now:
        raise ReportRefused(f"{month} is not over in {zone}: it can be reported from {of.end} on")
    found = await _agreeing(connection, month, zone, of)
    if not found.terminals:
        raise ReportRefused(f"no terminal was in commission in {month}")
    told = await publish(connection, of, msgspec.to_builtins(found), author, reason)
    return await _report(connection, of, told, new=told.published_at == now)


async def kept(
    connection: _Connection, month: str, zone: ZoneInfo, version: int | None = None
) -> Report | None:
    """A version of a report as it was made, or the last one; None where there is none."""
    of = _of(month, zone)
    if version is None:
        told = await latest(connection, of)
    else:
        told = await numbered(connection, of, version)
    return None if told is None else await _report(connection, of, told)


async def is_kept(connection: _Connection, month: str, zone: ZoneInfo) -> bool:
    """Whether there is a report, without reading it."""
    return await is_published(connection, _of(month, zone))


def _of(month: str, zone: ZoneInfo) -> Of:
    try:
        return Of("report", *bounds(month, zone), str(zone))
    except ValueError as error:
        raise ReportRefused(str(error)) from error


async def _report(connection: _Connection, of: Of, told: Published, *, new: bool = False) -> Report:
    found = msgspec.convert(told.body, Month)
    before = await numbered(connection, of, told.version - 1)
    differs = () if before is None else tuple(changed(msgspec.convert(before.body, Month), found))
    return Report(found, told.version, told.digest, told.published_at, differs, new)


async def _agreeing(connection: _Connection, month: str, zone: ZoneInfo, of: Of) -> Month:
    """What the records say; read anew where some came between the statements that read them."""
    for _ in range(_READINGS):
        found = await _read(connection, month, zone, of)
        if found.adds_up:
            return found
    raise ReportRefused(f"records of {month} are coming: its figures do not add up yet")


async def _read(connection: _Connection, month: str, zone: ZoneInfo, of: Of) -> Month:
    begin, end = of.begin, of.end
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
            tuple(_figures(by_day.get(whole.part, {}).get(day)) for day, _ in days),
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
