"""How much is taken in: the collector beside the bare engines and beside a plain collector.

All runs have engines of their own and a live publisher, in processes of their own on this machine.
Rates are from the first message's arrival to the last commit or acknowledgement.
"""

import asyncio
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from statistics import median
from typing import Any, LiteralString, NamedTuple

import httpx
import msgspec
import psycopg
from msgspec import Raw

from collector import rows, store
from fleet import snapshot
from fleet.db.pool import connect
from fleet.db.sql import load
from fleet.telemetry import Telemetry
from tellergrid.bench.publisher import Load, payload
from tellergrid.bench.sink import Task, Took
from tellergrid.bench.stage import Stage, cpu_s, rss_mib, staged
from tellergrid.stack.errors import StackError
from tellergrid.stack.ports import LOOPBACK, free_port
from tellergrid.stack.process import leashed

_SQL = load("tellergrid.bench", "ingest")
_PATIENCE_S = 240.0
_LOOK_AGAIN_S = 0.5  # what it took is told by the database: no closer look is needed
_SHARES = (25, 50, 75)
_COUNTS = (1_000, 10_000, 100_000)
_TURNS = 3
"""How often each of them is measured: a machine's speed drifts, so what is compared takes turns."""
_JSONB_ROWS = 20_000

Progress = Callable[[str], None]


class IngestReport(msgspec.Struct):
    """`cpu_us`: microseconds a message of broker, collector, database with the full collector;
    `cpu_us_by_run` and `cpu_us_by_terminals`: the same of every run, and of the collector's by how
    many terminals speak, medians of its runs. Shares of load are percent of what it took in just
    before."""

    sink_per_s: float = 0
    copy_per_s: float = 0
    collector_per_s: float = 0
    paho_per_s: float = 0
    ratio_to_limit: float = 0
    p50_ms: dict[str, float] = {}
    p99_ms: dict[str, float] = {}
    cpu_us: dict[str, float] = {}
    cpu_us_by_run: dict[str, dict[str, float]] = {}
    cpu_us_by_terminals: dict[str, dict[str, float]] = {}
    by_terminals: dict[str, float] = {}
    rss_mib_100000: float = 0
    bytes_per_message: float = 0
    jsonb_bytes_per_message: float = 0
    messages: int = 0


class _Run(NamedTuple):
    """Of one collector: messages a second, and microseconds a message by part."""

    per_s: float
    cpu_us: dict[str, float]


def measure(progress: Progress, *, quick: bool) -> IngestReport:
    """Run all of it: a minute or two when `quick`, else some minutes."""
    report = IngestReport(messages=30_000 if quick else 200_000)
    seconds = 4 if quick else 20
    with staged(progress) as stage:
        progress("a bare sink")
        report.sink_per_s = _receiver(stage, "sink", report)
        progress("COPY alone")
        report.copy_per_s = asyncio.run(_copy_alone(stage, report))
        progress("a plain paho collector")
        report.paho_per_s = _receiver(stage, "plain", report)
        runs: dict[int, list[_Run]] = {terminals: [] for terminals in _COUNTS}
        for turn in range(1 if quick else _TURNS):
            for terminals in _COUNTS:
                progress(f"the collector, {terminals:,} terminals")
                latency_s = seconds if turn == 0 and terminals == _COUNTS[0] else 0
                runs[terminals].append(_collector(stage, report, terminals, latency_s, progress))
        report.jsonb_bytes_per_message = asyncio.run(_jsonb_bytes(stage))
    _sum_up(report, runs)
    limit = min(report.sink_per_s, report.copy_per_s)
    report.ratio_to_limit = round(report.collector_per_s / limit, 2)
    return report


def _sum_up(report: IngestReport, runs: Mapping[int, Sequence[_Run]]) -> None:
    """Medians of the collector's runs."""
    for terminals, found in runs.items():
        report.by_terminals[str(terminals)] = round(median(each.per_s for each in found))
        report.cpu_us_by_terminals[str(terminals)] = {
            part: median(each.cpu_us[part] for each in found) for part in found[0].cpu_us
        }
    few = str(_COUNTS[0])
    report.collector_per_s = report.by_terminals[few]
    report.cpu_us = report.cpu_us_by_run["collector"] = report.cpu_us_by_terminals[few]


