"""What the api answers in at a steady rate: real processes on a database of a fleet's size.

Runs in a database of its own beside the one it is given, and drops it.
"""

import asyncio
import secrets
import signal
import sys
import tempfile
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Sequence
from contextlib import ExitStack, asynccontextmanager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from time import monotonic
from zoneinfo import ZoneInfo

import httpx
import msgspec
from psycopg import AsyncConnection
from psycopg.rows import TupleRow

from api.accounts.passwords import hashed
from api.notifications.monthly import report_month
from api.uptime.summing import sum_up
from fleet.db.migrate import migrate
from fleet.db.pool import connect
from fleet.db.sql import load
from tellergrid.bench.load import Ask, loaded
from tellergrid.stack import process
from tellergrid.stack.errors import StartError
from tellergrid.stack.ports import LOOPBACK, free_port
from tellergrid.stack.process import Program

TECHNICIANS = 300
CELLS = 1_000
DAYS = 2
_DATABASE = "tellergrid_bench_api"
_WARM_UP_S = 5.0
_PATIENCE_S = 120.0
_LOOK_AGAIN_S = 0.1
# The first look at the clocks writes thousands of escalations, the second reckons those tickets
# anew, and the third finds nothing to do: only then it is a steady day.
_SETTLED = 'tellergrid_api_jobs_total{outcome="done",work="watch_clocks"}'
_SETTLED_AFTER = 3
_BUILT = (
    *("grid", "cells", "terminals", "members", "states", "intervals", "technicians", "answers"),
    *("accounts", "faults", "tickets", "transitions"),
)
_SQL = load("tellergrid.bench", "api")
_Connection = AsyncConnection[TupleRow]

Progress = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Size:
    """How much is stored, and what is asked of it."""

    terminals: int = 100_000
    tickets: int = 50_000
    processes: int = 2
    rate: float = 200
    seconds: float = 30


class ApiReport(msgspec.Struct, frozen=True):
    """Latencies count from when a request was due; errors are answers other than 200, or none."""

    p99_ms: dict[str, float]
    requests_per_s: float
    errors: int


async def measure(url: str, size: Size, progress: Progress) -> ApiReport:
    """Build the fleet, ask, drop it."""
    password = secrets.token_urlsafe(16)
    async with _scratch(url) as (scratch, connection):
        await _build(connection, size, password, progress)
        progress(f"starting {size.processes} api processes")
        with (
            tempfile.TemporaryDirectory() as logs,
            _serving(scratch, size.processes, Path(logs)) as ports,
        ):
            await _until("an api process did not become ready", _ready, ports)
            await _until("the clocks were not looked at", _settled, ports)
            asks = await _asks(ports, size, password)
            progress(f"asking {size.rate:g} times a second")
            await loaded(asks, size.rate, _WARM_UP_S)
            outcome = await loaded(asks, size.rate, size.seconds)
    return ApiReport(
        p99_ms=dict(outcome.p99_ms()),
        requests_per_s=round(outcome.answered / outcome.lasted_s, 1),
        errors=outcome.errors,
    )


@asynccontextmanager
async def _scratch(url: str) -> AsyncIterator[tuple[str, _Connection]]:
    async with await connect(url, name="bench", autocommit=True) as server:
        await server.execute(_SQL["drop"])
        await server.execute(_SQL["create"])
        try:
            scratch = _url(url)
            async with await connect(scratch, name="bench", autocommit=True) as connection:
                await migrate(connection)
                yield scratch, connection
        finally:
            await server.execute(_SQL["drop"])


def _url(url: str) -> str:
    """The same server's other database, as a URL."""
    return str(httpx.URL(url).copy_with(path=f"/{_DATABASE}"))


