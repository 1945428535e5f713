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

from collector import metrics
from collector.desk import Desk
from collector.manners import Ask, Manners
from collector.store import Connection
from fleet.db.pool import connect
from fleet.rules import catalogue
from tellergrid.audit.loss import Account, account, read_journal
from tests.integration.collector.conftest import CollectorProcess, wait_for
from tests.integration.collector.test_desk import arrival, at, connection, rows

__all__ = ["connection"]

TERMINAL = 1  # the id of the one numbered 0

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


def test_what_a_terminal_said_last_before_it_started_anew_is_asked_for(
    collector: CollectorProcess, fleet: "subprocess.Popen[bytes]", tmp_path: Path
) -> None:
    """The collector is away, a terminal's software is started anew, then the broker is killed: what
    it said last in its first boot is gone, and no later number of that boot shows it."""
    wait_for("all have spoken", lambda: len(accounts(collector)) == 10)
    assert collector.stop() == 0
    code, journal = collector.grid.terminals[0].code, tmp_path / "state.json"
    before = {each.terminal: each.sent for each in accounts(collector)}[code]
    told = _acknowledged(collector)
    wait_for("messages wait in the queue", lambda: _acknowledged(collector) > told + 30)
    collector.broker.publish(collector.topic(0, "command"), b'{"op": "reset"}', "api")
    wait_for("it goes on in boot 2", lambda: read_journal(journal).get((code, 2)))
    collector.broker.kill()
    collector.broker.start()
    collector.start()
    wait_for("all is stored", lambda: _told_whole(collector, journal, code))
    stored = [each for each in accounts(collector) if each.terminal == code]
    assert [each.boot for each in stored] == [1, 2]
    assert stored[0].sent > before
    assert not any(each.doubled for each in stored)
    assert fleet.poll() is None


def _told_whole(running: CollectorProcess, journal: Path, code: str) -> bool:
    """Whether all that the simulator says a terminal said in its first boot is stored, by its
    second."""

    async def read() -> list[Account]:
        async with await connect(running.database_url, name="test") as opened:
            return await account(opened, code, read_journal(journal))

    found = asyncio.run(read())
    return len(found) == 2 and found[0].exact


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


Asked = tuple[int, int, int]


def commands(asks: list[Ask]) -> list[Asked]:
    """Boot, and the numbers asked for from the first to the last."""
    return [(each.command.boot, each.command.first, each.command.last) for each in asks]


async def opened(connection: Connection, seconds: float) -> Desk:
    """A desk that takes the region at work then."""
    desk = Desk(connection, "region-01", catalogue.load())
    await desk.restore(at(seconds))
    await desk.asks(at(seconds))
    return desk


async def heartbeats(desk: Desk, boot: int, seqs: list[int], seconds: float) -> None:
    """Terminal 0 says what it said before, once more, with each number."""
    said = [arrival(0, seq, seconds, boot=boot, metrics={"rtt_ms": 40}) for seq in seqs]
    await desk.commit(said, at(seconds))


