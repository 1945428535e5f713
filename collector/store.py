"""The collector's tables: the one place that writes a batch, and the one that reads state back."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import astuple
from typing import Any

from psycopg import AsyncConnection, AsyncCursor
from psycopg.rows import TupleRow
from psycopg.types.json import Jsonb

from collector.batch import Batch, EventRow, LedgerKey, TelemetryRow
from collector.intake import SetAside
from fleet.db.sql import load
from fleet.ledger import Received, Span
from fleet.rules.changes import Change, Cleared, Fired, Flapped, Suppressed, Transition
from fleet.rules.record import Record
from fleet.rules.terminal import Terminal

Connection = AsyncConnection[TupleRow]
Cursor = AsyncCursor[TupleRow]

_SQL = load("collector", "store")
_TELEMETRY_TYPES = (
    "timestamptz", "int4", "int4", "int8", "timestamptz", "float4", "float4", "float4",
    "jsonb", "jsonb", "jsonb",
)  # fmt: skip
_EVENT_TYPES = ("timestamptz", "int4", "int4", "int8", "timestamptz", "text", "jsonb")


async def write(
    connection: Connection, batch: Batch, terminals: dict[int, Terminal], catalogue: str
) -> None:
    """Write a whole batch in one transaction; the commit is this function's return."""
    async with connection.transaction(), connection.cursor() as cursor:
        await copy_telemetry(cursor, map(_telemetry, batch.telemetry))
        await _copy(cursor, "copy_event", _EVENT_TYPES, map(_event, batch.events))
        await _quarantine(cursor, batch.aside)
        await _ledger(cursor, batch.received)
        touched = [terminals[i] for i in sorted(batch.record.terminals) if i in terminals]
        await _terminals(
            cursor, touched, {each.terminal_id for each in batch.telemetry if each.status}
        )
        await _holds(cursor, batch.record)
        await _transitions(cursor, batch.record)
        await _service(cursor, [c for c in batch.record.changes if isinstance(c, Transition)])
        await _faults(cursor, batch.record.changes, catalogue)


async def read_ledger(
    connection: Connection, keys: Iterable[LedgerKey]
) -> dict[LedgerKey, Received]:
    """The ledgers of some boots; an empty one where a boot is new."""
    wanted = list(keys)
    found = {key: Received() for key in wanted}
    if wanted:
        ids, boots = zip(*wanted, strict=True)
        cursor = await connection.execute(
            _SQL["read_ledger"], {"ids": list(ids), "boots": list(boots)}
        )
        async for terminal_id, boot, firsts, lasts, doubled in cursor:
            ranges = zip(firsts, lasts, strict=True)
            found[terminal_id, boot] = Received(ranges, doubled)
    return found


async def copy_telemetry(cursor: Cursor, rows: Iterable[tuple[object, ...]]) -> None:
    """Rows of `telemetry`, ready for the wire, by binary COPY; for the benchmark as well."""
    await _copy(cursor, "copy_telemetry", _TELEMETRY_TYPES, rows)


def _telemetry(row: TelemetryRow) -> tuple[object, ...]:
    return (
        row.ts, row.terminal_id, row.boot, row.seq, row.arrived_at, row.temperature_c, row.rtt_ms,
        row.disk_free_pct, _json(row.status), _json(row.storage), _json(row.extra),
    )  # fmt: skip


def _event(row: EventRow) -> tuple[object, ...]:
    *plain, body = astuple(row)
    return (*plain, _json(body))


def _json(text: str | None) -> Jsonb | None:
    """Text that is JSON already; a plain string would be stored as a JSON string."""
    return None if text is None else Jsonb(text, dumps=str)


async def _copy(
    cursor: Cursor, name: str, types: Sequence[str], rows: Iterable[tuple[Any, ...]]
) -> None:
    rows = iter(rows)
    first = next(rows, None)
    if first is None:
        return
    async with cursor.copy(_SQL[name]) as copy:
        copy.set_types(types)
        await copy.write_row(first)
        for row in rows:
            await copy.write_row(row)


async def _quarantine(cursor: Cursor, aside: Sequence[SetAside]) -> None:
    if aside:
        await cursor.executemany(_SQL["insert_quarantine"], [astuple(each) for each in aside])


async def _ledger(cursor: Cursor, received: dict[LedgerKey, Received]) -> None:
    if received:
        await cursor.execute(
            _SQL["upsert_ledger"],
            {
                "ids": [terminal_id for terminal_id, _ in received],
                "boots": [boot for _, boot in received],
                "received": [_multirange(each.ranges) for each in received.values()],
                "doubled": [each.doubled for each in received.values()],
            },
        )


async def give_up(connection: Connection, lost: Mapping[LedgerKey, Sequence[Span]]) -> None:
    """Write down, in a transaction of its own, what was asked for in vain."""
    async with connection.transaction(), connection.cursor() as cursor:
        await cursor.execute(
            _SQL["give_up"],
            {
                "ids": [terminal_id for terminal_id, _ in lost],
                "boots": [boot for _, boot in lost],
                "lost": [_multirange(each) for each in lost.values()],
            },
        )