async def _build(connection: _Connection, size: Size, password: str, progress: Progress) -> None:
    parameters = {
        "terminals": size.terminals,
        "tickets": size.tickets,
        "technicians": TECHNICIANS,
        "cells": CELLS,
        "days": DAYS,
        "password_hash": hashed(password),
    }
    async with connection.transaction():
        await connection.execute(_SQL["no_triggers"])
        for name in _BUILT:
            progress(f"{size.terminals:,} terminals, {size.tickets:,} tickets: writing {name}")
            await connection.execute(_SQL[name], parameters)
    progress("settling the tables")
    await connection.execute(_SQL["settle"])
    more = True
    while more:
        progress("summing uptime, as is done hour by hour in life")
        async with connection.transaction():
            more = await sum_up(connection, "UTC")
    progress("reporting the last month, as is done once a month in life")
    async with connection.transaction():
        await report_month(connection, ZoneInfo("UTC"), {})


@contextmanager
def _serving(url: str, processes: int, logs: Path) -> Iterator[list[int]]:
    ports = []
    with ExitStack() as stack:
        secret = secrets.token_urlsafe(32)
        for number in range(processes):
            port = free_port()
            environment = {
                "TELLERGRID_DATABASE_URL": url,
                "TELLERGRID_TOKEN_SECRET": secret,
                "TELLERGRID_API_PORT": str(port),
                "TELLERGRID_TOKEN_MINUTES": "240",
                "TELLERGRID_REQUESTS_PER_MINUTE": "1000000",  # few accounts ask for many
            }
            program = Program("api", (sys.executable, "-P", "-m", "api"), environment)
            running = process.start(program, logs / f"api-{number}.log")
            stack.callback(process.stop, running, signal.SIGTERM)
            ports.append(port)
        yield ports


async def _until(
    complaint: str, condition: Callable[[Sequence[int]], Awaitable[bool]], ports: Sequence[int]
) -> None:
    """Wait until something is so of the processes; raises `StartError` when it does not come."""
    deadline = monotonic() + _PATIENCE_S
    while not await condition(ports):
        if monotonic() > deadline:
            raise StartError(f"{complaint} within {_PATIENCE_S:.0f} seconds.")
        await asyncio.sleep(_LOOK_AGAIN_S)


async def _ready(ports: Sequence[int]) -> bool:
    """Whether all of them serve."""
    return all([(answer := await _get(port, "/readyz")) and answer.is_success for port in ports])


async def _settled(ports: Sequence[int]) -> bool:
    """Whether the clocks were looked at often enough, by whichever of them did it each time."""
    answers = [await _get(port, "/metrics") for port in ports]
    lines = [line for each in answers if each is not None for line in each.text.splitlines()]
    looks = sum(float(line.rpartition(" ")[2]) for line in lines if line.startswith(_SETTLED))
    return looks >= _SETTLED_AFTER


async def _get(port: int, path: str) -> httpx.Response | None:
    async with httpx.AsyncClient(timeout=_PATIENCE_S) as client:
        try:
            return await client.get(f"http://{LOOPBACK}:{port}{path}")
        except httpx.TransportError:
            return None


async def _asks(ports: Sequence[int], size: Size, password: str) -> list[Ask]:
    """Each route in turn, of ever other technicians, terminals and cells, at each process."""
    ops = await _token(ports[0], "ops", password)
    people = [await _token(ports[0], f"tech{n}", password) for n in range(1, 11)]
    asks = []
    for number in range(3_000):
        port = ports[number // 3 % len(ports)]
        terminal = f"T{number * 7919 % size.terminals:06d}"
        cell = f"C{number * 31 % CELLS:04d}"
        asks.append(
            (
                Ask("technician_list", port, "/api/v1/me/tickets", people[number % len(people)]),
                Ask("terminal", port, f"/api/v1/terminals/{terminal}", ops),
                Ask("cell_uptime", port, f"/api/v1/cells/{cell}/uptime", ops),
            )[number % 3]
        )
    return asks


async def _token(port: int, username: str, password: str) -> str:
    form = {"username": username, "password": password}
    async with httpx.AsyncClient(timeout=30) as client:
        answer = await client.post(f"http://{LOOPBACK}:{port}/api/v1/token", data=form)
    answer.raise_for_status()
    return str(answer.json()["access_token"])
