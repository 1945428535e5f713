"""The collector's HTTP side, as whoever reaches its port may use it."""

import socket

import pytest

from tests.integration.collector.conftest import CollectorProcess
from tests.machine import PATIENCE_S

_ENDLESS = 16 * 2**20


@pytest.mark.parametrize(
    "begins",
    [b"GET /metrics HTTP/1.1\r\nHost: x\r\nX: ", b"GET /metrics?"],
    ids=["header", "address"],
)
def test_a_head_without_an_end_is_cut(collector: CollectorProcess, begins: bytes) -> None:
    """Whoever goes on with one line for ever is refused soon: it would take the memory of the
    process that stores the telemetry, and hold its loop up."""
    sent = 0
    with socket.create_connection(("127.0.0.1", collector.port), timeout=PATIENCE_S) as caller:
        caller.sendall(begins)
        try:
            while sent < _ENDLESS:
                caller.sendall(b"a" * 65536)
                sent += 65536
        except ConnectionError:
            pass
    assert sent < _ENDLESS
    assert collector.status("metrics") == 200