def _receiver(stage: Stage, role: str, report: IngestReport) -> float:
    """A process that receives so many messages and says how long it took."""
    _statement(stage, "clear")
    task = Task(stage.broker_url("collector"), report.messages, stage.database_url)
    command = [sys.executable, "-P", "-m", f"tellergrid.bench.{role}", _json(task)]
    with subprocess.Popen(leashed(command), stdout=subprocess.PIPE) as process:
        try:
            if process.stdout is None or process.stdout.readline() != b"ready\n":
                raise StackError(f"the benchmark's {role} did not start")
            before = stage.cpu_s()
            _publish(stage, _COUNTS[0], 0, report.messages)
            answer, _ = process.communicate(timeout=_PATIENCE_S)
        finally:
            process.kill()
    took = msgspec.json.decode(answer, type=Took)
    parts = _spent(before, stage.cpu_s()) | {"collector": took.cpu_s}
    report.cpu_us_by_run["sink" if role == "sink" else "paho"] = _each(parts, report.messages)
    return round(report.messages / took.seconds)


async def _copy_alone(stage: Stage, report: IngestReport) -> float:
    """Rows as the collector writes them, made before the clock starts; 1000 to a transaction."""
    now = datetime.now(UTC)
    now_us = rows.microseconds(now)
    measured = snapshot.read_metrics(b'{"temperature_c": 31.5, "rtt_ms": 42, "disk_free_pct": 40}')
    message = partial(Telemetry, now, 1, status=Raw(b"{}"))
    packed = [
        rows.telemetry(n % 1000, message(seq=n + 1), now_us, now_us, measured)
        for n in range(report.messages)
    ]
    async with await connect(stage.database_url, name="bench") as connection:
        await connection.execute(_SQL["clear"])
        await connection.commit()
        before, cpu, began = stage.cpu_s(), time.process_time(), time.monotonic()
        for place in range(0, len(packed), 1000):
            async with connection.transaction(), connection.cursor() as cursor:
                await store.copy_telemetry(cursor, packed[place : place + 1000])
        seconds = time.monotonic() - began
        spent = {**_spent(before, stage.cpu_s()), "collector": time.process_time() - cpu}
    report.cpu_us_by_run["copy"] = _each(spent, len(packed))
    return round(len(packed) / seconds)


def _collector(
    stage: Stage, report: IngestReport, terminals: int, latency_s: int, progress: Progress
) -> _Run:
    """The whole collector with the default rules: each terminal says hello first, unmeasured.

    Latencies are looked at for so many seconds of each load, if any.
    """
    _statement(stage, "clear")
    _statement(stage, "register", terminals=terminals)
    with _collecting(stage) as collector:
        process = collector.process
        at = _say(stage, collector, terminals, 0, terminals)
        _statement(stage, "settle")
        _statement(stage, "flush")
        since, before, cpu = datetime.now(UTC), stage.cpu_s(), cpu_s(process.pid)
        at = _say(stage, collector, terminals, at, report.messages)
        parts = {**_spent(before, stage.cpu_s()), "collector": cpu_s(process.pid) - cpu}
        count, took = _statement(stage, "took", since=since)
        run = _Run(count / took, _each(parts, count))
        if latency_s:
            report.bytes_per_message = round(_statement(stage, "bytes")[0], 1)
            for share in _SHARES:
                progress(f"the collector at {share}% of its load")
                rate = run.per_s * share / 100
                since = datetime.now(UTC)
                at = _say(stage, collector, terminals, at, int(rate * latency_s), rate)
                p50, p99 = _statement(stage, "latency", since=since)[0]
                report.p50_ms[str(share)], report.p99_ms[str(share)] = round(p50, 1), round(p99, 1)
        if terminals == _COUNTS[-1]:
            report.rss_mib_100000 = round(rss_mib(process.pid), 1)
    return run


