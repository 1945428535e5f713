"""The terminals a region may hear, and the cells they are in."""

import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property

import msgspec
from psycopg import AsyncConnection
from psycopg.rows import TupleRow

from fleet.db import hours
from fleet.db.sql import load
from fleet.quarantine import Quarantined, Reason
from fleet.rules.engine import Engine
from fleet.rules.terminal import Terminal
from fleet.topics import ROOT
from fleet.windows.hours import ALWAYS, Hours

_SQL = load("collector", "registry")


class Entry(msgspec.Struct, frozen=True, gc=False):
    """A terminal, as the api registered it; `above` are the cells above its own, in service is
    what is not in maintenance."""

    id: int
    code: str
    kind: str
    cell: str
    vendor: str
    model: str
    above: tuple[str, ...] = ()
    in_service: bool = True
    hours: Hours = ALWAYS
    commissioned_at: datetime | None = None

    def terminal(self, region: str) -> Terminal:
        """The terminal as the engine knows it before anything was heard."""
        return Terminal(
            self.id, self.code, self.kind, self.cell, self.vendor, self.model, region, self.above,
            in_service=self.in_service, hours=self.hours,
            commissioned_at=self.commissioned_at,
        )  # fmt: skip


@dataclass(frozen=True)
class Registry:
    """A region's terminals by code, and where the other regions' terminals belong."""

    region: str
    entries: Mapping[str, Entry]
    elsewhere: Mapping[str, str]
    book: hours.Book = field(default_factory=hours.Book)

    @cached_property
    def _prefix(self) -> str:
        return f"{ROOT}/{self.region}/"

    def at(self, address: str) -> Entry | None:
        """The terminal whose topics begin with `address`; None for a stranger."""
        prefix = self._prefix
        return self.entries.get(address[len(prefix) :]) if address.startswith(prefix) else None

    def find(self, region: str, code: str) -> Entry:
        """The terminal; raises `Quarantined`: unknown, or speaking on another region's topic."""
        entry = self.entries.get(code)
        if entry is not None and region == self.region:
            return entry
        home = self.region if entry else self.elsewhere.get(code)
        if home is not None:
            detail = f"terminal {code} belongs to region {home}, the topic says {region}"
            raise Quarantined(Reason.WRONG_TOPIC, detail)
        raise Quarantined(Reason.UNKNOWN_TERMINAL, f"terminal {code} is not registered")


def entry_of(terminal: Terminal) -> Entry:
    """What the registry said of a terminal when it was adopted."""
    return Entry(
        terminal.id, terminal.code, terminal.kind, terminal.cell, terminal.vendor, terminal.model,
        terminal.above, terminal.in_service, terminal.hours,
        terminal.commissioned_at,
    )  # fmt: skip


async def read(
    connection: AsyncConnection[TupleRow], region: str, before: Registry | None = None
) -> Registry:
    """The registry as it stands; with the one `before`, what has not changed is shared with it."""
    book = await hours.read(connection, None if before is None else before.book)
    cells = await connection.execute(_SQL["cells_above"])
    above = {code: tuple(codes) for code, codes in await cells.fetchall()}
    mine = await connection.execute(_SQL["region_terminals"], {"region": region})
    known = before.entries if before is not None else {}
    entries = {}
    async for key, code, kind, cell, vendor, model, in_service, since in mine:
        # Thousands have the same vendor: one text for all.
        names = sys.intern(vendor), sys.intern(model)
        over = above.get(cell, ())
        serves = book.of(key, kind, (cell, *over))
        entry = Entry(key, code, kind, cell, *names, over, in_service, serves, since)
        entries[code] = known[code] if known.get(code) == entry else entry
    others = await connection.execute(_SQL["other_terminals"], {"region": region})
    return Registry(region, entries, dict(await others.fetchall()), book)


async def are_known(connection: AsyncConnection[TupleRow], engine: Engine, fresh: Registry) -> bool:
    """Whether something is stored of a terminal that came: it was another region's."""
    came = [each.id for each in fresh.entries.values() if each.id not in engine.terminals]
    cursor = await connection.execute(_SQL["are_known"], {"ids": came})
    return bool(await cursor.fetchone())


def take_in(engine: Engine, before: Registry, fresh: Registry, now: datetime) -> list[int]:
    """Let an engine that goes by one registry go by a fresh one: terminals that came, moved or
    left, other hours.

    Returns the ids of those that left.
    """
    left = []
    for terminal in list(engine.terminals.values()):
        entry = fresh.entries.get(terminal.code)
        if entry is None:
            take_out = engine.let_go if terminal.code in fresh.elsewhere else engine.remove
            take_out(terminal, now)
            left.append(terminal.id)
            continue
        if entry is before.entries.get(terminal.code):
            continue
        if entry.in_service != terminal.in_service:
            engine.serve(terminal, now, in_service=entry.in_service)
        if entry.hours != terminal.hours:
            engine.schedule(terminal, entry.hours)
        if entry != entry_of(terminal):
            terminal.vendor, terminal.model = entry.vendor, entry.model
            terminal.commissioned_at = entry.commissioned_at
            engine.move(terminal, entry.cell, now, entry.above)
    for entry in fresh.entries.values():
        if entry.id not in engine.terminals:
            engine.adopt(entry.terminal(fresh.region))
    return left
