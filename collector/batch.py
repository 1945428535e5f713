"""A batch: packets in, rows and the engine's changes out. No I/O: it can be done again."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from collector import metrics, rows
from collector.beats import Beat
from collector.intake import Arrival, Opened, Opening, Repeated, SetAside, Source, set_aside
from collector.ledgers import NUMBERED, LedgerKey
from collector.order import Late
from fleet.ledger import Received, Span
from fleet.quarantine import Quarantined, Reason
from fleet.rules.engine import Engine, Outcome
from fleet.rules.record import Record
from fleet.rules.terminal import Terminal
from fleet.telemetry import MAX_AHEAD, Event, Presence, Telemetry
from fleet.topics import Channel

_SLICE = 50
_IN_DOUBT = timedelta(seconds=10)
"""Who sends a message again, and says a new time in it, does so at once."""

PresenceRow = tuple[datetime, int, int, bool, bool, int | None, datetime | None]
"""A row of `presence`, as `rows.presence` packs it."""


@dataclass(slots=True)
class Batch:
    """What one transaction will write: rows packed for COPY, and what they changed."""

    telemetry: list[bytes] = field(default_factory=list)
    events: list[bytes] = field(default_factory=list)
    presences: list[bytes] = field(default_factory=list)
    presences_again: list[PresenceRow] = field(default_factory=list)
    """What the broker may have delivered before: looked for, and not copied."""
    said_us: list[int] = field(default_factory=list)
    """When each of them was said, microseconds since 2000."""
    late: list[Late] = field(default_factory=list)
    rebooted: bool = False
    """Whether a terminal is written for the first time, or goes on with another boot."""
    quickest_us: dict[int, int] = field(default_factory=dict)
    """The greatest `ts − arrival` of each terminal's messages, microseconds."""
    beats: dict[int, Beat] = field(default_factory=dict)
    """How far each terminal came by heartbeats; what else befell it is in `record`."""
    aside: list[SetAside] = field(default_factory=list)
    received: dict[LedgerKey, Received] = field(default_factory=dict)
    """The ledgers touched, but for those that a heartbeat went on with where they ended."""
    given_up: dict[LedgerKey, list[Span]] = field(default_factory=dict)
    """Gaps that are waited for no more, for their ledger has too many."""
    record: Record = field(default_factory=Record)

    def __bool__(self) -> bool:
        return bool(self.beats or self.received or self.aside or self.record)


async def judge(
    opening: Opening,
    engine: Engine,
    ledger: Mapping[LedgerKey, Received],
    now: datetime,
    *,
    passing: bool = False,
) -> Batch:
    """Run the messages through the engine, then let time pass up to `now`.

    With `passing` time passes up to each message first: they lie further apart than they do live.
    Now and then the event loop has its turn, for the batch before is being written.
    """
    batch, messages = Batch(aside=opening.aside), opening.messages
    calm: datetime | None = None  # an instant by which nothing is due
    for place in range(0, len(messages), _SLICE):
        for each in messages[place : place + _SLICE]:
            if passing:
                engine.tick(each.arrival.at)
            try:
                if isinstance(each, Repeated):
                    if (at := each.arrival.at) is not calm:  # many come at one time
                        calm = None if engine.is_due(at) else at
                    if calm is not None and _repeat(each, batch, engine, ledger):
                        continue
                calm = None
                _take(each, batch, engine, ledger)
            except Quarantined as why:
                batch.aside.append(set_aside(each.arrival, why))
        await asyncio.sleep(0)
    for key, received in batch.received.items():
        if given_up := received.bound():
            batch.given_up[key] = given_up
    engine.tick(now)
    batch.record = engine.take()
    return batch


def _repeat(
    each: Repeated, batch: Batch, engine: Engine, ledger: Mapping[LedgerKey, Received]
) -> bool:
    """The short way of a heartbeat that is the next in order; False where there is more to it."""
    said, source, said_us, arrival = each.message, each.source, each.said_us, each.arrival
    if said_us // rows.DAY_US != source.day or arrival.retain:
        return False
    boot, seq, terminal, received = said.boot, said.seq, source.terminal, source.received
    if source.boot != boot or terminal is None or received is None:
        terminal, received = engine.terminals[source.entry.id], ledger[source.entry.id, boot]
        source.keep(boot, terminal, received)
    if not received.goes_on(seq):
        return False
    measured = engine.heartbeat(terminal, said, each.refrain, arrival.at)
    if measured is None:
        return False
    received.last = seq  # as `add` does with the next one
    terminal_id, arrived_us = terminal.id, each.arrived_us
    batch.telemetry.append(rows.telemetry(terminal_id, said, said_us, arrived_us, measured))
    batch.said_us.append(said_us)
    at_us = said_us if said_us < arrived_us else arrived_us
    batch.beats[terminal_id] = (
        terminal_id, boot, seq, at_us, arrived_us, arrived_us, True, terminal.metrics,
    )  # fmt: skip
    ahead_us, quickest = said_us - arrived_us, batch.quickest_us
    if ahead_us > quickest.get(terminal_id, ahead_us - 1):
        quickest[terminal_id] = ahead_us
    return True