def _say(
    stage: Stage, collector: "_Collecting", terminals: int, first: int, messages: int,
    per_s: float = 0,
) -> int:  # fmt: skip
    """Publish messages and wait until all are stored; returns where the next begin."""
    _publish(stage, terminals, first, messages, per_s)
    deadline = time.monotonic() + _PATIENCE_S
    while collector.stored() < first + messages:
        if time.monotonic() > deadline or collector.process.poll() is not None:
            raise StackError(f"the collector stored {collector.stored()} of {first + messages}")
        time.sleep(_LOOK_AGAIN_S)
    return first + messages


@dataclass(frozen=True, slots=True)
class _Collecting:
    """A collector at work; it is asked on one connection: each new one takes 30 ms of the machine
    that is measured."""

    process: "subprocess.Popen[bytes]"
    client: httpx.Client

    def ready(self) -> bool:
        """Whether it serves its regions."""
        try:
            return self.client.get("/readyz").is_success
        except httpx.TransportError:
            return False

    def stored(self) -> float:
        """How many telemetry messages it has committed."""
        name = 'tellergrid_collector_messages_stored_total{channel="telemetry"}'
        page = self.client.get("/metrics").text
        found = [line for line in page.splitlines() if line.startswith(name)]
        return float(found[0].split()[-1]) if found else 0.0


@contextmanager
def _collecting(stage: Stage) -> Iterator[_Collecting]:
    port = free_port()
    environment = {
        **os.environ,
        "TELLERGRID_DATABASE_URL": stage.database_url,
        "TELLERGRID_BROKER_URL": stage.broker_url("collector"),
        "TELLERGRID_COLLECTOR_PORT": str(port),
        "TELLERGRID_LOG_LEVEL": "warning",
    }
    command = [sys.executable, "-P", "-m", "collector"]
    url = f"http://{LOOPBACK}:{port}"
    with (
        httpx.Client(base_url=url, trust_env=False, timeout=_PATIENCE_S) as client,
        subprocess.Popen(leashed(command), env=environment) as process,
    ):
        collector = _Collecting(process, client)
        try:
            deadline = time.monotonic() + _PATIENCE_S
            while not collector.ready():
                if time.monotonic() > deadline or process.poll() is not None:
                    raise StackError("the collector did not become ready")
                time.sleep(_LOOK_AGAIN_S)
            yield collector
        finally:
            process.terminate()


def _publish(stage: Stage, terminals: int, first: int, messages: int, per_s: float = 0) -> None:
    what = Load(stage.broker_url("tester"), terminals, first, messages, per_s)
    command = [sys.executable, "-P", "-m", "tellergrid.bench.publisher", _json(what)]
    subprocess.run(leashed(command), check=True, timeout=_PATIENCE_S)


async def _jsonb_bytes(stage: Stage) -> float:
    """The same messages, whole, in a column of JSONB."""
    now = datetime.now(UTC)
    async with await connect(stage.database_url, name="bench") as connection:
        await connection.execute(_SQL["make_jsonb"])
        await connection.execute(_SQL["index_jsonb"])
        async with connection.cursor().copy("COPY jsonb_yardstick FROM STDIN") as copy:
            for n in range(_JSONB_ROWS):
                await copy.write_row((now, n % 1000, payload(n, 1000, now).decode()))
        row = await (await connection.execute(_SQL["jsonb_bytes"])).fetchone()
        await connection.commit()
    return round(row[0], 1) if row else 0.0


def _statement(stage: Stage, name: LiteralString, **parameters: object) -> tuple[Any, ...]:
    with psycopg.connect(stage.database_url, autocommit=True) as connection:
        cursor = connection.execute(_SQL[name], parameters or None)
        return cursor.fetchone() or () if cursor.description else ()


def _spent(before: dict[str, float], after: dict[str, float]) -> dict[str, float]:
    return {part: after[part] - before[part] for part in before}


def _each(seconds: dict[str, float], messages: int) -> dict[str, float]:
    return {part: round(each / messages * 1e6, 1) for part, each in sorted(seconds.items())}


def _json(value: msgspec.Struct) -> str:
    return msgspec.json.encode(value).decode()
