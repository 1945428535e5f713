"""A collector on the real broker and database, as its own process, with a small registered grid."""

import asyncio
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import httpx
import psycopg
import pytest

from api.seed import seed
from fleet.demo import DemoGrid, grid
from tellergrid.stack.ports import free_port
from tests.engines import BrokerServer
from tests.machine import PATIENCE_S
from tests.processes import OPENLY


def wait_for(what: str, condition: Callable[[], Any], patience_s: float = PATIENCE_S) -> Any:
    """The first true answer of a condition; fails with `what` when there is none in time."""
    deadline = time.monotonic() + patience_s
    while True:
        late = time.monotonic() >= deadline
        if answer := condition():
            return answer
        assert not late, f"{what}: not within {patience_s} s"
        time.sleep(0.02)


@dataclass
class CollectorProcess:
    """`python -m collector` with its database and broker."""

    database_url: str
    broker: BrokerServer
    grid: DemoGrid
    process: subprocess.Popen[bytes] | None = None
    port: int = 0

    def start(self, module: str = "collector", **more: str) -> None:
        """Start it and wait until every region is served."""
        self.launch(module, **more)
        wait_for("the collector serves its regions", self._ready)

    def launch(self, module: str, **more: str) -> subprocess.Popen[bytes]:
        """Start it and wait for nothing: it may end before it serves."""
        self.port = free_port()
        environment = {
            **os.environ,
            "TELLERGRID_DATABASE_URL": self.database_url,
            "TELLERGRID_BROKER_URL": self.broker.url("collector"),
            "TELLERGRID_COLLECTOR_PORT": str(self.port),
            **more,
        }
        self.process = subprocess.Popen([sys.executable, "-m", module], env=environment)
        return self.process

    def _ready(self) -> bool:
        assert self.process is not None
        assert self.process.poll() is None, "the collector ended"
        try:
            url = f"http://127.0.0.1:{self.port}/readyz"
            return httpx.get(url, verify=OPENLY).status_code == 200
        except httpx.TransportError:
            return False

    def kill(self) -> None:
        """SIGKILL: no farewell of any kind."""
        assert self.process is not None
        self.process.kill()
        self.process.wait()

    def stop(self) -> int:
        """SIGTERM, and its exit code."""
        assert self.process is not None
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(PATIENCE_S)

    def query(self, statement: str, *parameters: object) -> list[tuple[Any, ...]]:
        """Rows of a statement, in a connection of its own."""
        with psycopg.connect(self.database_url) as connection:
            return connection.execute(statement.encode(), parameters).fetchall()

    def execute(self, statements: str) -> None:
        """Statements without an answer."""
        with psycopg.connect(self.database_url, autocommit=True) as connection:
            connection.execute(statements.encode())

    def page(self, path: str) -> bytes:
        """What it answers over HTTP."""
        return self._get(path).content

    def status(self, path: str) -> int:
        """The code of an answer over HTTP."""
        return self._get(path).status_code

    def _get(self, path: str) -> httpx.Response:
        url = f"http://127.0.0.1:{self.port}/{path}"
        return httpx.get(url, timeout=PATIENCE_S, verify=OPENLY)

    def metric(self, name: str) -> float:
        """A figure of /metrics, over all labels."""
        page = self.page("metrics").decode()
        found = [line for line in page.splitlines() if line.partition("{")[0].split()[0] == name]
        return sum(float(line.split()[-1]) for line in found)

    def topic(self, number: int, channel: str) -> str:
        """The topic of the n-th terminal."""
        terminal = self.grid.terminals[number]
        return f"fleet/v1/{terminal.region}/{terminal.code}/{channel}"

    def say(self, number: int, seq: int, *, boot: int = 1, **fields: object) -> None:
        """Publish a telemetry message of the n-th terminal with a foreign client."""
        body = {"ts": now(), "boot": boot, "seq": seq, "status": {}, **fields}
        self.broker.publish(self.topic(number, "telemetry"), json.dumps(body).encode())


def now() -> str:
    """The present time as the contract writes it."""
    return datetime.now(UTC).isoformat()


@pytest.fixture
def demo_grid() -> DemoGrid:
    """Ten terminals in one cell of one region."""
    return grid(seed=1, terminals=10, cells=1)


@pytest.fixture
def collector(
    database_url: str, broker: BrokerServer, demo_grid: DemoGrid
) -> Iterator[CollectorProcess]:
    """A started collector; killed at the end if it still runs."""

    async def sow() -> None:
        async with await psycopg.AsyncConnection.connect(database_url) as connection:
            await seed(connection, demo_grid, [])

    asyncio.run(sow())
    running = CollectorProcess(database_url, broker, demo_grid)
    running.start()
    yield running
    if running.process is not None and running.process.poll() is None:
        running.kill()