def _take(
    each: Opened | Repeated, batch: Batch, engine: Engine, ledger: Mapping[LedgerKey, Received]
) -> None:
    opened = each.whole() if isinstance(each, Repeated) else each
    message, terminal_id, arrival = opened.message, opened.entry.id, opened.arrival
    terminal = engine.terminals[terminal_id]
    if isinstance(message, Presence):
        if not engine.presence(terminal, message, arrival.at, retained=arrival.retain).late:
            # Else who judges it once more, by its arrival, would believe it.
            _keep(message, terminal_id, arrival, batch)
        return
    if not isinstance(message, NUMBERED):
        return
    if (beat := batch.beats.get(terminal_id)) is not None:
        before = beat[:2]  # it may go on with another boot: then nothing else says how far it came
        batch.received[before] = ledger[before]
    key = (terminal_id, message.boot)
    received = ledger[key]
    if message.seq in received:
        _check_unchanged(message, terminal)
        metrics.duplicate.labels(opened.channel).inc()
    else:
        _check_said_now(message, opened)
        said_us, arrived_us = rows.microseconds(message.ts), rows.microseconds(arrival.at)
        if isinstance(message, Telemetry):
            source, day = opened.source, said_us // rows.DAY_US
            source.keep(message.boot, terminal, received)
            begins = _begins(day, source, terminal)
            outcome = engine.telemetry(terminal, message, arrival.at)
            source.reach(day, late=outcome.late)
            whole = outcome.changed or outcome.late or outcome.kept or begins
            of = message if whole else None
            batch.telemetry.append(
                rows.telemetry(terminal_id, message, said_us, arrived_us, outcome.measured, of)
            )
        else:
            outcome = engine.event(terminal, message, arrival.at)
            payload = arrival.payload
            batch.events.append(rows.event(terminal_id, message, said_us, arrived_us, payload))
        batch.said_us.append(said_us)
        ahead_us, quickest = said_us - arrived_us, batch.quickest_us
        if ahead_us > quickest.get(terminal_id, ahead_us - 1):
            quickest[terminal_id] = ahead_us
        if outcome.late:
            batch.late.append(
                Late(terminal_id, message.boot, message.seq, opened.channel, message.ts, arrival.at)
            )
        if outcome.late or outcome.kept or outcome.unknown:
            _count(outcome, opened.channel)
    received.add(message.seq)
    batch.received[key] = received


def _begins(day: int, source: Source, terminal: Terminal) -> bool:
    """Whether a terminal says nothing of itself yet on a day; an event says nothing of that."""
    if source.day >= 0:
        return source.day != day
    return terminal.at is None or rows.microseconds(terminal.at) // rows.DAY_US != day


def _keep(message: Presence, terminal_id: int, arrival: Arrival, batch: Batch) -> None:
    boot, online, retained, packet = message.boot, message.online, arrival.retain, arrival.packet_id
    if arrival.duplicate:
        said_at = message.ts if online else None
        row = (arrival.at, terminal_id, boot, online, retained, packet, said_at)
        batch.presences_again.append(row)
        return
    arrived_us = rows.microseconds(arrival.at)
    batch.presences.append(
        rows.presence(terminal_id, message, arrived_us, packet, retained=retained)
    )


def _check_unchanged(message: Telemetry | Event, terminal: Terminal) -> None:
    """Raise `Quarantined` for a message that cannot be the one that is stored under its number: it
    says a later time than the latest message did, whose number it has, or than a clock could when
    anything was last heard of its terminal."""
    heard_at, latest = terminal.heard_at, (terminal.boot, terminal.seq)
    at = terminal.at
    if at == terminal.arrived_at:  # of a clock that is ahead of ours what it said is not remembered
        at = None
    if (message.boot, message.seq) == latest and at is not None and message.ts - at > _IN_DOUBT:
        raise Quarantined(
            Reason.NUMBER_REUSED,
            f"boot {message.boot} seq {message.seq} is stored already, said at {at}: "
            "do two terminals speak under this name?",
        )
    if heard_at is not None and message.ts - heard_at > MAX_AHEAD:
        raise Quarantined(
            Reason.NUMBER_REUSED,
            f"boot {message.boot} seq {message.seq} is stored already, of before {heard_at}: "
            "a terminal that lost its counter begins at another boot",
        )


def _check_said_now(message: Telemetry | Event, opened: Opened) -> None:
    """Raise `Quarantined` for what the broker remembers: whoever said it may be gone for days, and
    nobody knows what it said since."""
    if opened.arrival.retain:
        raise Quarantined(
            Reason.RETAINED,
            f"boot {message.boot} seq {message.seq} of {message.ts} was kept by the broker: "
            f"{opened.channel} is published without the retain flag",
        )


def _count(outcome: Outcome, channel: Channel) -> None:
    if outcome.late:
        metrics.late.labels(channel).inc()
    if outcome.kept:
        metrics.kept.labels(channel).inc()
    for found in outcome.unknown:
        metrics.unknown.labels(found.what).inc()
