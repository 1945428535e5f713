"""What uptime costs on a fleet of a size: intervals, beside the naive counting of heartbeats.

Runs in a database of its own beside the one it is given, and drops it. The fleet is laid out on
squared paper and imported as a bank would; every terminal is down once a day for half an hour.
"""

import statistics
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from math import ceil, sqrt
from zoneinfo import ZoneInfo

import msgspec
from psycopg import AsyncConnection
from psycopg.conninfo import make_conninfo
from psycopg.rows import TupleRow

from api.grid.cells import Wish, import_cells
from api.grid.terminals import import_terminals
from api.planning import Plans
from api.scope import EVERYTHING
from api.uptime.figures import Question, slices
from api.uptime.schemas import By
from api.uptime.summing import sum_up
from fleet.buckets import Bucket, buckets
from fleet.db.migrate import migrate
from fleet.db.pool import connect
from fleet.db.sql import load
from fleet.grid.cell import Cell
from fleet.grid.registry import Registered

RUNS = 3
BEGIN = datetime(2025, 1, 1, tzinfo=UTC)
MONTH, YEAR = 30, 365
_DATABASE = "tellergrid_bench_uptime"
_MAP_POLYGONS = 5  # polygons of the import, for each cell of the rest
_SIDE = 0.01  # degrees

_SQL = load("tellergrid.bench", "uptime")
_Connection = AsyncConnection[TupleRow]

Progress = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Size:
    """How large a fleet, and for how long it has been watched."""

    terminals: int = 100_000
    cells: int = 1_000
    days: int = MONTH


@dataclass(frozen=True, slots=True)
class _Built:
    """What building took."""

    import_s: float
    summing_s: float


class UptimeReport(msgspec.Struct, frozen=True):
    """Medians of three runs; the import is one. `bytes` are of intervals and sums.

    What was not measured, because the fleet was not watched so long, is null. The year is of daily
    sums, which are those of the days that it was watched, repeated.
    """

    cell_30d_ms: float | None
    all_cells_30d_s: float | None
    fleet_year_s: float
    import_s: float
    bytes: int
    naive_cell_30d_ms: float | None


class Around(msgspec.Struct, frozen=True):
    """What the figures are of, and what it took to get there."""

    terminals: int
    cells: int
    days: int
    intervals: int
    summing_s: float
    sums_bytes: int
    naive_cell_rows: int
    naive_cell_bytes: int


async def measure(url: str, size: Size, progress: Progress) -> tuple[UptimeReport, Around]:
    """Build the fleet, measure, drop it."""
    async with _scratch(url) as connection:
        progress(f"importing {size.terminals:,} terminals")
        imported = await _import(connection, size)
        await _live(connection, size, progress)
        summed = await _sum(connection, size, progress)
        return await _measured(connection, size, _Built(imported, summed), progress)


@asynccontextmanager
async def _scratch(url: str) -> AsyncIterator[_Connection]:
    async with await connect(url, name="bench", autocommit=True) as server:
        await server.execute(_SQL["drop"])
        await server.execute(_SQL["create"])
        try:
            plans = f"-c plan_cache_mode={Plans.EACH_TIME}"
            scratch = make_conninfo(url, dbname=_DATABASE, options=plans)
            async with await connect(scratch, name="bench", autocommit=True) as connection:
                await migrate(connection)
                yield connection
        finally:
            await server.execute(_SQL["drop"])


