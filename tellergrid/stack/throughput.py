"""Messages a second and lag, from two looks at the collector's own counters."""

from collections.abc import Mapping
from dataclasses import dataclass

import msgspec
from prometheus_client.parser import text_string_to_metric_families

_STORED = "tellergrid_collector_messages_stored_total"
_LAG = "tellergrid_collector_lag_seconds_bucket"


class Throughput(msgspec.Struct, frozen=True):
    """Stored messages a second between two looks, and how old they were when committed.

    The lag is from a message's device time to its commit: half of the messages, and 99 of 100,
    were not older. It is of the time between the looks, or, when nothing came then, of the
    collector's whole life; None when it has stored nothing.
    """

    messages_per_s: float
    lag_p50_s: float | None
    lag_p99_s: float | None


@dataclass(frozen=True, slots=True)
class Look:
    """The counters at one moment; `at` in seconds, `lag` is cumulative by upper bound, seconds."""

    at: float
    stored: float
    lag: Mapping[float, float]


def read(text: str, at: float) -> Look:
    """Read the collector's `/metrics`."""
    stored = 0.0
    lag: dict[float, float] = {}
    for family in text_string_to_metric_families(text):
        for sample in family.samples:
            if sample.name == _STORED:
                stored += sample.value
            elif sample.name == _LAG:
                bound = float(sample.labels["le"])
                lag[bound] = lag.get(bound, 0.0) + sample.value
    return Look(at, stored, lag)


def between(first: Look, second: Look) -> Throughput:
    """Compute what went through between two looks at the same collector."""
    rate = max(0.0, second.stored - first.stored) / max(second.at - first.at, 1e-9)
    recent = {bound: value - first.lag.get(bound, 0.0) for bound, value in second.lag.items()}
    lag = recent if recent.get(float("inf"), 0.0) > 0 else second.lag
    return Throughput(round(rate, 1), quantile(lag, 0.5), quantile(lag, 0.99))


def quantile(buckets: Mapping[float, float], share: float) -> float | None:
    """Estimate a quantile of a cumulative histogram, as Prometheus does: linear in a bucket.

    What lies beyond the last finite bound counts as that bound. None for an empty histogram.
    """
    total = buckets.get(float("inf"), 0.0)
    if total <= 0:
        return None
    wanted = share * total
    below, lower = 0.0, 0.0
    for bound, count in sorted(buckets.items()):
        if count >= wanted:
            if bound == float("inf"):
                return lower
            inside = (wanted - below) / (count - below) if count > below else 1.0
            return round(lower + (bound - lower) * inside, 4)
        below, lower = count, bound
    return lower
