"""Data that comes too late to be judged is cut into the intervals by itself, once."""

import json
import signal
from datetime import UTC, datetime, timedelta
from typing import Any

from api.scope import EVERYTHING
from api.uptime.figures import Question, slices
from api.uptime.published import Of, publish
from api.uptime.schemas import By, Slice
from api.uptime.summing import sum_up
from collector.desk import Desk
from collector.recutting import cut_in, due
from collector.store import Connection
from fleet.rules.catalogue import load
from tests.integration.collector.conftest import CollectorProcess, wait_for
from tests.integration.collector.test_recut import (
    CODE,
    FINE,
    GRID,
    JAMMED,
    T0,
    at,
    connection,
    said,
    states,
)
from tests.machine import PATIENCE_S

__all__ = ["connection"]

REGION = GRID.terminals[0].region
AT_ONCE = timedelta()


async def lost_on_the_way(connection: Connection) -> Desk:
    """Minutes 10 to 20 do not come; what is said later does, up to minute 40."""
    desk = Desk(connection, REGION, load())
    await desk.restore(at(0))
    desk.watch(at(-60))
    for half in range(80):
        live = [] if 20 <= half < 40 else [said(half / 2, FINE)]
        await desk.commit(live, at(half / 2))
        await connection.commit()
    return desk


async def marks(connection: Connection) -> list[tuple[Any, ...]]:
    cursor = await connection.execute(
        "SELECT messages, lower(said), upper(said), done_at IS NOT NULL, cut IS NOT NULL"
        " FROM interval_recut ORDER BY id"
    )
    found = await cursor.fetchall()
    await connection.commit()
    return found


async def test_what_comes_late_is_marked_where_it_is_stored_and_cut_in_once(
    connection: Connection,
) -> None:
    """A journal comes in two pieces, late: each batch marks what it stores. Nothing is cut before
    the terminal is quiet. Then one cutting serves both marks, and nothing is left to be done."""
    desk = await lost_on_the_way(connection)
    before = await states(connection)
    await desk.commit([said(half / 2, JAMMED, arrived=40) for half in range(20, 30)], at(40))
    await desk.commit([said(half / 2, JAMMED, arrived=41) for half in range(30, 40)], at(41))
    await connection.commit()
    assert await states(connection) == before
    assert await marks(connection) == [
        (10, at(10), at(14.5), False, False),
        (10, at(15), at(19.5), False, False),
    ]
    assert await due(connection, [REGION]) == []
    assert await due(connection, ["elsewhere"], AT_ONCE) == []
    assert await due(connection, [REGION], AT_ONCE) == [CODE]
    await connection.commit()

    assert await cut_in(connection, load(), CODE)
    await connection.commit()
    after = await states(connection)
    assert "offline" in {state for state, _, _ in before}
    assert "offline" not in {state for state, _, _ in after}
    [jam] = [(begin, end) for state, begin, end in after if state == "out_of_service"]
    assert at(10) <= jam[0] < at(12)
    assert jam[1] is not None
    assert at(20) <= jam[1] < at(25)
    assert [done for *_, done, _ in await marks(connection)] == [True, True]
    assert await due(connection, [REGION], AT_ONCE) == []
    assert not await cut_in(connection, load(), CODE)
    await connection.commit()
    assert await states(connection) == after


async def test_a_batch_that_is_not_stored_marks_nothing(connection: Connection) -> None:
    """The mark is of the batch's transaction: undone with it."""
    desk = await lost_on_the_way(connection)
    async with connection.transaction(force_rollback=True):
        await desk.commit([said(10, JAMMED, arrived=40)], at(40))
    await connection.commit()
    assert await marks(connection) == []


async def test_where_what_was_said_before_is_kept_no_more_the_record_stays(
    connection: Connection,
) -> None:
    """Telemetry of that time was dropped; of one late message alone no time can be told."""
    desk = await lost_on_the_way(connection)
    before = await states(connection)
    await connection.execute("DELETE FROM telemetry WHERE ts < %s", (at(15),))
    await desk.commit([said(10, JAMMED, arrived=40)], at(40))
    assert not await cut_in(connection, load(), CODE)
    await connection.commit()
    assert await states(connection) == before
    assert [(done, cut) for *_, done, cut in await marks(connection)] == [(True, False)]


