"""A long run at a steady load with kills in it, and the audit of loss at its end.

The collector is killed (SIGKILL) at a random instant of every minute and started again. The load
is the benchmark's: terminals that number their messages, said from a process of its own. At the
end every message that was said must be stored, once.
"""

import asyncio
import os
import random
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import LiteralString

import msgspec
import psycopg

from fleet.db.pool import connect
from fleet.db.sql import load
from tellergrid.audit.loss import Account, account
from tellergrid.bench.publisher import Load
from tellergrid.bench.stage import Stage, rss_mib, staged
from tellergrid.stack.errors import StackError
from tellergrid.stack.process import leashed

_SQL = load("tellergrid.bench", "ingest")
_MINUTE_S = 60.0
_PATIENCE_S = 60.0

Progress = Callable[[str], None]


class SoakReport(msgspec.Struct):
    """`exact`: sent = stored, none doubled, none missing. `blind_s`: our own outages, by region."""

    seconds: float
    per_s: float
    terminals: int
    kills: int
    sent: int
    stored: int
    doubled: int
    missing: int
    dropped: int
    exact: bool
    blind_s: float
    rss_mib: float


class _Collector:
    """The collector's process; killed and started again."""

    def __init__(self, stage: Stage) -> None:
        self._environment = {
            **os.environ,
            "TELLERGRID_DATABASE_URL": stage.database_url,
            "TELLERGRID_BROKER_URL": stage.broker_url("collector"),
            "TELLERGRID_COLLECTOR_PORT": "0",
            "TELLERGRID_LOG_LEVEL": "error",
        }
        self.kills = 0
        self.rss_mib = 0.0
        self.start()

    def start(self) -> None:
        command = [sys.executable, "-P", "-m", "collector"]
        self._process = subprocess.Popen(leashed(command), env=self._environment)

    def kill(self) -> None:
        """No farewell; the memory it had is noted."""
        if self._process.poll() is not None:
            raise StackError("the collector ended by itself")
        self.rss_mib = max(self.rss_mib, rss_mib(self._process.pid))
        self._process.kill()
        self._process.wait()
        self.kills += 1

    def stop(self) -> None:
        self._process.terminate()
        self._process.wait()


def soak(
    progress: Progress, *, minutes: float, per_s: float, terminals: int, seed: int
) -> SoakReport:
    """Say so many messages a second for so long, with a kill a minute; then count."""
    messages = int(minutes * _MINUTE_S * per_s)
    with staged(progress) as stage:
        _statement(stage, "register", terminals=terminals)
        collector = _Collector(stage)
        try:
            _wait_for(stage, "seen", 1)  # before that there is no session to keep anything
            began = time.monotonic()
            what = Load(stage.broker_url("tester"), terminals, 0, messages, per_s)
            with _speaking(what) as voice:
                _kill_each_minute(collector, voice, began, random.Random(seed), progress)  # noqa: S311
                if voice.wait():
                    raise StackError("the load ended early")
            progress("waiting until all is stored")
            _wait_for(stage, "count", messages)
            seconds = time.monotonic() - began
            accounts = asyncio.run(_accounts(stage))
        finally:
            collector.stop()
        (blind_s,) = _statement(stage, "blind")
    total = {
        name: sum(getattr(each, name) for each in accounts)
        for name in ("stored", "doubled", "dropped")
    }
    return SoakReport(
        seconds=round(seconds, 1),
        per_s=per_s,
        terminals=terminals,
        kills=collector.kills,
        sent=messages,
        missing=messages - total["stored"],
        exact=messages == total["stored"] and not total["doubled"],
        blind_s=round(float(blind_s), 1),
        rss_mib=round(collector.rss_mib, 1),
        **total,
    )


def _kill_each_minute(
    collector: _Collector,
    voice: "subprocess.Popen[bytes]",
    began: float,
    instants: random.Random,
    progress: Progress,
) -> None:
    minute = 0
    while voice.poll() is None:
        _wait_until(voice, began + (minute + instants.random()) * _MINUTE_S)
        if voice.poll() is None:
            collector.kill()
            collector.start()
        minute += 1
        _wait_until(voice, began + minute * _MINUTE_S)
        progress(f"{minute} minutes, {collector.kills} kills")


@contextmanager
def _speaking(what: Load) -> "Iterator[subprocess.Popen[bytes]]":
    command = [
        sys.executable,
        "-P",
        "-m",
        "tellergrid.bench.publisher",
        msgspec.json.encode(what).decode(),
    ]
    with subprocess.Popen(leashed(command)) as voice:
        try:
            yield voice
        finally:
            voice.kill()


def _wait_until(voice: "subprocess.Popen[bytes]", instant: float) -> None:
    while voice.poll() is None and time.monotonic() < instant:
        time.sleep(0.2)


def _wait_for(stage: Stage, figure: LiteralString, least: int) -> None:
    """Until a figure of the database is as large, or does not grow any more."""
    known, deadline = 0.0, time.monotonic() + _PATIENCE_S
    while known < least and time.monotonic() < deadline:
        time.sleep(0.5)
        (now,) = _statement(stage, figure)
        if now > known:
            known, deadline = now, time.monotonic() + _PATIENCE_S


async def _accounts(stage: Stage) -> list[Account]:
    async with await connect(stage.database_url, name="bench", autocommit=True) as connection:
        return await account(connection, None, None)


def _statement(stage: Stage, name: LiteralString, **parameters: object) -> tuple[float, ...]:
    with psycopg.connect(stage.database_url, autocommit=True) as connection:
        cursor = connection.execute(_SQL[name], parameters or None)
        return cursor.fetchone() or () if cursor.description else ()
