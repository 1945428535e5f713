"""What a batch makes the database do: statements of `store.sql` with their values, decided at once.

So the engine may go on while they run: nothing here is read again later.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import fields
from datetime import datetime
from itertools import chain
from operator import attrgetter, itemgetter

from collector import changes, order, steps
from collector.batch import Batch
from collector.beats import Beat, beat, packed
from collector.intake import SetAside
from collector.ledgers import LedgerKey
from collector.order import Late
from collector.statement import Statement
from fleet.ledger import Received, Span
from fleet.rules.changes import HoldKey, Transition
from fleet.rules.record import Jump, Record
from fleet.rules.slope import Slope
from fleet.rules.terminal import Terminal

_TERMINAL = itemgetter(0)
# A row of each: `dataclasses.astuple` would copy what is in it.
_HOLD_KEY, _JUMP, _SET_ASIDE = (
    attrgetter(*(each.name for each in fields(kind))) for kind in (HoldKey, Jump, SetAside)
)


def decide(batch: Batch, terminals: Mapping[int, Terminal], catalogue: str) -> list[Statement]:
    """All that a batch makes the database do, in order, with the values as they are now.

    So the engine may go on while it is being written.
    """
    changed = [terminals[each] for each in sorted(batch.record.terminals) if each in terminals]
    beats = [beat(each) for each in changed]
    beats += [each for key, each in batch.beats.items() if key not in batch.record.terminals]
    beats.sort(key=_TERMINAL)  # everybody who locks several does it in this order
    parts = (
        _copies(batch),
        _again(batch),
        _quarantine(batch.aside),
        _ledger(batch.received, beats),
        _beats(beats, rebooted=batch.rebooted),
        _snapshots([each for each in changed if each.id in batch.record.restated]),
        _holds(batch.record),
        _transitions(batch.record),
        _order(batch.record, batch.late),
        _untold(batch.record),
        changes.service([c for c in batch.record.changes if isinstance(c, Transition)]),
        changes.faults(batch.record.changes, catalogue),
    )
    return list(chain(*parts))


def _copies(batch: Batch) -> Iterator[Statement]:
    copies = {
        "copy_telemetry": batch.telemetry,
        "copy_event": batch.events,
        "copy_presence": batch.presences,
    }
    return (Statement(name, packed=packed) for name, packed in copies.items() if packed)


def _again(batch: Batch) -> Iterator[Statement]:
    if batch.presences_again:
        yield Statement("insert_presence_again", each=batch.presences_again)


def _quarantine(aside: Sequence[SetAside]) -> Iterator[Statement]:
    if aside:
        yield Statement("insert_quarantine", each=[_SET_ASIDE(each) for each in aside])


def _ledger(received: dict[LedgerKey, Received], beats: Sequence[Beat]) -> Iterator[Statement]:
    """Ledgers that only grew at their end stay as they are: `boot_received` reads the rest."""
    ends = {each[:3] for each in beats} if received else set()
    written = {
        key: each
        for key, each in received.items()
        if each.reshaped or (*key, each.last) not in ends
    }
    if written:
        yield Statement(
            "upsert_ledger",
            {
                "ids": [terminal_id for terminal_id, _ in written],
                "boots": [boot for _, boot in written],
                "received": [multirange(each.ranges) for each in written.values()],
                "doubled": [each.doubled for each in written.values()],
                "blurred": [each.blurred_to for each in written.values()],
            },
        )
    for each in written.values():
        each.reshaped = False


def _beats(beats: Sequence[Beat], *, rebooted: bool) -> Iterator[Statement]:
    """What changes with every message."""
    if not beats:
        return
    values = packed(beats)
    if rebooted:
        yield Statement("keep_ledgers", values)
    yield Statement("update_terminal_state", values)
    if rebooted:
        yield Statement("insert_terminal_state", values)


def _snapshots(changed: Sequence[Terminal]) -> Iterator[Statement]:
    """Status and storage go over the wire where they changed; else what is stored stays."""
    if changed:
        yield Statement(
            "upsert_terminal_snapshot",
            {
                "ids": [each.id for each in changed],
                "status": [each.status.decode() for each in changed],
                "storage": [each.storage.decode() for each in changed],
            },
        )


def _holds(record: Record) -> Iterator[Statement]:
    idle = [key for key, hold in record.holds.items() if hold is None]
    active = [(key, hold) for key, hold in record.holds.items() if hold is not None]
    if idle:
        yield Statement("delete_hold", each=[_HOLD_KEY(key) for key in idle])
    if active:
        rows = [
            (
                *_HOLD_KEY(key),
                hold.phase.value,
                hold.since,
                hold.started_at,
                hold.fault_id,
                hold.flapping,
                hold.counted_at,
            )
            for key, hold in active
        ]
        yield Statement("upsert_hold", each=rows)


def _transitions(record: Record) -> Iterator[Statement]:
    """The transitions that flapping is judged on, and the events that are counted."""
    for (terminal, rule), times in record.counts.items():
        yield Statement("upsert_event_count", (terminal, rule, list(times)))
    slopes = record.slopes.items()
    if forgotten := [key for key, slope in slopes if slope is None]:
        yield Statement("delete_slope", each=forgotten)
    if moved := [(*key, *_slope(slope)) for key, slope in slopes if slope is not None]:
        yield Statement("upsert_slope", each=moved)
    for key, kept in record.transitions.items():
        if kept is None:
            yield Statement("delete_transitions", _HOLD_KEY(key))
        else:
            row = (*_HOLD_KEY(key), list(kept.times), kept.raised)
            yield Statement("upsert_transitions", row)


def _slope(slope: Slope) -> tuple[list[datetime], list[float], float | None]:
    return [at for at, _ in slope.past], [level for _, level in slope.past], slope.value


def _order(record: Record, late: Sequence[Late]) -> Iterator[Statement]:
    """Messages that wait for others or wait no more, those too late to be judged, clocks set."""
    waiting = {key: kept for key, kept in record.kept.items() if kept is not None}
    over = [key for key, kept in record.kept.items() if kept is None]
    if waiting:
        rows_waiting = [(*key, *order.stored(kept)) for key, kept in waiting.items()]
        yield Statement("wait", each=rows_waiting)
    if over:
        yield Statement("wait_no_longer", each=over)
    if late:
        yield Statement("late", each=late)
        yield Statement("mark_recut", each=order.marks(late))
    if record.jumps:
        yield Statement("jump", each=[_JUMP(each) for each in record.jumps])
    if record.off:
        yield Statement("clock_off", each=[(off, key) for key, off in sorted(record.off.items())])


def _untold(record: Record) -> Iterator[Statement]:
    """Steps that wait to be told, or wait no more."""
    told = [key for key, step in record.steps.items() if step is None]
    waiting = [(*key, *steps.stored(step)) for key, step in record.steps.items() if step]
    if told:
        yield Statement("told", each=told)
    if waiting:
        yield Statement("tell_later", each=waiting)


def multirange(spans: Iterable[Span]) -> str:
    """Spans in PostgreSQL's text form."""
    return "{" + ",".join(f"[{first},{last}]" for first, last in spans) + "}"
