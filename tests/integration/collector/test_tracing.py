"""Traces of a real collector, taken in by a receiver of OTLP over HTTP."""

import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread

import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.trace.v1.trace_pb2 import Span, Status

from tests.integration.collector.conftest import CollectorProcess, collector, demo_grid, wait_for

__all__ = ["collector", "demo_grid"]

SAID = b"SELECT of all that a terminal said"


@dataclass
class Receiver:
    """What came in: spans by name, and what is said of the process."""

    url: str
    spans: list[Span] = field(default_factory=list)
    resource: dict[str, str] = field(default_factory=dict)
    raw: bytes = b""

    def take(self, body: bytes) -> None:
        """One request's worth."""
        request = ExportTraceServiceRequest.FromString(body)
        self.raw += body
        for group in request.resource_spans:
            self.resource |= {a.key: a.value.string_value for a in group.resource.attributes}
            for scope in group.scope_spans:
                self.spans += scope.spans

    def named(self, name: str) -> list[Span]:
        """The spans of a name."""
        return [span for span in self.spans if span.name == name]


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    """Listening on a free port."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            taken.take(self.rfile.read(int(self.headers["Content-Length"])))
            self.send_response(200)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_: object) -> None:
            """Nothing on the test's output."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    taken = Receiver(f"http://127.0.0.1:{server.server_port}/v1/traces")
    thread = Thread(target=server.serve_forever)
    thread.start()
    yield taken
    server.shutdown()
    thread.join()
    server.server_close()


def attributes(span: Span) -> dict[str, object]:
    """What a span says of itself."""
    return {a.key: a.value.string_value or a.value.int_value for a in span.attributes}


def test_each_batch_is_a_trace_from_its_receipt_to_its_acknowledgement(
    collector: CollectorProcess, receiver: Receiver
) -> None:
    """One message; stopped in order, the collector sends what it still has."""
    collector.kill()
    collector.start(TELLERGRID_TRACE_ENDPOINT=receiver.url)
    collector.say(0, 1, metrics={"rtt_ms": 41})
    wait_for("it is stored", lambda: collector.query("SELECT 1 FROM telemetry"))
    assert collector.stop() == 0
    [batch] = receiver.named("batch")
    region = collector.grid.terminals[0].region
    assert attributes(batch) == {
        "tellergrid.region": region,
        "messaging.batch.message_count": 1,
    }
    [judge], [commit] = receiver.named("judge"), receiver.named("commit")
    for part in (judge, commit):
        assert (part.trace_id, part.parent_span_id) == (batch.trace_id, batch.span_id)
    assert batch.parent_span_id == b""
    [acknowledged] = batch.events
    assert acknowledged.name == "acknowledged"
    times = [batch.start_time_unix_nano, judge.start_time_unix_nano, judge.end_time_unix_nano]
    times += [commit.start_time_unix_nano, acknowledged.time_unix_nano, batch.end_time_unix_nano]
    assert times == sorted(times)
    [(arrived_ns,)] = collector.query(
        "SELECT (extract(epoch FROM arrived_at) * 1000000)::bigint * 1000 FROM telemetry"
    )
    assert batch.start_time_unix_nano == arrived_ns
    assert receiver.resource["service.name"] == "tellergrid-collector"


def test_a_batch_that_fails_says_so_and_nothing_of_what_was_said(
    collector: CollectorProcess, receiver: Receiver
) -> None:
    """The database refuses the commit by quoting the message; then it is stored after all."""
    collector.kill()
    collector.execute(
        "CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS"
        f" $$BEGIN RAISE EXCEPTION '{SAID.decode()}' USING ERRCODE = 'connection_failure'; END$$;"
        "CREATE TRIGGER refuse BEFORE INSERT ON telemetry"
        " FOR EACH STATEMENT EXECUTE FUNCTION refuse()"
    )
    collector.start(TELLERGRID_TRACE_ENDPOINT=receiver.url)
    collector.say(0, 1)
    name = "tellergrid_collector_region_restarts_total"
    wait_for("the commit fails", lambda: collector.metric(name) > 0)
    collector.execute("DROP FUNCTION refuse CASCADE")
    wait_for("it is stored", lambda: collector.query("SELECT 1 FROM telemetry"))
    assert collector.stop() == 0
    outcomes = [span.status.code for span in receiver.named("batch")]
    assert outcomes[0] == Status.STATUS_CODE_ERROR
    assert outcomes[-1] == Status.STATUS_CODE_UNSET
    assert receiver.named("commit")[0].status.code == Status.STATUS_CODE_ERROR
    assert SAID not in receiver.raw


def test_who_asks_for_no_traces_loads_nothing_of_them() -> None:
    """The package is there; the process does not know it."""
    known = "import sys, collector.__main__; print('opentelemetry' in sys.modules)"
    asked = subprocess.run([sys.executable, "-c", known], capture_output=True, check=True)
    assert asked.stdout.split() == [b"False"]
