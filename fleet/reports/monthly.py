"""A monthly report: figures in whole microseconds, and what changed between two of them.

Shares follow from the figures when it is printed, so nothing in it is rounded.
"""

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

import msgspec

from fleet.availability import Availability, availability
from fleet.buckets import Bucket, buckets
from fleet.service_state import ServiceState

_MONTH = re.compile(r"(\d{4})-(0[1-9]|1[0-2])")


class Figures(msgspec.Struct, frozen=True):
    """Time in each state that is judged, outages, and down time by its first cause."""

    by_state_us: Mapping[ServiceState, int]
    outages: int
    longest_outage_us: int
    down_by_cause_us: Mapping[str, int]

    @property
    def availability(self) -> Availability:
        """The same for the arithmetic of shares."""
        return availability(sum(self.by_state_us.values()), self.by_state_us)


class CellMonth(msgspec.Struct, frozen=True):
    """A cell with the terminals that were its own members; a day a bar, in order."""

    code: str
    name: str
    terminals: int
    whole: Figures
    days: tuple[Figures, ...]


class Month(msgspec.Struct, frozen=True):
    """All that a report says."""

    month: str
    zone: str
    fleet: Figures
    terminals: int
    cells: tuple[CellMonth, ...]

    @property
    def adds_up(self) -> bool:
        """Whether cells are their days, and the fleet its cells: of one state of the records."""
        wholes = (cell.whole for cell in self.cells)
        return _sums((self.fleet,)) == _sums(wholes) and all(
            _sums((cell.whole,)) == _sums(cell.days) for cell in self.cells
        )

    @property
    def days(self) -> list[tuple[datetime, datetime]]:
        """From when to when each day lasted."""
        begin, end = bounds(self.month, ZoneInfo(self.zone))
        return list(buckets(begin, end, Bucket.DAY, ZoneInfo(self.zone)))


def _sums(parts: Iterable[Figures]) -> tuple[Counter[str], Counter[str], int]:
    states: Counter[str] = Counter()
    causes: Counter[str] = Counter()
    outages = 0
    for part in parts:
        states.update(part.by_state_us)
        causes.update(part.down_by_cause_us)
        outages += part.outages
    return states, causes, outages


def bounds(month: str, zone: ZoneInfo) -> tuple[datetime, datetime]:
    """When a month begins and ends on the clocks of a zone; raises `ValueError`."""
    found = _MONTH.fullmatch(month)
    if found is None or int(found[1]) < 1:
        raise ValueError(f"{month!r} is no month: write it as 2026-10")
    year, number = int(found[1]), int(found[2])
    begin = datetime(year, number, 1, tzinfo=zone)
    end = datetime(year + number // 12, number % 12 + 1, 1, tzinfo=zone)
    return begin.astimezone(UTC), end.astimezone(UTC)


def last_month(now: datetime, zone: ZoneInfo) -> str:
    """The last month that is over on the clocks of a zone."""
    today: date = now.astimezone(zone).date()
    year, number = divmod(today.year * 12 + today.month - 2, 12)
    return f"{year:04d}-{number + 1:02d}"


def changed(before: Month, after: Month) -> Iterator[str]:
    """The codes of the cells whose figures differ between two versions of a report."""
    old = {cell.code: (cell.terminals, cell.whole, cell.days) for cell in before.cells}
    new = {cell.code: (cell.terminals, cell.whole, cell.days) for cell in after.cells}
    yield from (code for code in sorted(old | new) if old.get(code) != new.get(code))
