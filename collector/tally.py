"""What is counted of messages: as they are opened, and of a batch once it is committed."""

from collections import Counter
from collections.abc import Sequence
from datetime import UTC, datetime
from operator import attrgetter

from collector import metrics, rows
from collector.batch import Batch
from collector.intake import Opened, Repeated
from fleet.rules.changes import Cleared, Fired

_CHANNEL = attrgetter("channel")


def received(opened: Sequence[Opened | Repeated]) -> None:
    """Count messages that the broker delivered."""
    for channel, count in Counter(map(_CHANNEL, opened)).items():
        metrics.received.labels(channel).inc(count)


def committed(batch: Batch) -> None:
    """Count what is committed, and only then."""
    now_us = rows.microseconds(datetime.now(UTC))
    if batch.telemetry:
        metrics.stored.labels("telemetry").inc(len(batch.telemetry))
    if batch.events:
        metrics.stored.labels("event").inc(len(batch.events))
    metrics.lag_seconds.observe_all([(now_us - said) / 1e6 for said in batch.said_us])
    metrics.jumps.inc(len(batch.record.jumps))
    for aside in batch.aside:
        metrics.quarantined.labels(aside.reason).inc()
    for change in batch.record.changes:
        if isinstance(change, Fired) and change.rule.shadow:
            metrics.shadow_faults.labels(change.rule.name, "fired").inc()
        elif isinstance(change, Cleared) and change.shadow:
            metrics.shadow_faults.labels(change.shadow, "cleared").inc()
        elif isinstance(change, Fired):
            metrics.faults.labels("fired").inc()
        elif isinstance(change, Cleared):
            metrics.faults.labels("cleared").inc()
