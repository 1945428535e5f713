"""The benchmark's own parts: what it publishes is taken by what it measures."""

import subprocess
import sys

import msgspec
import psycopg
import pytest

from tellergrid.bench.publisher import Load
from tellergrid.bench.sink import Task, Took
from tests.engines import BrokerServer
from tests.machine import PATIENCE_S

MESSAGES = 300


@pytest.mark.parametrize("role", ["sink", "plain"])
def test_a_yardstick_takes_what_the_publisher_says(
    role: str, broker: BrokerServer, database_url: str
) -> None:
    """Three hundred messages of fifty terminals; the plain collector stores each once."""
    task = Task(broker.url("collector"), MESSAGES, database_url)
    with subprocess.Popen(program(role, task), stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == b"ready\n"
        load = Load(broker.url("tester"), terminals=50, first=0, messages=MESSAGES)
        subprocess.run(program("publisher", load), check=True, timeout=PATIENCE_S)
        answer, _ = process.communicate(timeout=PATIENCE_S)
    took = msgspec.json.decode(answer, type=Took)
    assert took.seconds > 0
    with psycopg.connect(database_url) as database:
        found = database.execute("SELECT count(DISTINCT (terminal_id, seq)) FROM telemetry")
        assert found.fetchone() == ((MESSAGES,) if role == "plain" else (0,))


def program(name: str, what: msgspec.Struct) -> list[str]:
    said = msgspec.json.encode(what).decode()
    return [sys.executable, "-P", "-m", f"tellergrid.bench.{name}", said]