def _multirange(spans: Iterable[Span]) -> str:
    return "{" + ",".join(f"[{first},{last}]" for first, last in spans) + "}"


async def _terminals(cursor: Cursor, touched: Sequence[Terminal], changed: Collection[int]) -> None:
    """Status and storage go over the wire where they changed; else what is stored stays."""
    if touched:
        await cursor.execute(
            _SQL["upsert_terminal_state"],
            {
                "ids": [each.id for each in touched],
                "boots": [each.boot for each in touched],
                "seqs": [each.seq for each in touched],
                "ts": [each.at for each in touched],
                "arrived": [each.arrived_at for each in touched],
                "heard": [each.heard_at for each in touched],
                "connected": [each.connected for each in touched],
                "status": [
                    each.status.decode() or None if each.id in changed else None for each in touched
                ],
                "storage": [
                    each.storage.decode() or None if each.id in changed else None
                    for each in touched
                ],
                "metrics": [each.metrics.decode() or None for each in touched],
                "states": [each.state.value for each in touched],
                "since": [each.state_since for each in touched],
            },
        )


async def _holds(cursor: Cursor, record: Record) -> None:
    idle = [key for key, hold in record.holds.items() if hold is None]
    active = [(key, hold) for key, hold in record.holds.items() if hold is not None]
    if idle:
        await cursor.executemany(_SQL["delete_hold"], [astuple(key) for key in idle])
    if active:
        rows = [
            (
                *astuple(key),
                hold.phase.value,
                hold.since,
                hold.started_at,
                hold.fault_id,
                hold.flapping,
            )
            for key, hold in active
        ]
        await cursor.executemany(_SQL["upsert_hold"], rows)


async def _transitions(cursor: Cursor, record: Record) -> None:
    """The transitions that flapping is judged on, and the events that are counted."""
    for (terminal, rule), times in record.counts.items():
        await cursor.execute(_SQL["upsert_event_count"], (terminal, rule, list(times)))
    for key, kept in record.transitions.items():
        if kept is None:
            await cursor.execute(_SQL["delete_transitions"], astuple(key))
        else:
            row = (*astuple(key), list(kept.times), kept.raised)
            await cursor.execute(_SQL["upsert_transitions"], row)


async def _service(cursor: Cursor, transitions: Sequence[Transition]) -> None:
    if transitions:
        await cursor.execute(
            _SQL["cut_service_intervals"],
            {
                "ids": [each.terminal_id for each in transitions],
                "ats": [each.at for each in transitions],
            },
        )
        await cursor.execute(
            _SQL["insert_service_intervals"],
            {
                "ids": [each.terminal_id for each in transitions],
                "ats": [each.at for each in transitions],
                "states": [each.state.value for each in transitions],
                "causes": [",".join(each.causes) for each in transitions],
            },
        )


async def _faults(cursor: Cursor, changes: Sequence[Change], catalogue: str) -> None:
    for change in changes:
        match change:
            case Fired():
                await cursor.execute(_SQL["insert_fault"], _fault_row(change, catalogue))
                await _feed(cursor, change.id, "fired", change.fired_at)
            case Cleared():
                await cursor.execute(_SQL["clear_fault"], (change.cleared_at, change.id))
                await _feed(cursor, change.id, "cleared", change.at)
            case Suppressed():
                await cursor.execute(_SQL["suppress_fault"], (change.by, change.id))
                what = "suppressed" if change.by else "released"
                await _feed(cursor, change.id, what, change.at)
            case Flapped():
                what = "flapping" if change.flapping else "steady"
                await cursor.execute(_SQL[f"{what}_fault"], (change.at, change.id))
                await _feed(cursor, change.id, what, change.at)
            case Transition():
                pass
    if any(not isinstance(change, Transition) for change in changes):
        await cursor.execute(_SQL["notify_fault"])


async def _feed(cursor: Cursor, fault_id: object, change: str, at: object) -> None:
    await cursor.execute(_SQL["insert_fault_change"], (fault_id, change, at))


def _fault_row(fired: Fired, catalogue: str) -> dict[str, object]:
    rule = fired.rule
    return {
        "id": fired.id,
        "scope": fired.key.scope,
        "subject": fired.key.subject,
        "terminal_id": fired.terminal_id,
        "cell_code": fired.cell,
        "rule": rule.name,
        "item": fired.key.item,
        "severity": rule.severity.value,
        "component": rule.component,
        "impact": rule.impact.value if rule.impact else "none",
        "title": rule.title,
        "remedy": rule.remedy,
        "skill": rule.skill,
        "line": rule.line,
        "parts": list(rule.parts),
        "started_at": fired.started_at,
        "fired_at": fired.fired_at,
        "suppressed_by": fired.suppressed_by,
        "catalogue": catalogue,
    }
