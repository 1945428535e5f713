"""A batch: packets in, rows and the engine's changes out. No I/O: it can be done again."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

import msgspec

from collector import metrics
from collector.intake import Arrival, Opened, SetAside, set_aside, unpack
from collector.registry import Registry
from fleet.ledger import Received
from fleet.quarantine import Quarantined
from fleet.rules.engine import Engine, Outcome
from fleet.rules.record import Record
from fleet.telemetry import Event, Presence, Telemetry
from fleet.topics import Channel

LedgerKey = tuple[int, int]
"""A terminal's id and a boot."""


@dataclass(frozen=True, slots=True)
class TelemetryRow:
    """One row of `telemetry`; status and storage are None where they repeat the one before."""

    ts: datetime
    terminal_id: int
    boot: int
    seq: int
    arrived_at: datetime
    temperature_c: float | None
    rtt_ms: float | None
    disk_free_pct: float | None
    status: str | None
    storage: str | None
    extra: str | None


@dataclass(frozen=True, slots=True)
class EventRow:
    """One row of `event`."""

    ts: datetime
    terminal_id: int
    boot: int
    seq: int
    arrived_at: datetime
    name: str
    body: str


@dataclass(slots=True)
class Batch:
    """What one transaction will write."""

    telemetry: list[TelemetryRow] = field(default_factory=list)
    events: list[EventRow] = field(default_factory=list)
    aside: list[SetAside] = field(default_factory=list)
    received: dict[LedgerKey, Received] = field(default_factory=dict)
    record: Record = field(default_factory=Record)

    def __bool__(self) -> bool:
        return bool(self.received or self.aside or self.record)


def open_all(
    arrivals: Sequence[Arrival], registry: Registry
) -> tuple[list[Opened], list[SetAside]]:
    """The messages in the packets, and the packets that are none."""
    opened: list[Opened] = []
    aside: list[SetAside] = []
    for arrival in arrivals:
        try:
            opened.append(unpack(arrival, registry))
        except Quarantined as why:
            aside.append(set_aside(arrival, why))
    for channel, count in Counter(each.channel for each in opened).items():
        metrics.received.labels(channel).inc(count)
    return opened, aside


def keys(opened: Sequence[Opened]) -> set[LedgerKey]:
    """Whose ledgers a batch needs."""
    return {(each.entry.id, each.message.boot) for each in opened if _numbered(each)}


def judge(
    opened: Sequence[Opened],
    aside: list[SetAside],
    engine: Engine,
    ledger: Mapping[LedgerKey, Received],
    now: datetime,
) -> Batch:
    """Run the messages through the engine, then let time pass up to `now`."""
    batch = Batch(aside=aside)
    for each in opened:
        try:
            _take(each, batch, engine, ledger)
        except Quarantined as why:
            batch.aside.append(set_aside(each.arrival, why))
    engine.tick(now)
    batch.record = engine.take()
    return batch


def _numbered(opened: Opened) -> bool:
    return isinstance(opened.message, Telemetry | Event)


def _take(
    opened: Opened, batch: Batch, engine: Engine, ledger: Mapping[LedgerKey, Received]
) -> None:
    message, entry, arrival = opened.message, opened.entry, opened.arrival
    terminal = engine.terminals[entry.id]
    if isinstance(message, Presence):
        engine.presence(terminal, message, arrival.at, retained=arrival.retained)
        return
    if not isinstance(message, Telemetry | Event):
        return
    key = (entry.id, message.boot)
    received = ledger[key]
    if message.seq in received:
        received.add(message.seq)
        metrics.duplicate.labels(opened.channel).inc()
    elif isinstance(message, Telemetry):
        outcome = engine.telemetry(terminal, message, arrival.at)
        batch.telemetry.append(_telemetry_row(entry.id, message, arrival.at, outcome))
        _count(outcome, opened.channel)
        received.add(message.seq)
    else:
        _count(engine.event(terminal, message, arrival.at), opened.channel)
        batch.events.append(_event_row(opened, message))
        received.add(message.seq)
    batch.received[key] = received


def _count(outcome: Outcome, channel: Channel) -> None:
    if outcome.late:
        metrics.late.labels(channel).inc()
    for found in outcome.unknown:
        metrics.unknown.labels(found.what).inc()


def _telemetry_row(
    terminal_id: int, message: Telemetry, arrived_at: datetime, outcome: Outcome
) -> TelemetryRow:
    whole = outcome.changed or outcome.late
    values, extra = outcome.measured.values, outcome.measured.extra

    def measured(name: str) -> float | None:
        value = values.get(f"metrics.{name}")
        return float(value) if value is not None else None

    return TelemetryRow(
        ts=message.ts,
        terminal_id=terminal_id,
        boot=message.boot,
        seq=message.seq,
        arrived_at=arrived_at,
        temperature_c=measured("temperature_c"),
        rtt_ms=measured("rtt_ms"),
        disk_free_pct=measured("disk_free_pct"),
        status=bytes(message.status).decode() if whole else None,
        storage=bytes(message.storage).decode() if whole else None,
        extra=msgspec.json.encode(extra).decode() if extra else None,
    )


def _event_row(opened: Opened, message: Event) -> EventRow:
    return EventRow(
        ts=message.ts,
        terminal_id=opened.entry.id,
        boot=message.boot,
        seq=message.seq,
        arrived_at=opened.arrival.at,
        name=message.event,
        body=opened.arrival.payload.decode(),
    )
