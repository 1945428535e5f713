"""Collectors that share regions: one joins, one dies, one falls asleep and wakes."""

import asyncio
import re
import signal
import time
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any, cast

import pytest

from collector.claim import Claim, Seen
from collector.desk import Desk
from collector.errors import RegionLost
from collector.ring import join, look
from collector.sight import Blindness, Cause
from collector.store import Connection
from fleet.db.pool import connect
from fleet.demo import DemoGrid, grid
from fleet.rules import catalogue
from fleet.rules.hearing import RETURN, Return
from tests.integration.collector.conftest import CollectorProcess, wait_for
from tests.integration.collector.test_desk import arrival, at, connection, rows
from tests.machine import PATIENCE_S, Pulse

__all__ = ["connection"]

TAKEOVER_S = 5.0
HOLDERS = """
    SELECT region_code, collector FROM region_service JOIN pg_locks AS lock
    ON (lock.classid::bigint << 32) | lock.objid::bigint
        = hashtextextended('tellergrid/region/' || region_code, 0) AND lock.locktype = 'advisory'
"""


@pytest.fixture
def demo_grid() -> DemoGrid:
    """Forty terminals in eight cells of four regions."""
    return grid(seed=1, terminals=40, cells=8)


@pytest.fixture
def second(collector: CollectorProcess) -> Iterator[CollectorProcess]:
    """Another collector beside the first."""
    other = CollectorProcess(collector.database_url, collector.broker, collector.grid)
    other.start()
    yield other
    other.kill()


def holders(running: CollectorProcess) -> dict[str, str]:
    """Who holds each region now."""
    return dict(running.query(HOLDERS))


def name(running: CollectorProcess) -> str:
    """The part of its name that this test knows."""
    assert running.process is not None
    return f"-{running.process.pid}-"


def shares(running: CollectorProcess, *others: CollectorProcess) -> list[int]:
    held = Counter(holders(running).values())
    return [
        sum(count for holder, count in held.items() if name(each) in holder)
        for each in (running, *others)
    ]


def regions_of(running: CollectorProcess) -> set[str]:
    """All there are."""
    return {each.region for each in running.grid.terminals}


def told_of(running: CollectorProcess) -> set[str]:
    """The regions whose gaps a collector's metrics tell of."""
    page = running.page("metrics").decode()
    return set(re.findall(r'^tellergrid_collector_gaps\{region="([^"]+)"', page, re.MULTILINE))


def serving(running: CollectorProcess) -> dict[str, float]:
    """What a collector's metrics say of each region: 1 where it serves it."""
    page = running.page("metrics").decode()
    said = r'^tellergrid_collector_region_serving\{region="([^"]+)"\} (.+)'
    return {region: float(value) for region, value in re.findall(said, page, re.MULTILINE)}


def says_of_all(running: CollectorProcess) -> bool:
    """Whether they say something of each region there is."""
    return serving(running).keys() == regions_of(running)


def stored(running: CollectorProcess, seq: int) -> list[tuple[int, int]]:
    """Rows and different terminals of a message that each terminal says."""
    return running.query(
        "SELECT count(*), count(DISTINCT terminal_id) FROM telemetry WHERE seq = %s", seq
    )


def clock(running: CollectorProcess) -> datetime:
    """The database's, by which the taking of regions is stamped."""
    [(at,)] = running.query("SELECT clock_timestamp()")
    return cast("datetime", at)


def taken_over_within_s(running: CollectorProcess, since: datetime) -> float:
    """How long it took until the last region was taken, by the database's clock alone."""
    [(taken,)] = running.query("SELECT max(taken_at) FROM region_service")
    return float((taken - since).total_seconds())


def say_everywhere(running: CollectorProcess, seq: int) -> int:
    """One terminal of each region says its next message; returns how many regions there are."""
    first_of = {each.region: n for n, each in reversed(list(enumerate(running.grid.terminals)))}
    for number in first_of.values():
        running.say(number, seq)
    return len(first_of)


