"""The fault matrix: whatever part fails, nothing is lost, doubled, or judged otherwise.

One fleet of known messages talks all the time; one fault after the other is brought about on the
real engines. After each, the ledger is exact: every message that was said is stored once, and the
faults are those of the same messages judged without any disturbance, to the microsecond.

In its short form each fault lasts seconds. `make chaos` (`--long`) gives them their full length.
"""

import asyncio
import random
import resource
import signal
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psycopg
import pytest

from api.seed import seed
from fleet.demo import DemoGrid, grid
from fleet.mqtt import Broker
from tellergrid.engines.locate import MosquittoEngine
from tellergrid.stack import postgres
from tests.e2e.known_load import Fault, KnownLoad, write_rules
from tests.e2e.line import Line
from tests.engines import BrokerServer, DatabaseServer, own_broker, own_database
from tests.integration.collector.conftest import CollectorProcess, wait_for

PATIENCE_S = 240.0
MEMORY_MIB = 400
LARGEST_FILE = 16 * 1024 * 1024  # as large as a segment of the log, which must still be written
FILL = """
    INSERT INTO telemetry (ts, terminal_id, boot, seq, arrived_at, extra)
    SELECT now(), 0, 0, n, now(), to_jsonb(left(repeat(md5(n::text), 30), {text}))
    FROM generate_series(1, {rows}) AS n
"""
LINGER = """
    CREATE FUNCTION linger() RETURNS trigger LANGUAGE plpgsql AS
    'BEGIN PERFORM pg_sleep({seconds}); RETURN NULL; END';
    CREATE TRIGGER linger BEFORE INSERT ON telemetry FOR EACH STATEMENT EXECUTE FUNCTION linger()
"""
FAULTS = """
    SELECT subject, rule, started_at, fired_at, cleared_at FROM fault
    WHERE scope <> 'platform'
    ORDER BY subject, rule, started_at
"""
OUTAGES = """
    SELECT count(*) FILTER (WHERE cleared_at IS NULL), count(*) FROM fault WHERE scope = 'platform'
"""
STORED = """
    SELECT terminal.code, count(*), count(DISTINCT seq), max(seq) FROM telemetry
    JOIN terminal ON terminal.id = terminal_id GROUP BY terminal.code
"""


@dataclass
class World:
    """The engines, the collector between them, and the fleet that talks."""

    database: DatabaseServer
    broker: BrokerServer
    line: Line
    collector: CollectorProcess
    load: KnownLoad
    rules: Path
    folder: Path
    long: bool

    def seconds(self, short: float, long: float) -> float:
        """How long a fault lasts."""
        return long if self.long else short

    def environment(self) -> dict[str, str]:
        """What a collector of this world is told besides: its rules, and the line to the broker."""
        url = self.broker.url("collector").replace(f":{self.broker.port}", f":{self.line.port}")
        return {"TELLERGRID_CATALOGUE": str(self.rules), "TELLERGRID_BROKER_URL": url}

    def start(self, module: str = "collector", **more: str) -> None:
        """Start the collector and wait until it serves."""
        self.collector.start(module, **self.environment(), **more)

    def query(self, statement: str) -> list[tuple[Any, ...]]:
        """Rows, once the database answers."""
        with psycopg.connect(self.database.url, autocommit=True) as connection:
            cursor = connection.execute(statement.encode())
            return cursor.fetchall() if cursor.description else []

    def restarts(self) -> float:
        """How often regions began again."""
        return self.collector.metric("tellergrid_collector_region_restarts_total")

    def lost_or_doubled(self) -> dict[str, object]:
        """What differs between what was said and what is stored: nothing, in the end."""
        said = self.load.sent
        stored = {row[0]: row[1:] for row in self.query(STORED)}
        return {
            code: (last, stored.get(code))
            for code, last in said.items()
            if not _exact(last, stored.get(code))
        }

    def check(self, after: str) -> None:
        """The ledger is exact and the faults are those of an undisturbed run."""
        wait_for(
            f"everything is stored once after {after}",
            lambda: not self.lost_or_doubled(),
            PATIENCE_S,
        )
        expected: list[Fault] = []

        def alike() -> bool:
            nonlocal expected
            expected = self.load.faults(self.rules)
            return self.query(FAULTS) == expected

        try:
            wait_for("the faults are the same", alike, PATIENCE_S)
        except AssertionError:
            assert self.query(FAULTS) == expected, f"after {after}"
        assert expected, "the load brings faults about"


