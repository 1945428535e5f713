"""What the collector counts; names and units by Prometheus' conventions, labels bounded."""

from bisect import bisect_right
from collections.abc import Iterable, Iterator, Sequence
from itertools import accumulate

from prometheus_client import REGISTRY, Counter, Gauge, Histogram
from prometheus_client.core import HistogramMetricFamily
from prometheus_client.registry import Collector


class BatchHistogram(Collector):
    """A histogram told of a whole batch at once: the library's own costs a microsecond a value."""

    def __init__(self, name: str, documentation: str, buckets: Sequence[float]) -> None:
        self._name, self._documentation = name, documentation
        self._bounds = (*buckets, float("inf"))
        self._counts = [0] * len(self._bounds)
        self._sum = 0.0
        REGISTRY.register(self)

    def observe_all(self, values: Iterable[float]) -> None:
        """Count each value; below nothing is nothing."""
        ascending = sorted(values)
        below = 0
        for place, bound in enumerate(self._bounds):
            upto = bisect_right(ascending, bound, below)
            self._counts[place] += upto - below
            below = upto
        self._sum += sum(ascending[bisect_right(ascending, 0.0) :])

    def collect(self) -> Iterator[HistogramMetricFamily]:
        """What Prometheus reads: each bucket with all below it."""
        cumulative = accumulate(self._counts)
        buckets = [(str(le), float(n)) for le, n in zip(self._bounds, cumulative, strict=True)]
        buckets[-1] = ("+Inf", buckets[-1][1])
        yield HistogramMetricFamily(
            self._name, self._documentation, buckets=buckets, sum_value=self._sum
        )


received = Counter(
    "tellergrid_collector_messages_received",
    "Messages of terminals from the broker; what is no such message is quarantined alone",
    ["channel"],
)
stored = Counter("tellergrid_collector_messages_stored", "Messages committed", ["channel"])
duplicate = Counter(
    "tellergrid_collector_messages_duplicate", "Messages dropped: stored already", ["channel"]
)
late = Counter(
    "tellergrid_collector_messages_late", "Messages stored behind a later one", ["channel"]
)
recuts = Counter(
    "tellergrid_collector_recuts", "Terminals whose intervals late data had cut anew", ["outcome"]
)
kept = Counter(
    "tellergrid_collector_messages_kept", "Messages that waited for earlier ones", ["channel"]
)
jumps = Counter("tellergrid_collector_clock_jumps", "Clocks of terminals that were set")
clocks_off = Gauge(
    "tellergrid_collector_clocks_off",
    "Terminals whose clock is off, ahead or behind, by more than so many seconds",
    ["region", "over_s"],
)
quarantined = Counter("tellergrid_collector_messages_quarantined", "Messages set aside", ["reason"])
quarantine_dropped = Counter(
    "tellergrid_collector_quarantine_dropped", "Oldest messages set aside, beyond the bound"
)
unknown = Counter(
    "tellergrid_collector_vocabulary_unknown",
    "Components, properties and values that only a vendor knows",
    ["what"],
)
faults = Counter("tellergrid_collector_faults", "Faults by what became of them", ["change"])
shadow_faults = Counter(
    "tellergrid_collector_shadow_faults", "Faults of rules on trial", ["rule", "change"]
)
batch_messages = Histogram(
    "tellergrid_collector_batch_messages",
    "Messages in a transaction",
    buckets=(1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000),
)
engine_seconds = Histogram(
    "tellergrid_collector_engine_seconds",
    "Decoding and judging a batch",
    buckets=(0.0005, 0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1),
)
commit_seconds = Histogram(
    "tellergrid_collector_commit_seconds",
    "Writing and committing a batch",
    buckets=(0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5),
)
lag_seconds = BatchHistogram(
    "tellergrid_collector_lag_seconds",
    "From a message's device time to its commit",
    buckets=(0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 30, 60, 300, 3600),
)
queue_messages = Gauge(
    "tellergrid_collector_queue_messages", "Received and not yet in a transaction", ["region"]
)
serving = Gauge(
    "tellergrid_collector_region_serving", "1 while this process serves the region", ["region"]
)
restarts = Counter(
    "tellergrid_collector_region_restarts", "Times a region began again after a failure", ["region"]
)
gaps = Gauge(
    "tellergrid_collector_gaps", "Boots of terminals with messages missing now", ["region"]
)
missing = Gauge(
    "tellergrid_collector_messages_missing", "Messages that a gap in seq shows", ["region"]
)
resends = Counter("tellergrid_collector_resends", "Commands to send a gap again")
repaired = Counter(
    "tellergrid_collector_messages_repaired", "Missing messages that came after all", ["how"]
)
lost = Counter(
    "tellergrid_collector_messages_lost",
    "Missing messages given up: asked for in vain, or of a boot with too many gaps",
)
catalogue = Gauge(
    "tellergrid_collector_catalogue", "1 for the rule catalogue in force", ["catalogue"]
)
catalogue_refused = Gauge(
    "tellergrid_collector_catalogue_refused", "Problems of the catalogue that is not taken; 0: none"
)
catalogue_reloads = Counter(
    "tellergrid_collector_catalogue_reloads", "Catalogues found changed", ["outcome"]
)
blind_seconds = Counter(
    "tellergrid_collector_blind_seconds", "Time in which a region was not seen", ["cause"]
)


def give_up(region: str) -> None:
    """A region that is another's by now is told of there, and no more here."""
    for gauge in (queue_messages, gaps, missing, clocks_off):
        gauge.remove_by_labels({"region": region})
