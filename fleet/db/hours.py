"""When terminals are meant to serve, as the api wrote it: who serves by which schedule, when."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import TypeVar

from psycopg import AsyncConnection
from psycopg.rows import TupleRow

from fleet.db.sql import load
from fleet.sla.calendar import FOREVER, Span
from fleet.windows.hours import ALWAYS, Hours, Use
from fleet.windows.schedule import Minutes, Schedule

_SQL = load("fleet.db", "hours")

Key = TypeVar("Key", int, str)
Layers = tuple[tuple[Use, ...], ...]


@dataclass(frozen=True)
class Book:
    """Every use of a schedule: of terminals by id, of cells and kinds by name."""

    terminals: Mapping[int, tuple[Use, ...]] = field(default_factory=dict)
    cells: Mapping[str, tuple[Use, ...]] = field(default_factory=dict)
    kinds: Mapping[str, tuple[Use, ...]] = field(default_factory=dict)
    shared: dict[tuple[int, ...], tuple[Layers, Hours]] = field(
        default_factory=dict, compare=False, repr=False
    )

    def of(self, terminal: int, kind: str, cells: Sequence[str]) -> Hours:
        """The hours of a terminal; `cells` are its own and those above, upwards.

        Terminals with the same uses have the same hours: one object for all.
        """
        if not (self.terminals or self.cells or self.kinds):
            return ALWAYS
        found = (
            self.terminals.get(terminal),
            *map(self.cells.get, cells),
            self.kinds.get(kind),
        )
        layers = tuple(layer for layer in found if layer)
        if not layers:
            return ALWAYS
        return self.shared.setdefault(tuple(map(id, layers)), (layers, Hours(layers)))[1]


async def read(connection: AsyncConnection[TupleRow], before: Book | None = None) -> Book:
    """The book as it stands; the one `before` where nothing has changed since."""
    schedules = await _schedules(connection)
    terminals: dict[int, list[Use]] = {}
    cells: dict[str, list[Use]] = {}
    kinds: dict[str, list[Use]] = {}
    for code, terminal, cell, kind, begin, end in await _rows(connection, "uses"):
        use = Use(Span(begin, end or FOREVER), schedules[code])
        if terminal is not None:
            terminals.setdefault(terminal, []).append(use)
        elif cell is not None:
            cells.setdefault(cell, []).append(use)
        else:
            kinds.setdefault(kind, []).append(use)
    book = Book(_fixed(terminals), _fixed(cells), _fixed(kinds))
    return before if before == book else book


def _fixed(uses: Mapping[Key, list[Use]]) -> dict[Key, tuple[Use, ...]]:
    return {key: tuple(each) for key, each in uses.items()}


async def _schedules(connection: AsyncConnection[TupleRow]) -> dict[str, Schedule]:
    weeks: dict[str, dict[int, tuple[Minutes, ...]]] = {}
    for code, weekday, opens, closes in await _rows(connection, "week"):
        hours = weeks.setdefault(code, {})
        hours[weekday] = (*hours.get(weekday, ()), (opens, closes))
    days: dict[str, dict[date, tuple[Minutes, ...]]] = {}
    for code, day, opens, closes in await _rows(connection, "days"):
        days.setdefault(code, {})[day] = tuple(zip(opens, closes, strict=True))
    return {
        code: Schedule(zone, weeks.get(code, {}), days.get(code, {}))
        for code, zone in await _rows(connection, "schedules")
    }


async def _rows(connection: AsyncConnection[TupleRow], statement: str) -> list[TupleRow]:
    return await (await connection.execute(_SQL[statement])).fetchall()
