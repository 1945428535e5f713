"""What the simulator can do on this machine: terminals connected, messages, virtual time.

A broker of its own, as shipped, and the simulator in a process of its own, one connection with its
own session and last will for each terminal; then as many messages as it can, over few connections;
then virtual time, without either.
"""

import asyncio
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import msgspec

from fleet import demo
from fleet.mqtt import Broker, Connection, Filter, Message, Session, connect
from fleet.mqtt.credentials import terminal_password
from simulator import scenario
from simulator.control import STATE
from simulator.figures import Summary
from simulator.virtual import Course
from tellergrid.bench import stage
from tellergrid.stack.errors import StackError
from tellergrid.stack.process import leashed
from tellergrid.virtual.shares import play_all

SECRET = "bench"  # noqa: S105 - of a broker on loopback that lives for minutes
_STEADY = "{name: steady, about: nothing but heartbeats, behaviour: %s}"
_CALM = "customers_per_day: 0, faults_per_day: 0, stock_at_start: 1, quirks: {}"
_PATIENCE_S = 300.0
_LOAD_S = 15.0

Progress = Callable[[str], None]


class SimulatorReport(msgspec.Struct, frozen=True):
    """`kib_per_terminal` is resident memory of the process, over its number of terminals."""

    connected: int
    connects_per_s: float
    kib_per_terminal: float
    messages_per_s: float
    virtual_terminal_days_per_s: float


class Held(msgspec.Struct, frozen=True):
    """What became of the connected fleet while it was held."""

    seconds: float
    losses: int
    rss_mib: float
    acknowledged: int
    publish_p99_ms: float


@dataclass(frozen=True, slots=True)
class Size:
    """How much is measured."""

    terminals: int = 10_000
    hold_s: float = 600.0
    virtual_terminals: int = 200
    virtual_days: float = 2.0
    multiplex: int = 0
    """So many connections for all of them; 0: each its own."""


QUICK = Size(2_000, 20.0, 60, 0.5)


def measure(progress: Progress, size: Size) -> tuple[SimulatorReport, Held]:
    """Run all of it."""
    progress(f"{size.terminals:,} accounts")
    accounts = {} if size.multiplex else _accounts(size.terminals)
    with stage.broker_alone(progress, accounts) as (port, passwords, folder):
        tester = f"mqtt://tester:{passwords['tester']}@127.0.0.1:{port}"
        steady = _write(folder / "steady.yaml", f"{{heartbeat_s: 30, {_CALM}}}")
        own = f"mqtt://simulator:{passwords['simulator']}@127.0.0.1:{port}"
        options = ["--terminals", str(size.terminals), "--connects-per-s", "2000"]
        if size.multiplex:
            own, options = tester, [*options, "--multiplex", str(size.multiplex)]
        with _playing(own, folder / "own.json", steady, *options) as process:
            progress(f"connecting {size.terminals:,} terminals")
            rate = asyncio.run(_connected(tester, size.terminals))
            progress(f"holding them for {size.hold_s:.0f} s")
            held = asyncio.run(_hold(tester, size.hold_s, process.pid))
            progress(f"held for {held.seconds:.0f} s, {held.losses} lost, {held.rss_mib:.0f} MiB")
        fast = _write(folder / "fast.yaml", f"{{heartbeat_s: 0.05, {_CALM}}}")
        shared = ("--terminals", "1000", "--multiplex", "8")
        with _playing(tester, folder / "shared.json", fast, *shared):
            progress("messages over eight connections")
            messages = asyncio.run(_rate(tester))
    progress("virtual time")
    report = SimulatorReport(
        connected=size.terminals,
        connects_per_s=round(rate, 1),
        kib_per_terminal=round(held.rss_mib * 1024 / size.terminals, 1),
        messages_per_s=round(messages, 1),
        virtual_terminal_days_per_s=round(virtual(size.virtual_terminals, size.virtual_days), 1),
    )
    return report, held


def _accounts(terminals: int) -> dict[str, str]:
    codes = (each.code for each in demo.grid(1, terminals).terminals)
    return {code: terminal_password(SECRET, code) for code in codes}