async def test_sums_and_published_figures_follow(connection: Connection) -> None:
    """The day was summed and published. Cut anew, figures are those of the intervals at once; the
    sums are made anew, and what was published is followed by its second version."""
    day = Of("uptime:fleet", T0 - timedelta(hours=1), T0 + timedelta(hours=1), "UTC")
    desk = await lost_on_the_way(connection)

    async def summed() -> None:
        for _ in range(6):
            async with connection.transaction():
                await sum_up(connection, "UTC", T0 + timedelta(hours=4))
            await connection.commit()

    async def told() -> tuple[int, Slice]:
        cuts = [(day.begin, day.end)]
        [fast] = await slices(connection, EVERYTHING, Question(By.FLEET, cuts), {})
        raw = Question(By.FLEET, cuts, from_sums=False)
        assert [fast] == await slices(connection, EVERYTHING, raw, {})
        body = fast.model_dump(mode="json", by_alias=True)
        version = (await publish(connection, day, body, "ops", "daily")).version
        await connection.commit()
        return version, fast

    await summed()
    _, once = await told()
    await desk.commit([said(half / 2, JAMMED, arrived=40) for half in range(20, 40)], at(40))
    assert (await told())[0] == 1
    assert await cut_in(connection, load(), CODE)
    await connection.commit()
    stale = await (await connection.execute("SELECT count(*) FROM uptime_stale")).fetchall()
    assert stale != [(0,)]
    version, now = await told()
    assert (version, now.by_state_us == once.by_state_us) == (2, False)
    await summed()
    assert await (await connection.execute("SELECT FROM uptime_stale")).fetchall() == []
    assert await told() == (2, now)


def test_killed_between_marking_and_cutting_it_is_cut_in_once(collector: CollectorProcess) -> None:
    """A gap is filled too late. The collector dies when that is marked; the next one dies with the
    intervals cut and nothing committed; the third does it. The broker and database are real."""
    assert collector.stop() == 0
    collector.start(module="tests.integration.collector.dying", DIE_AT="marked")
    now = datetime.now(UTC)

    def say(*said: tuple[int, float, dict[str, Any]]) -> None:
        lines = ""
        for seq, ago_s, status in said:
            body = {"ts": (now - timedelta(seconds=ago_s)).isoformat(), "boot": 1, "seq": seq}
            lines += json.dumps(body | {"status": status}) + "\n"
        topic = collector.topic(0, "telemetry")
        collector.broker.publish(topic, lines.encode(), each_line=True)

    def recorded() -> list[tuple[Any, ...]]:
        return collector.query("SELECT state, lower(period) FROM service_interval ORDER BY period")

    say((1, 100, FINE), (4, 20, FINE))
    judged = "SELECT FROM terminal_state WHERE seq = 4"
    wait_for("the gap is waited for in vain", lambda: collector.query(judged))
    before = recorded()
    say((2, 80, JAMMED), (3, 60, JAMMED))
    assert collector.process is not None
    assert collector.process.wait(PATIENCE_S) == -signal.SIGKILL
    due_still = "SELECT sum(messages)::int FROM interval_recut WHERE done_at IS NULL"
    assert (recorded(), collector.query(due_still)) == (before, [(2,)])

    cutting = collector.launch("tests.integration.collector.dying", DIE_AT="cut")
    assert cutting.wait(PATIENCE_S) == -signal.SIGKILL
    assert (recorded(), collector.query(due_still)) == (before, [(2,)])

    collector.start()
    done = "SELECT count(*) FROM interval_recut WHERE done_at IS NULL"
    wait_for("it is cut in", lambda: collector.query(done) == [(0,)])
    [(state, began)] = [row for row in recorded() if row[0] == "out_of_service"]
    assert state == "out_of_service"
    assert now - timedelta(seconds=80) <= began < now - timedelta(seconds=60)
