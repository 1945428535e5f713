"""What the broker acknowledged and then lost is noticed, asked for and stored after all."""

import asyncio
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from collector.desk import Desk
from collector.repair import Manners
from collector.store import Connection
from fleet.db.pool import connect
from fleet.rules import catalogue
from tellergrid.audit.loss import Account, account
from tests.integration.collector.conftest import CollectorProcess, wait_for
from tests.integration.collector.test_desk import arrival, at, connection, rows

__all__ = ["connection"]

LIVELY = b"""
name: lively
about: a heartbeat a second
behaviour: {heartbeat_s: 1, faults_per_day: 0, stock_at_start: 0.9}
"""


@pytest.fixture
def fleet(collector: CollectorProcess, tmp_path: Path) -> Iterator["subprocess.Popen[bytes]"]:
    """The ten terminals of the grid, talking often."""
    broker = collector.broker
    broker.add_terminals(*(terminal.code for terminal in collector.grid.terminals))
    environment = {
        **os.environ,
        "TELLERGRID_BROKER_URL": broker.url("simulator"),
        "TELLERGRID_TERMINAL_SECRET": broker.terminal_secret,
    }
    lively = tmp_path / "lively.yaml"
    lively.write_bytes(LIVELY)
    played = ["--terminals", "10", "--cells", "1", "--seed", "1", "--scenario", str(lively)]
    kept = ["--state", str(tmp_path / "state.json")]
    command = [sys.executable, "-m", "simulator", *played, *kept]
    process = subprocess.Popen(command, env=environment, stderr=subprocess.DEVNULL)
    yield process
    process.kill()
    process.wait()


def accounts(running: CollectorProcess) -> list[Account]:
    async def read() -> list[Account]:
        async with await connect(running.database_url, name="test") as opened:
            return await account(opened, None, None)

    return asyncio.run(read())


def test_a_broker_killed_with_its_queue_is_repaired_from_the_journals(
    collector: CollectorProcess, fleet: "subprocess.Popen[bytes]"
) -> None:
    """The collector is away, the broker acknowledges and is then killed: that slice is gone.

    Back again, the terminals go on with later numbers; the collector asks for the missing ones.
    """
    wait_for("all have spoken", lambda: len(accounts(collector)) == 10)
    assert collector.stop() == 0
    before = {each.terminal: each.sent for each in accounts(collector)}
    told = _acknowledged(collector)
    wait_for("messages wait in the queue", lambda: _acknowledged(collector) > told + 20)
    collector.broker.kill()
    collector.broker.start()
    collector.start()
    wait_for(
        "a gap is noticed, and asked for",
        lambda: any(not each.exact for each in accounts(collector)) or _resends(collector),
    )
    wait_for("resends were asked for", lambda: _resends(collector) >= 1)
    wait_for("nothing is missing", lambda: _exact_beyond(accounts(collector), before))
    assert not any(each.doubled for each in accounts(collector))
    assert fleet.poll() is None


def _exact_beyond(found: list[Account], before: dict[str, int]) -> bool:
    """Whether all have gone on since, and nothing of what they said is missing."""
    return all(each.exact and each.sent > before[each.terminal] for each in found)


def _acknowledged(running: CollectorProcess) -> int:
    """What the simulator says of itself, retained at the broker."""
    broker = running.broker
    command = [str(broker.files.engine.clients / "mosquitto_sub"), "-V", "5", "-C", "1", "-W", "60"]
    command += ["-h", broker.host, "-p", str(broker.port), "-t", "simulator/v1/state"]
    command += ["-u", "tester", "-P", broker.password("tester")]
    heard = subprocess.run(command, stdout=subprocess.PIPE, check=True)
    return int(json.loads(heard.stdout)["acknowledged"])


def _resends(running: CollectorProcess) -> float:
    return running.metric("tellergrid_collector_resends_total")


async def test_open_gaps_outlive_the_collector(connection: Connection) -> None:
    """Another process reads the gap back, asks for it, gives it up, and asks no more."""
    first = Desk(connection, "region-01", catalogue.load())
    await first.restore(at(0))
    await first.commit([arrival(0, seq, seq) for seq in (4, 5, 9)], at(9))
    second = Desk(connection, "region-01", catalogue.load(), Manners(give_up=timedelta(minutes=5)))
    await second.restore(at(20))
    (ask,) = await second.asks(at(24))
    assert (ask.command.boot, ask.command.first, ask.command.last) == (1, 6, 8)
    for minute in range(1, 8):
        await second.asks(at(20 + 60 * minute))
    assert await rows(connection, "SELECT lost::text FROM boot_ledger") == [("{[6,9)}",)]
    third = Desk(connection, "region-01", catalogue.load())
    await third.restore(at(1000))
    assert await third.asks(at(1100)) == []
    await third.commit([arrival(0, 10, 1101)], at(1101))
    assert await third.asks(at(1200)) == []
