"""What the collector counts; names and units by Prometheus' conventions, labels bounded."""

from prometheus_client import Counter, Gauge, Histogram

received = Counter(
    "tellergrid_collector_messages_received", "Messages from the broker", ["channel"]
)
stored = Counter("tellergrid_collector_messages_stored", "Messages committed", ["channel"])
duplicate = Counter(
    "tellergrid_collector_messages_duplicate", "Messages dropped: stored already", ["channel"]
)
late = Counter(
    "tellergrid_collector_messages_late", "Messages stored behind a later one", ["channel"]
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
lag_seconds = Histogram(
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
lost = Counter("tellergrid_collector_messages_lost", "Missing messages asked for in vain")
