"""What Prometheus reads of the api; a registry of its own for each app."""

from collections.abc import Iterator
from contextlib import contextmanager
from time import perf_counter

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest

_BUCKETS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0)


class Metrics:
    """The api's counters, histograms and gauges."""

    def __init__(self) -> None:
        self._registry = CollectorRegistry()
        self.requests = Counter(
            "tellergrid_api_requests",
            "Requests answered, by route template",
            ["method", "route", "status"],
            registry=self._registry,
        )
        self.latency = Histogram(
            "tellergrid_api_request_seconds",
            "Time until the answer began, by route template",
            ["method", "route"],
            buckets=_BUCKETS,
            registry=self._registry,
        )
        self.streams = Gauge(
            "tellergrid_api_event_streams", "Event streams open now", registry=self._registry
        )
        self.tickets = Gauge(
            "tellergrid_tickets_open", "Live tickets by state", ["state"], registry=self._registry
        )
        self.jobs = Counter(
            "tellergrid_api_jobs",
            "Runs of scheduled work; elsewhere: another process was at it",
            ["work", "outcome"],  # not `job`: Prometheus calls what it reads so
            registry=self._registry,
        )
        self.job_latency = Histogram(
            "tellergrid_api_job_seconds",
            "How long scheduled work took",
            ["work"],
            buckets=_BUCKETS,
            registry=self._registry,
        )

        self.notifications = Counter(
            "tellergrid_api_notifications",
            "Notifications by channel; failed: it is tried again, given_up: no more",
            ["channel", "outcome"],
            registry=self._registry,
        )

    @contextmanager
    def open_stream(self) -> Iterator[None]:
        """Counts an event stream while it is open."""
        with self.streams.track_inprogress():
            yield

    def answered(self, method: str, route: str, status: int, begun: float) -> None:
        """Note a request's answer; `begun` is its `perf_counter()`."""
        self.requests.labels(method, route, status).inc()
        self.latency.labels(method, route).observe(perf_counter() - begun)

    def exposition(self) -> bytes:
        """Everything, in Prometheus' text format."""
        return generate_latest(self._registry)