def _exact(last: int, stored: tuple[int, int, int] | None) -> bool:
    """Every number up to what was said is there once; the fleet talks on while we look."""
    if stored is None:
        return False
    rows, distinct, highest = stored
    return rows == distinct == highest >= last


@pytest.fixture
def world(
    stopped_database: postgres.Cluster,
    mosquitto_engine: MosquittoEngine,
    engine_folder: Path,
    tmp_path: Path,
    request: pytest.FixtureRequest,
) -> Iterator[World]:
    """Twelve terminals of three regions, talking four times a second."""
    demo = grid(seed=1, terminals=12, cells=6)
    folder = tmp_path
    with (
        own_database(stopped_database) as database,
        own_broker(mosquitto_engine, engine_folder) as broker,
    ):
        asyncio.run(_sow(database.url, demo))
        load = KnownLoad(Broker.parse(broker.url("tester")), demo.terminals, seed=1)
        line = Line(broker.port)
        collector = CollectorProcess(database.url, broker, demo)
        long = bool(request.config.getoption("--long"))
        rules = write_rules(folder / "rules")
        here = World(database, broker, line, collector, load, rules, folder, long)
        here.start()
        load.begin()  # before that there is no session to keep anything
        yield here
        load.close()
        collector.kill()
        line.close()


async def _sow(url: str, demo: DemoGrid) -> None:
    async with await psycopg.AsyncConnection.connect(url) as connection:
        await seed(connection, demo, [])


def database_stopped(world: World) -> None:
    """In order, as for an upgrade, longer than anybody may be silent."""
    world.database.stop()
    time.sleep(world.seconds(32, 60))
    world.database.start()


def database_restarted(world: World) -> None:
    world.database.stop()
    world.database.start()


def database_killed(world: World) -> None:
    """Like a power cut: it recovers from its log."""
    world.database.kill()
    world.database.start()


def database_slow(world: World) -> None:
    """It gets a tenth of the time it wants."""
    until = time.monotonic() + world.seconds(4, 60)
    while time.monotonic() < until:
        world.database.freeze()
        time.sleep(0.27)
        world.database.thaw()
        time.sleep(0.03)


def connection_cut_in_copy(world: World) -> None:
    """COPY is made to last, and the server ends the connection within it."""
    world.query(LINGER.format(seconds=0.2))
    copying = (
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
        " WHERE query LIKE 'COPY telemetry %' AND state = 'active'"
    )
    for _ in range(int(world.seconds(3, 30))):
        wait_for("a COPY is cut", lambda: world.query(copying))
    world.query("DROP FUNCTION linger CASCADE")


def disk_full(world: World) -> None:
    """The table of telemetry can grow no more: each batch fails until there is room again.

    A file system of our own to fill needs rights that a test has not. So the server is started
    with a bound on the size of its files, and the table is filled up to it.
    """
    least, most = resource.getrlimit(resource.RLIMIT_FSIZE)
    world.database.stop()
    resource.setrlimit(resource.RLIMIT_FSIZE, (LARGEST_FILE, most))
    try:
        world.database.start()
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (least, most))
    for rows, text in ((1000, 960), (50, 960), (1, 960), (100, 0), (1, 0)):
        _fill(world, rows, text)
    before = world.restarts()
    wait_for("batches fail", lambda: world.restarts() > before)
    time.sleep(world.seconds(0, 30))
    world.database.stop()
    world.database.start()
    world.query("DELETE FROM telemetry WHERE terminal_id = 0")


def _fill(world: World, rows: int, text: int) -> None:
    """Insert so many rows with so much text, again and again, until they do not fit any more."""
    for _ in range(2000):
        try:
            world.query(FILL.format(rows=rows, text=text))
        except psycopg.Error as error:
            assert "could not extend file" in str(error)  # noqa: PT017 - the loop ends by it
            return
    raise AssertionError("the table takes ever more")


def collector_killed(world: World) -> None:
    """SIGKILL, at instants that nobody chose."""
    instants = random.Random(7)
    for _ in range(int(world.seconds(4, 30))):
        time.sleep(instants.uniform(0, 1.0))
        world.collector.kill()
        world.start()


def broker_restarted(world: World) -> None:
    world.broker.stop()
    time.sleep(world.seconds(0, 60))
    world.broker.start()


def network_half_open(world: World) -> None:
    """Nothing passes between collector and broker, and neither side is told."""
    with world.line.cut():
        time.sleep(world.seconds(12, 60))