async def test_what_is_behind_a_boot_that_is_over_is_asked_for_also_by_the_next_collector(
    connection: Connection,
) -> None:
    """Boot 1 is heard up to 5, boot 4 begins; the first collector asks once and dies. What comes of
    the first boot, and of one that nobody had heard of, is stored, and not judged."""
    first = await opened(connection, 0)
    await heartbeats(first, 1, [1, 2], 0)
    await heartbeats(first, 1, [3, 4, 5], 1)
    assert await first.asks(at(30)) == []
    await heartbeats(first, 4, [1], 31)
    assert commands(await first.asks(at(32))) == []
    round_ = [(1, 6, 505), (2, 1, 500), (3, 1, 500)]
    assert commands(await first.asks(at(36))) == round_
    second = await opened(connection, 40)
    assert commands(await second.asks(at(44))) == round_
    assert (second._repair.messages, len(second._repair)) == (0, 0)
    resent = metrics.repaired.labels("resent")._value.get()
    await heartbeats(second, 1, [6, 7], 45)
    await heartbeats(second, 2, [1, 2, 3], 45)
    assert commands(await second.asks(at(45))) == []
    assert commands(await second.asks(at(49))) == [(1, 8, 507), (2, 4, 503)]
    assert metrics.repaired.labels("resent")._value.get() - resent == 5
    assert (second._repair.messages, len(second._repair)) == (0, 0)
    terminal = second.engine.terminals[TERMINAL]
    assert (terminal.boot, terminal.seq) == (4, 1)
    late = "SELECT boot, seq FROM late_message ORDER BY boot, seq"
    assert await rows(connection, late) == [(1, 6), (1, 7), (2, 1), (2, 2), (2, 3)]
    assert await rows(connection, "SELECT sum(messages) FROM interval_recut") == [(5,)]
    for seconds in (70, 90, 110):
        await second.asks(at(seconds))
    third = await opened(connection, 120)
    assert await third.asks(at(130)) == []
    assert third._repair._first == {TERMINAL: 1}
    asked = "SELECT boot, asked_behind FROM boot_ledger ORDER BY boot"
    assert await rows(connection, asked) == [(1, True), (2, True), (4, False)]


async def test_what_comes_after_the_asking_ended_begins_it_again(connection: Connection) -> None:
    """A terminal was busy for minutes, and answers then."""
    desk = await opened(connection, 0)
    await heartbeats(desk, 1, [1, 2], 0)
    await heartbeats(desk, 2, [1], 1)
    for seconds in range(1, 61, 5):
        await desk.asks(at(seconds))
    assert await rows(connection, "SELECT count(*) FROM boot_ledger WHERE asked_behind") == [(1,)]
    await heartbeats(desk, 1, [3], 61)
    await desk.asks(at(62))
    again = await opened(connection, 63)
    for each in (desk, again):
        assert commands(await each.asks(at(67))) == [(1, 4, 503)]


async def test_a_boot_that_is_taken_up_again_is_asked_behind_again(connection: Connection) -> None:
    """Its disk is re-imaged: boot 1 a second time, further than before, and boot 2 after it."""
    desk = await opened(connection, 0)
    await heartbeats(desk, 1, [1, 2], 0)
    await heartbeats(desk, 2, [1], 1)
    for seconds in range(1, 61, 5):
        await desk.asks(at(seconds))
    await heartbeats(desk, 1, [3], 200)
    assert desk.engine.terminals[TERMINAL].boot == 1
    await heartbeats(desk, 1, [4, 5], 201)
    await heartbeats(desk, 2, [2], 202)
    await desk.asks(at(202))
    assert commands(await desk.asks(at(206))) == [(1, 6, 505)]


async def test_a_terminal_that_moved_is_asked_from_its_new_region(connection: Connection) -> None:
    desk = await opened(connection, 0)
    await heartbeats(desk, 1, [1, 2], 0)
    await heartbeats(desk, 2, [1], 1)
    await desk.asks(at(2))
    await connection.execute("INSERT INTO region (code, name) VALUES ('elsewhere', 'Elsewhere')")
    await connection.execute(
        "UPDATE terminal SET region_code = 'elsewhere' WHERE id = %s", [TERMINAL]
    )
    await connection.commit()
    await desk.reload_registry(at(3))
    assert await desk.asks(at(10)) == []
    assert len(desk._repair.tails) == 0
    other = Desk(connection, "elsewhere", catalogue.load())
    await other.restore(at(10))
    await other.asks(at(10))
    assert commands(await other.asks(at(14))) == [(1, 3, 502)]


async def test_one_that_is_decommissioned_is_asked_for_by_nobody(connection: Connection) -> None:
    desk = await opened(connection, 0)
    await heartbeats(desk, 1, [1, 2], 0)
    await heartbeats(desk, 2, [1], 1)
    gone = "UPDATE terminal SET decommissioned_at = now() WHERE id = %s"
    await connection.execute(gone, [TERMINAL])
    await connection.commit()
    await desk.reload_registry(at(3))
    again = await opened(connection, 10)
    for each in (desk, again):
        assert await each.asks(at(20)) == []
        assert len(each._repair.tails) == 0


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