def test_one_joins_and_one_dies(collector: CollectorProcess, second: CollectorProcess) -> None:
    """The second gets half; the first is killed; within five seconds the second serves all.

    What was said in between is stored once: the session goes on where it was.
    """
    regions = len({each.region for each in collector.grid.terminals})
    even = [regions - regions // 2, regions // 2]
    wait_for("each has its share", lambda: shares(collector, second) == even)
    for each in (collector, second):
        wait_for(
            "it says of all regions whether it serves them: one that nobody serves is asked for",
            partial(says_of_all, each),
        )
    wait_for(
        "what was given up is told of by the other alone",
        lambda: told_of(collector) == set(regions_of(collector)) - told_of(second) != set(),
    )
    say_everywhere(collector, 1)
    wait_for("all is stored", lambda: stored(collector, 1) == [(regions, regions)])
    with Pulse() as pulse:
        died = clock(collector)
        collector.kill()
        say_everywhere(collector, 2)
        wait_for("the second has all", lambda: shares(second) == [regions])
    assert taken_over_within_s(collector, died) < pulse.allows(TAKEOVER_S)
    wait_for("all is stored once", lambda: stored(collector, 2) == [(regions, regions)])
    assert collector.query("SELECT count(*) FROM telemetry") == [(2 * regions,)]


def test_one_that_sleeps_loses_its_regions_and_cannot_write_when_it_wakes(
    collector: CollectorProcess, second: CollectorProcess
) -> None:
    """Stopped like a suspended machine: its connections stand, and still others take over."""
    regions = len({each.region for each in collector.grid.terminals})
    wait_for("each has its share", lambda: sorted(shares(collector, second))[0] == regions // 2)
    assert collector.process is not None
    with Pulse() as pulse:
        slept = clock(collector)
        collector.process.send_signal(signal.SIGSTOP)
        wait_for("the second has all", lambda: shares(second) == [regions])
    assert taken_over_within_s(collector, slept) < pulse.allows(TAKEOVER_S)
    epochs = dict(collector.query("SELECT region_code, epoch FROM region_service"))
    say_everywhere(collector, 1)
    wait_for("all is stored", lambda: stored(collector, 1) == [(regions, regions)])
    collector.process.send_signal(signal.SIGCONT)
    wait_for("it takes part again", lambda: sorted(shares(collector, second))[0] == regions // 2)
    say_everywhere(collector, 2)
    wait_for("all is stored", lambda: stored(collector, 2) == [(regions, regions)])
    assert collector.query("SELECT count(*) FROM telemetry") == [(2 * regions,)]
    later = dict(collector.query("SELECT region_code, epoch FROM region_service"))
    assert all(later[region] >= epoch for region, epoch in epochs.items())


async def test_a_write_under_an_older_epoch_is_undone(connection: Connection) -> None:
    """The region was taken by another while this one looked away: nothing of its batch stays."""
    claim = await Claim.take(connection, "region-01", "first")
    assert claim is not None
    desk = Desk(connection, "region-01", catalogue.load(), claim=claim)
    await desk.restore(at(0))
    await desk.commit([arrival(0, 1, 1)], at(1), Seen(at(1)))
    await connection.execute("UPDATE region_service SET epoch = epoch + 1, collector = 'second'")
    await connection.commit()
    with pytest.raises(RegionLost, match="region-01 was taken by another"):
        await desk.commit([arrival(0, 2, 2)], at(2), Seen(at(2)))
    with pytest.raises(RegionLost):
        await desk.commit([], at(5), Seen(at(5)))
    assert await rows(connection, "SELECT seq FROM telemetry") == [(1,)]
    assert await rows(connection, "SELECT seen_until FROM region_service") == [(at(1),)]


@pytest.mark.parametrize("broker_too", [False, True])
@pytest.mark.parametrize("cause", list(Cause))
async def test_who_takes_a_region_lets_terminals_come_back_to_who_had_it(
    connection: Connection, cause: Cause, *, broker_too: bool
) -> None:
    """The broker was away, or may have been, for nobody was there to see; half a minute later
    another takes over."""
    claim = await Claim.take(connection, "region-01", "first")
    assert claim is not None
    desk = Desk(connection, "region-01", catalogue.load(), claim=claim)
    await desk.restore(at(0))
    for since, until in ((0, 20), (100, 120)):
        seen = Seen(at(until), Blindness(at(since), at(until), cause, broker_too))
        await desk.commit([], at(until), seen)
    alone = cause is not Cause.BROKER and not broker_too
    again = Return(at(100), timedelta(seconds=80), alone)
    awaited = (again,) if broker_too or cause is not Cause.BACKLOG else ()
    assert await claim.returns(connection, at(179)) == awaited
    assert await claim.returns(connection, at(181)) == ()


async def test_who_takes_a_region_knows_that_terminals_were_cut_off_before_nobody_served_it(
    connection: Connection,
) -> None:
    """The broker said all wills in going and was away for ten minutes; ten seconds after it is back
    the collector ends as well, and another finds the region unseen. Who comes back only then was
    not offline before, for all that is known."""
    claim = await Claim.take(connection, "region-01", "first")
    assert claim is not None
    desk = Desk(connection, "region-01", catalogue.load(), claim=claim)
    await desk.restore(at(0))
    await desk.commit([arrival(0, 1, 0)], at(0))
    will = arrival(0, 2, 1, channel="status", online=False, ts=at(0).isoformat())
    await desk.commit([will], at(1))
    desk.returned(at(600), RETURN)
    gone = Blindness(at(1), at(600), Cause.BROKER)
    await desk.commit([], at(600), Seen(at(600), gone))
    another = Desk(connection, "region-01", catalogue.load(), claim=claim)
    for again in await claim.returns(connection, at(620)):
        another.returned(again.at, again.patience, alone=again.alone)
    await another.restore(at(620))
    another.returned(at(620), RETURN, alone=True)
    await another.commit([], at(620), Seen(at(620), Blindness(at(610), at(620), Cause.COLLECTOR)))
    await another.commit([arrival(0, 2, 630)], at(630))
    assert await rows(connection, "SELECT rule FROM fault") == [("platform-blind",)]
    causes = [(each.at, each.alone) for each in await claim.returns(connection, at(640))]
    assert causes == [(at(1), False), (at(610), True)]


async def test_a_region_is_one_connections_at_a_time(
    connection: Connection, database_url: str
) -> None:
    first = await Claim.take(connection, "region-01", "first")
    async with await connect(database_url, name="collector second", autocommit=True) as other:
        assert await Claim.take(other, "region-01", "second") is None
        await join(other)
        holdings, members = await look(other)
        assert [(each.holder, each.stale) for each in holdings] == [("first", False)]
        assert members == {"second"}
        await connection.close()
        taken = None
        async with asyncio.timeout(PATIENCE_S):
            while taken is None:  # the server notices the end of a connection in its own time
                taken = await Claim.take(other, "region-01", "second")
    assert first is not None
    assert taken.epoch == first.epoch + 1


@pytest.mark.usefixtures("connection")
async def test_a_process_that_sleeps_in_the_middle_of_a_statement_is_stale_all_the_same(
    database_url: str,
) -> None:
    """It holds a region, has begun to copy, and says nothing more on any of its connections.

    While it still looks around it is at work: the database may be slow, or the rows many.
    """
    async with (
        await connect(database_url, name="collector second", autocommit=True) as other,
        await connect(database_url, name="collector first", autocommit=True) as looking,
        await connect(database_url, name="collector first region-01") as holding,
    ):
        await join(other)
        await join(looking)
        assert await Claim.take(holding, "region-01", "first") is not None
        async with holding.cursor() as cursor, cursor.copy("COPY presence FROM STDIN"):
            with Pulse() as pulse:
                async with asyncio.timeout(PATIENCE_S):
                    stale = False
                    while not stale:
                        began = time.monotonic()
                        if looks := await mute_s(other) < 4:
                            await look(looking)
                        await asyncio.sleep(0.1)
                        [[holding_now], _] = await look(other)
                        stale = holding_now.stale
                        looked_just_now = looks and time.monotonic() - began < 2
                        assert not (looked_just_now and stale)
                mute = await mute_s(other)
            assert mute < 4 + pulse.allows(TAKEOVER_S)
            assert (await look(other))[1] == {"second"}


async def mute_s(connection: Connection) -> float:
    """For how long the holder of region-01 has said nothing, by the database's clock."""
    [(seconds,)] = await rows(
        connection,
        "SELECT extract(epoch FROM clock_timestamp() - state_change)::float8"
        " FROM pg_stat_activity WHERE application_name = 'tellergrid-collector first region-01'",
    )
    return float(seconds)


async def test_blindness_is_written_with_the_batch_that_ends_it(connection: Connection) -> None:
    """And an overlapping one, as a clock that was set back may bring about, begins behind it."""
    claim = await Claim.take(connection, "region-01", "first")
    desk = Desk(connection, "region-01", catalogue.load(), claim=claim)
    await desk.restore(at(0))
    await desk.commit([], at(60), Seen(at(60), Blindness(at(10), at(60), Cause.BROKER)))
    await desk.commit([], at(90), Seen(at(90), Blindness(at(50), at(90), Cause.BACKLOG)))
    found = await rows(
        connection, "SELECT cause, lower(period), upper(period) FROM blindness ORDER BY period"
    )
    assert found == [("broker", at(10), at(60)), ("backlog", at(60), at(90))]


CUT_ONCE = """
    CREATE SEQUENCE written;
    CREATE FUNCTION cut_once() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        IF nextval('written') = 1 THEN
            PERFORM pg_terminate_backend(pg_backend_pid());
        END IF;
        RETURN NEW;
    END $$;
    CREATE TRIGGER cut_once BEFORE INSERT ON blindness FOR EACH ROW EXECUTE FUNCTION cut_once();
"""


@pytest.mark.parametrize("cut", [False, True], ids=["", "and the database as that is written"])
def test_a_broker_that_was_away_is_written_down_as_our_blindness(
    collector: CollectorProcess, *, cut: bool
) -> None:
    """Away for a bit more than five seconds: an interval from before to after, in every region.

    Meanwhile the collector lives and is not ready: nobody need start it again.
    """
    collector.execute(CUT_ONCE if cut else "SELECT")
    unseen = (
        "SELECT 1 FROM region LEFT JOIN region_service ON region_code = code"
        " WHERE seen_until IS NULL"
    )
    wait_for("every region is seen", lambda: not collector.query(unseen))
    collector.broker.stop()
    gone = datetime.now(UTC)
    wait_for("it is not ready", lambda: collector.status("readyz") == 503)
    assert collector.status("healthz") == 200
    while (datetime.now(UTC) - gone).total_seconds() < 5.5:  # what is measured is time itself
        time.sleep(0.1)
    collector.broker.start()
    wait_for("it is ready", lambda: collector.status("readyz") == 200)
    regions = {each.region for each in collector.grid.terminals}
    after = """
        SELECT DISTINCT ON (region_code) region_code, cause, lower(period), upper(period)
        FROM blindness WHERE upper(period) > %s ORDER BY region_code, period
    """  # a slow machine brings about others, before and behind it

    def written() -> list[tuple[Any, ...]]:
        seen = collector.query(after, gone)
        return seen if len(seen) == len(regions) else []

    found = wait_for("it is written down", written)
    for region, cause, since, until in found:
        assert region in regions
        assert cause == "broker"
        assert since <= gone
        assert (until - gone).total_seconds() >= 5.5