def _squares(count: int) -> list[Cell]:
    """So many square cells side by side, under one."""
    across = ceil(sqrt(count))
    whole = Cell("TOP", "Top", 0, None, _square(0, 0, across))
    return [
        whole,
        *(
            Cell(f"C{n:05d}", f"Cell {n}", 1, "TOP", _square(n % across, n // across, 1))
            for n in range(count)
        ),
    ]


def _square(column: int, row: int, side: int) -> dict[str, object]:
    west, south = 100 + column * _SIDE, 20 + row * _SIDE
    step = side * _SIDE
    ring = [
        [west, south],
        [west + step, south],
        [west + step, south + step],
        [west, south + step],
        [west, south],
    ]
    return {"type": "Polygon", "coordinates": [ring]}


def _terminals(size: Size, cells: int) -> list[Registered]:
    """Terminals dealt out to cells in turn, each off the middle of its own."""
    across = ceil(sqrt(cells))
    return [
        Registered(
            code=f"T{n:07d}",
            kind="atm",
            vendor=f"vendor-{n % 3}",
            model="m",
            region=f"region-{n % 20:02d}",
            site="s",
            latitude=20 + (n % cells // across + 0.1 + n % 79 / 100) * _SIDE,
            longitude=100 + (n % cells % across + 0.1 + n % 73 / 100) * _SIDE,
            cell=None,
            commissioned_at=BEGIN,
        )
        for n in range(size.terminals)
    ]


async def _import(connection: _Connection, size: Size) -> float:
    """Seconds to import the terminals into a fine map; afterwards the coarser one stands."""
    fine = size.cells * _MAP_POLYGONS
    await import_cells(connection, _squares(fine))
    terminals = _terminals(size, fine)
    began = time.perf_counter()
    await import_terminals(connection, terminals, dry_run=True)
    took = time.perf_counter() - began
    await import_cells(connection, _squares(size.cells), wish=Wish(complete=True))
    await import_terminals(connection, _terminals(size, size.cells))
    return took


async def _live(connection: _Connection, size: Size, progress: Progress) -> None:
    parameters = {"begin": BEGIN, "days": size.days}
    await connection.execute(_SQL["backdate"], parameters)
    await connection.execute(_SQL["without_exclusion"])
    for day in range(size.days):
        progress(f"writing {size.terminals * 2:,} intervals of day {day + 1} of {size.days}")
        await connection.execute(_SQL["live"], {"begin": BEGIN, "day": day})
    progress("indexing them, so that overlap is refused")
    await connection.execute(_SQL["with_exclusion"])
    progress("writing the heartbeats of one cell")
    await connection.execute(_SQL["naive_table"])
    await connection.execute(_SQL["beat"], parameters | {"cell": "C00000"})
    await connection.execute(_SQL["naive_index"])
    await connection.execute(_SQL["settle"])


async def _sum(connection: _Connection, size: Size, progress: Progress) -> float:
    """Seconds to sum what was lived; afterwards the days of a year have sums."""
    began = time.perf_counter()
    more = True
    while more:
        progress(f"summing hours and days, {await _days_summed(connection)} of {size.days} are")
        async with connection.transaction():
            more = await sum_up(connection, "UTC", BEGIN + timedelta(days=size.days))
    took = time.perf_counter() - began
    parameters = {"begin": BEGIN, "days": size.days}
    await connection.execute(_SQL["fill_year"], parameters)
    await connection.execute(_SQL["summed_year"], parameters)
    await connection.execute(_SQL["settle"])
    return took


async def _days_summed(connection: _Connection) -> int:
    row = await (await connection.execute(_SQL["days_summed"], {"begin": BEGIN})).fetchone()
    return 0 if row is None else int(row[0])


async def _measured(
    connection: _Connection, size: Size, built: _Built, progress: Progress
) -> tuple[UptimeReport, Around]:
    month = [(BEGIN, BEGIN + timedelta(days=MONTH))]
    year_end = BEGIN + timedelta(days=YEAR)
    days = list(buckets(BEGIN, year_end, Bucket.DAY, ZoneInfo("UTC")))

    async def ask(question: Question) -> None:
        if not await slices(connection, EVERYTHING, question, {}):
            raise ValueError("the benchmark's fleet is not there")

    async def naive() -> None:
        bounds = {"begin": month[0][0], "until": month[0][1], "cell": "C00000"}
        await (await connection.execute(_SQL["naive_count"], bounds)).fetchall()

    async def timed(what: str, least: int, run: Callable[[], Awaitable[None]]) -> float | None:
        if size.days < least:
            return None
        progress(what)
        took = []
        for _ in range(RUNS):
            began = time.perf_counter()
            await run()
            took.append(time.perf_counter() - began)
        return statistics.median(took)

    one = await timed("one cell, 30 days", MONTH, lambda: ask(Question(By.FLEET, month, "C00000")))
    every = await timed("all cells, 30 days", MONTH, lambda: ask(Question(By.CELL, month)))
    year = await timed("the fleet by day, a year", 1, lambda: ask(Question(By.FLEET, days)))
    counted = await timed("one cell by heartbeats, 30 days", MONTH, naive)
    cursor = await connection.execute(_SQL["sizes"])
    [(intervals, stored, sums, rows, naive_stored)] = await cursor.fetchall()
    report = UptimeReport(
        cell_30d_ms=_rounded(one, 1000, 2),
        all_cells_30d_s=_rounded(every, 1, 3),
        fleet_year_s=round(year or 0.0, 3),
        import_s=round(built.import_s, 3),
        bytes=stored + sums,
        naive_cell_30d_ms=_rounded(counted, 1000, 2),
    )
    return report, Around(
        terminals=size.terminals,
        cells=size.cells,
        days=size.days,
        intervals=intervals,
        summing_s=round(built.summing_s, 3),
        sums_bytes=sums,
        naive_cell_rows=rows,
        naive_cell_bytes=naive_stored,
    )


def _rounded(seconds: float | None, times: int, digits: int) -> float | None:
    return None if seconds is None else round(seconds * times, digits)