def virtual(terminals: int, days: float) -> float:
    """Terminal-days of the everyday scenario a second, on all processors."""
    start = datetime(2026, 11, 23, tzinfo=UTC).timestamp()
    course = Course(scenario.load("everyday"), terminals, start, days * 86_400)
    began = time.monotonic()
    play_all(course, lambda _: None)
    return terminals * days / (time.monotonic() - began)


def _write(path: Path, behaviour: str) -> Path:
    path.write_text(_STEADY % behaviour, encoding="utf-8")
    return path


@contextmanager
def _playing(
    url: str, state: Path, story: Path, *options: str
) -> Iterator["subprocess.Popen[bytes]"]:
    """A simulator of its own, until the end of the block."""
    environment = os.environ | {"TELLERGRID_BROKER_URL": url, "TELLERGRID_LOG_LEVEL": "error"}
    environment.pop("TELLERGRID_TERMINAL_SECRET", None)
    if "--multiplex" not in options:
        environment["TELLERGRID_TERMINAL_SECRET"] = SECRET
    command = [sys.executable, "-P", "-m", "simulator", "--scenario", str(story)]
    process = subprocess.Popen(
        leashed([*command, "--state", str(state), *options]),
        env=environment,
        stdout=subprocess.DEVNULL,
    )
    try:
        yield process
        if process.poll() is not None:
            raise StackError(f"the simulator ended with {process.returncode}")
    finally:
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(30)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


class _Watcher:
    """Hears the figures that a simulator publishes."""

    def __init__(self) -> None:
        self.latest: Summary | None = None
        self.at = 0.0
        self._news = asyncio.Event()

    def heard(self, _connection: Connection, message: Message) -> None:
        """Take the figures in."""
        if b'"online":false' in message.payload:
            return
        self.latest = msgspec.json.decode(message.payload, type=Summary)
        self.at = time.monotonic()
        self._news.set()

    async def next(self) -> Summary:
        """Wait for newer ones."""
        self._news.clear()
        async with asyncio.timeout(_PATIENCE_S):
            await self._news.wait()
        if self.latest is None:
            raise StackError("no figures")
        return self.latest


async def _watching(url: str) -> tuple[_Watcher, Connection]:
    watcher = _Watcher()
    connection = await connect(Broker.parse(url), Session("bench-watcher"), watcher.heard)
    await connection.subscribe([Filter(STATE, retained=False)])
    return watcher, connection


async def _connected(url: str, terminals: int) -> float:
    """Connections a second, from the first figures to those in which all are connected."""
    watcher, connection = await _watching(url)
    first = await watcher.next()
    began = watcher.at
    now = first
    while now.connected < terminals:
        now = await watcher.next()
    seconds = max(watcher.at - began, 0.001)
    await connection.disconnect()
    return (now.connected - first.connected) / seconds


async def _hold(url: str, seconds: float, pid: int) -> Held:
    """Let the fleet be, and say what was lost and how large it grew."""
    watcher, connection = await _watching(url)
    before = await watcher.next()
    began, largest = time.monotonic(), 0.0
    now = before
    while time.monotonic() - began < seconds:
        now = await watcher.next()
        largest = max(largest, stage.rss_mib(pid))
    await connection.disconnect()
    return Held(
        seconds=round(time.monotonic() - began, 1),
        losses=now.losses,
        rss_mib=round(largest, 1),
        acknowledged=now.acknowledged - before.acknowledged,
        publish_p99_ms=now.publish_p99_ms,
    )


async def _rate(url: str) -> float:
    """Acknowledged messages a second, when it has come up to speed."""
    watcher, connection = await _watching(url)
    now = await watcher.next()
    while now.connected < now.terminals:
        now = await watcher.next()
    first = await watcher.next()
    began = watcher.at
    now = first
    while watcher.at - began < _LOAD_S:
        now = await watcher.next()
    rate = (now.acknowledged - first.acknowledged) / (watcher.at - began)
    await connection.disconnect()
    return rate