def two_collectors(world: World) -> None:
    """Each in turn falls asleep with its regions in hand, and wakes to find the other has them."""
    other = CollectorProcess(world.database.url, world.broker, world.collector.grid)
    other.start(**world.environment())
    try:
        for turn in range(int(world.seconds(2, 10))):
            one = (world.collector, other)[turn % 2]
            assert one.process is not None
            one.process.send_signal(signal.SIGSTOP)
            time.sleep(world.seconds(6, 8))
            one.process.send_signal(signal.SIGCONT)
            time.sleep(world.seconds(1, 3))
    finally:
        other.kill()


def clock_set_back(world: World) -> None:
    """The collector's machine is set back by an hour while it runs."""
    mark = world.folder / "set-back"
    world.collector.kill()
    world.start("tests.e2e.set_back", SET_BACK=str(mark))
    mark.touch()
    time.sleep(world.seconds(4, 60))
    world.collector.kill()
    world.start()


DISTURBANCES: tuple[Callable[[World], None], ...] = (
    collector_killed,
    database_stopped,
    database_restarted,
    database_killed,
    database_slow,
    connection_cut_in_copy,
    disk_full,
    broker_restarted,
    network_half_open,
    two_collectors,
    clock_set_back,
)


def test_nothing_is_lost_doubled_or_judged_otherwise(world: World) -> None:
    """One fault after the other; the fleet talks before, through and after each of them.

    One test, for they share a world: to start it takes longer than most faults do.
    """

    for disturb in DISTURBANCES:
        began = time.monotonic()
        with world.load.playing():
            time.sleep(0.7)
            disturb(world)
            time.sleep(0.7)
        world.check(disturb.__name__)
        print(f"{disturb.__name__}: {time.monotonic() - began:.1f} s")
    broker_killed_with_its_queue(world)
    ten_times_too_much(world)
    causes = "SELECT array_agg(DISTINCT cause) @> '{database,broker,backlog}' FROM blindness"
    wait_for("each outage is written down", lambda: world.query(causes) == [(True,)])
    assert world.query("SELECT count(*) FROM fault WHERE rule = 'silent'") == [(0,)]
    wait_for("no outage lasts", lambda: world.query(OUTAGES)[0][0] == 0)
    [(_, outages)] = world.query(OUTAGES)
    assert outages or not world.long, "a minute of our own outage is an incident of the platform"


def broker_killed_with_its_queue(world: World) -> None:
    """It acknowledged what the collector had not fetched yet, and forgets it; resend repairs that.

    What is missing is asked for after three seconds. Later messages wait for it, and so all are
    judged in their order; here for longer than usual, on whatever machine this is.
    """
    world.collector.kill()
    world.start(TELLERGRID_LATENESS_MS="60000")
    assert world.collector.process is not None
    with world.load.playing():
        time.sleep(0.7)
        world.collector.process.send_signal(signal.SIGSTOP)
        time.sleep(2)
        world.broker.kill()
        world.broker.start()
        world.collector.process.send_signal(signal.SIGCONT)
        time.sleep(0.7)
    world.check("broker_killed_with_its_queue")
    assert world.collector.metric("tellergrid_collector_messages_repaired_total") > 0
    world.collector.kill()
    world.start()


def ten_times_too_much(world: World) -> None:
    """More than ten times of what the database can take: each batch, kept small, takes seconds.

    What is too much waits at the broker, not in the collector.
    """
    world.collector.kill()
    world.start(TELLERGRID_BATCH_COUNT="20", TELLERGRID_RECEIVE_MAXIMUM="160")
    assert world.collector.process is not None
    stored = "SELECT count(*) FROM telemetry"
    before, [(kept,)] = sum(world.load.sent.values()), world.query(stored)
    world.query(LINGER.format(seconds=3))
    said = taken = 0

    def too_much() -> bool:
        nonlocal said, taken
        said = sum(world.load.sent.values()) - before
        taken = world.query(stored)[0][0] - kept
        return bool(said >= 10 * taken > 0)

    with world.load.playing(faster=40):
        time.sleep(world.seconds(6, 60))
        wait_for("there is more than ten times too much", too_much)
    peak_mib = peak_rss_mib(world.collector.process.pid)
    world.query("DROP FUNCTION linger CASCADE")
    print(f"ten_times_too_much: {said} said, {taken} stored meanwhile, {peak_mib:.0f} MiB")
    assert peak_mib < MEMORY_MIB
    world.check("ten_times_too_much")


def peak_rss_mib(pid: int) -> float:
    """The most memory that a process ever had in use."""
    status = Path(f"/proc/{pid}/status").read_text(encoding="ascii")
    [line] = [line for line in status.splitlines() if line.startswith("VmHWM:")]
    return int(line.split()[1]) / 1024
