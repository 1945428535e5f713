"""The engine as it stood at the last commit: every terminal, hold and open fault, read back."""

import asyncio
import gc
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import NamedTuple

from collector import order, steps
from collector.registry import Registry
from collector.store import Connection
from fleet import snapshot
from fleet.db.sql import load
from fleet.quarantine import Quarantined
from fleet.rules.births import CROSSING
from fleet.rules.engine import Engine
from fleet.rules.flapping import Transitions
from fleet.rules.hold import Hold, Phase
from fleet.rules.severity import Severity
from fleet.rules.slope import Slope
from fleet.rules.terminal import Terminal
from fleet.service_state import ServiceState
from fleet.telemetry import Presence

_SQL = load("collector", "restore")
_BREATH = 500  # terminals, between two turns of the event loop

Holds = dict[str, dict[tuple[str, str], Hold]]
Counts = dict[str, tuple[datetime, ...]]
"""The times of counted events, by rule."""
Swings = dict[str, dict[tuple[str, str], Transitions]]
"""By subject, then by rule and item."""


class _Row(NamedTuple):
    terminal_id: int
    boot: int
    seq: int
    ts: datetime | None
    arrived_at: datetime | None
    heard_at: datetime | None
    connected: bool | None
    status: str | None
    storage: str | None
    metrics: str | None
    service_state: str
    service_since: datetime | None
    clock_off: bool


@contextmanager
def _undisturbed() -> Iterator[None]:
    """Search for garbage before, for an engine refers to itself, and not meanwhile: all that is
    read back stays, and to look through it as it grows takes a fifth of the time."""
    gc.collect()
    gc.disable()
    try:
        yield
    finally:
        gc.enable()


async def read_back(
    connection: Connection,
    registry: Registry,
    engine: Engine,
    now: datetime,
    changed: frozenset[str] = frozenset(),
) -> None:
    """Bring a new engine to where the last committed batch left off: it goes on exactly there.

    The rules that `changed` since are asked at once.
    """
    with _undisturbed():
        left = await _adopt(connection, registry, engine)
        await _recall_births(connection, registry.region, engine, now)
        engine.retire(now, changed, left)


async def _adopt(connection: Connection, registry: Registry, engine: Engine) -> list[Terminal]:
    """Returns those that were decommissioned while nobody looked, and have holds still."""
    holds = await _holds(connection, registry)
    transitions = await _transitions(connection, registry)
    counts = await _counts(connection, registry.region)
    slopes = await _slopes(connection, registry.region)
    rows = await _rows(connection, registry.region)
    waiting = await order.waiting(connection, registry.region)
    untold = await steps.untold(connection, registry.region)
    for number, entry in enumerate(registry.entries.values()):
        if number % _BREATH == 0:
            await asyncio.sleep(0)  # else the others take a large region's reader for dead
        terminal = entry.terminal(registry.region)
        terminal.holds = holds["terminal"].get(entry.code, {})
        _recall(terminal, rows.get(entry.id))
        terminal.kept = waiting.get(entry.id, {})
        terminal.steps = untold.get(entry.id, {})
        terminal.counts = counts.get(entry.code, {})
        terminal.slopes = slopes.get(entry.code, {})
        terminal.transitions = transitions["terminal"].get(entry.code, {})
        engine.adopt(terminal)
    left = await _left(connection, registry.region)
    for terminal in left:
        terminal.holds = holds["terminal"].get(terminal.code, {})
        terminal.steps = untold.get(terminal.id, {})
        terminal.transitions = transitions["terminal"].get(terminal.code, {})
        engine.adopt(terminal)
    for cell in holds["cell"].keys() | transitions["cell"].keys():
        engine.adopt_cell(cell, holds["cell"].get(cell, {}), transitions["cell"].get(cell, {}))
    return left


async def _recall_births(
    connection: Connection, region: str, engine: Engine, now: datetime
) -> None:
    asked = {"region": region, "since": now - CROSSING}
    cursor = await connection.execute(_SQL["births"], asked)
    async for terminal_id, said_at, boot, arrived_at in cursor:
        engine.recall_birth(terminal_id, Presence(said_at, boot, online=True), arrived_at)


async def _left(connection: Connection, region: str) -> list[Terminal]:
    cursor = await connection.execute(_SQL["left_behind"], {"region": region})
    return [
        Terminal(key, code, kind, cell, vendor, model, region)
        async for key, code, kind, cell, vendor, model in cursor
    ]


async def _rows(connection: Connection, region: str) -> dict[int, _Row]:
    cursor = await connection.execute(_SQL["terminal_states"], {"region": region})
    return {row[0]: _Row(*row) for row in await cursor.fetchall()}


async def _holds(connection: Connection, registry: Registry) -> dict[str, Holds]:
    found: dict[str, Holds] = {"terminal": defaultdict(dict), "cell": defaultdict(dict)}
    cursor = await connection.execute(_SQL["holds"], {"region": registry.region})
    async for scope, subject, rule, item, phase, *rest, severity, counted_at in cursor:
        hold = found[scope][subject][rule, item] = Hold(Phase(phase), *rest)
        hold.counted_at = counted_at
        hold.severity = None if severity is None else Severity(severity)
    return found


async def _transitions(connection: Connection, registry: Registry) -> dict[str, Swings]:
    found: dict[str, Swings] = {"terminal": defaultdict(dict), "cell": defaultdict(dict)}
    cursor = await connection.execute(_SQL["transitions"], {"region": registry.region})
    async for scope, subject, rule, item, times, raised in cursor:
        found[scope][subject][rule, item] = Transitions(tuple(times), raised)
    return found


async def _counts(connection: Connection, region: str) -> dict[str, Counts]:
    found: dict[str, Counts] = defaultdict(dict)
    cursor = await connection.execute(_SQL["event_counts"], {"region": region})
    async for terminal, rule, times in cursor:
        found[terminal][rule] = tuple(times)
    return found


async def _slopes(connection: Connection, region: str) -> dict[str, dict[tuple[str, str], Slope]]:
    found: dict[str, dict[tuple[str, str], Slope]] = defaultdict(dict)
    cursor = await connection.execute(_SQL["slopes"], {"region": region})
    async for terminal, rule, item, times, levels, level in cursor:
        past = tuple(zip(times, levels, strict=True))
        found[terminal][rule, item] = Slope(past, level)
    return found


def _recall(terminal: Terminal, row: _Row | None) -> None:
    if row is None:
        return
    terminal.boot, terminal.seq = row.boot, row.seq
    terminal.at, terminal.arrived_at, terminal.heard_at = row.ts, row.arrived_at, row.heard_at
    terminal.connected = row.connected
    terminal.state = ServiceState(row.service_state)
    terminal.state_since = row.service_since
    terminal.off = row.clock_off
    if row.metrics is not None:
        terminal.metrics = row.metrics.encode()
    if row.status is not None and row.storage is not None:
        try:
            read = snapshot.read(row.status.encode(), row.storage.encode())
        except Quarantined:  # the contract was another one: what it says next is read whole
            return
        terminal.status, terminal.storage = read.status, read.storage
        terminal.values, terminal.items = read.values, read.items
