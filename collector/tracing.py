"""Traces by OpenTelemetry: each batch is one, from its first message in to its acknowledgement.

    batch                     from when its first message arrived; how many, of which region
    ├ judge                   decoding, rules, what is to be written; again where it was in vain
    ├ commit                  the transaction; the event `acknowledged` of `batch` follows it
    └ commit singly           where one of its messages could not be stored

Nobody asked for them: then nothing of this is loaded, and nothing is spent.
"""

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime

import structlog
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from opentelemetry.trace import Span, Status, StatusCode, Tracer, set_span_in_context

from collector.claim import Seen
from collector.desk import ONE_IS_BAD, Desk, Judged
from collector.intake import Arrival
from collector.writer import Acknowledge, Writer

log = structlog.get_logger()


class _Said(logging.Handler):
    """What the library has to say, such as that nobody takes its spans, is a line of our log."""

    def emit(self, record: logging.LogRecord) -> None:
        log.warning("traces", said=record.getMessage())


class Traces:
    """Where spans go: a bounded queue, sent by a thread of its own; what is too much is dropped."""

    def __init__(self, endpoint: str, collector: str) -> None:
        library = logging.getLogger("opentelemetry")
        library.addHandler(_Said())
        library.propagate = False
        about = {"service.name": "tellergrid-collector", "service.instance.id": collector}
        self._provider = TracerProvider(resource=Resource.create(about))
        self._provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter(endpoint)))

    def writer(self, desk: Desk, acknowledge: Acknowledge, region: str) -> Writer:
        """A writer of one region whose batches are traced."""
        return TracedWriter(desk, acknowledge, region, self._provider.get_tracer("collector"))

    def close(self) -> None:
        """Send what is there still; blocks for as long as that takes."""
        self._provider.shutdown()


class TracedWriter(Writer):
    """Does what a writer does, and says of each batch how long it took where."""

    def __init__(self, desk: Desk, acknowledge: Acknowledge, region: str, tracer: Tracer) -> None:
        super().__init__(desk, self._acknowledged)
        self._tell_broker = acknowledge
        self._region = region
        self._tracer = tracer
        self._spans: dict[int, Span] = {}
        """Of each batch that is not over yet, by the identity of its list of packets."""

    async def put(self, arrivals: list[Arrival], now: datetime, seen: Seen) -> None:
        """As a writer does; a look at an empty queue is no batch."""
        if not arrivals:
            await super().put(arrivals, now, seen)
            return
        self._spans[id(arrivals)] = self._tracer.start_span(
            "batch",
            start_time=_nanoseconds(arrivals[0].at),
            attributes={
                "tellergrid.region": self._region,
                "messaging.batch.message_count": len(arrivals),
            },
        )
        with self._failing(arrivals):
            await super().put(arrivals, now, seen)

    async def _judge(self, arrivals: list[Arrival], now: datetime) -> Judged | None:
        with self._part("judge", arrivals):
            return await super()._judge(arrivals, now)

    async def _write(self, judged: Judged, arrivals: list[Arrival], seen: Seen) -> None:
        with self._failing(arrivals, but=ONE_IS_BAD), self._part("commit", arrivals):
            await super()._write(judged, arrivals, seen)

    async def _singly(self, arrivals: list[Arrival], now: datetime, seen: Seen) -> None:
        with self._failing(arrivals), self._part("commit singly", arrivals):
            await super()._singly(arrivals, now, seen)

    def _acknowledged(self, arrivals: list[Arrival]) -> None:
        self._tell_broker(arrivals)
        if (span := self._spans.pop(id(arrivals), None)) is not None:
            span.add_event("acknowledged")
            span.end()

    @contextmanager
    def _part(self, name: str, arrivals: list[Arrival]) -> Iterator[None]:
        if (whole := self._spans.get(id(arrivals))) is None:
            yield
            return
        with self._tracer.start_as_current_span(
            name,
            set_span_in_context(whole),
            record_exception=False,  # a database's words may quote what a message holds
            set_status_on_exception=False,
        ) as span:
            try:
                yield
            except BaseException as error:
                span.set_status(Status(StatusCode.ERROR, type(error).__name__))
                raise

    @contextmanager
    def _failing(
        self, arrivals: list[Arrival], but: tuple[type[Exception], ...] = ()
    ) -> Iterator[None]:
        """What is raised ends the batch, which was neither stored nor acknowledged."""
        try:
            yield
        except but:
            raise
        except BaseException as error:
            if (span := self._spans.pop(id(arrivals), None)) is not None:
                span.set_status(Status(StatusCode.ERROR, type(error).__name__))
                span.end()
            raise


def _nanoseconds(at: datetime) -> int:
    return int(at.timestamp() * 1e6) * 1000
