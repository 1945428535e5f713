"""What comes late is stored and not judged; cutting anew judges it, where it was said."""

import json
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Any

import pytest

from api.seed import seed
from collector.claim import Claim, Seen
from collector.desk import Desk
from collector.intake import Arrival
from collector.recut import recut
from collector.sight import Blindness, Cause
from collector.store import Connection
from fleet.db.pool import connect
from fleet.demo import grid
from fleet.rules.catalogue import load
from fleet.rules.hearing import RETURN

GRID = grid(seed=1, terminals=1, cells=1)
T0 = datetime.now(UTC).replace(microsecond=0) - timedelta(hours=6)
CODE = GRID.terminals[0].code
FINE = {"cardReader": {"media": "notPresent"}}
JAMMED = {"cardReader": {"media": "jammed"}}


def at(minutes: float) -> datetime:
    return T0 + timedelta(minutes=minutes)


def said(
    minutes: float, status: dict[str, Any], *, arrived: float | None = None, boot: int = 1
) -> Arrival:
    """A snapshot, half minute by half minute numbered by when it was said."""
    body = {"ts": at(minutes).isoformat(), "boot": boot, "seq": int(minutes * 2) + 1}
    body |= {"status": status, "metrics": {"temperature_c": 30}}
    topic = f"fleet/v1/{GRID.terminals[0].region}/{CODE}/telemetry"
    came = at(minutes if arrived is None else arrived)
    return Arrival(topic, json.dumps(body).encode(), retain=False, packet_id=1, at=came)


@pytest.fixture
async def connection(database_url: str) -> AsyncIterator[Connection]:
    """A database with one terminal, there since before the story."""
    async with await connect(database_url, name="test") as one:
        await seed(one, GRID, [])
        await one.execute("UPDATE terminal SET commissioned_at = %s", (at(-600),))
        await one.execute("UPDATE terminal_cell SET valid = tstzrange(%s, NULL)", (at(-600),))
        await one.commit()
        yield one


async def states(connection: Connection) -> list[tuple[str, datetime, datetime | None]]:
    cursor = await connection.execute(
        "SELECT state, lower(period), upper(period) FROM service_interval ORDER BY period"
    )
    found = await cursor.fetchall()
    await connection.commit()
    return [(state, begin, end) for state, begin, end in found]


@pytest.mark.parametrize(
    ("lost_boot", "boot"), [(1, 1), (2, 3)], ids=["one boot", "a boot that nobody had heard of"]
)
async def test_a_journal_that_comes_late_is_told_where_it_belongs(
    connection: Connection, lost_boot: int, boot: int
) -> None:
    """Messages of minutes 10 to 20 are lost on the way: the terminal is taken for silent, then for
    well. They come at minute 40: the card reader was jammed all the while. Cut anew the time is out
    of service; what was before and goes on after is as it was, and a collector goes on behind it.
    """
    desk = Desk(connection, GRID.terminals[0].region, load())
    await desk.restore(at(0))
    desk.watch(at(-60))
    lost = [said(half / 2, JAMMED, arrived=40, boot=lost_boot) for half in range(20, 40)]
    for half in range(80):
        spoken = said(half / 2, FINE, boot=1 if half < 20 else boot)
        live = [] if 20 <= half < 40 else [spoken]
        await desk.commit(live, at(half / 2))
        await connection.commit()
    await desk.commit(lost, at(40))
    await connection.commit()
    before = await states(connection)
    assert "offline" in {state for state, _, _ in before}
    assert "out_of_service" not in {state for state, _, _ in before}

    made = await recut(connection, load(), CODE, at(5), at(30))
    await connection.commit()
    after = await states(connection)
    assert "offline" not in {state for state, _, _ in after}
    [jam] = [(begin, end) for state, begin, end in after if state == "out_of_service"]
    assert at(10) <= jam[0] < at(12)
    assert jam[1] is not None
    assert at(20) <= jam[1] < at(25)
    assert [one.state for one in made if one.causes] == ["out_of_service"]
    assert after[-1][2] is None
    assert before[0][1] == after[0][1]
    for (_, _, end), (_, begin, _) in pairwise(after):
        assert end == begin

    assert await recut(connection, load(), CODE, at(5), at(30)) == made
    await connection.commit()
    assert await states(connection) == after
    await desk.commit([said(41, JAMMED, boot=boot)], at(41))
    await desk.commit([said(45, JAMMED, boot=boot)], at(45))
    await connection.commit()
    assert (await states(connection))[-1][0] == "out_of_service"
    assert await recut(connection, load(), "ATM-NONE", at(5), at(30)) == []
    assert await recut(connection, load(), CODE, at(-200), at(-100)) == [], "nobody was there yet"


async def test_wills_of_a_broker_that_went_with_the_database_are_not_cut_in(
    connection: Connection,
) -> None:
    """Database and broker were on one machine, which was started again; the database was noticed
    first. The broker had said the terminal's will in going, and the terminal came back within its
    minute: it was not offline, neither as it happened nor where all is cut anew."""
    region = GRID.terminals[0].region
    claim = await Claim.take(connection, region, "test")
    assert claim is not None
    desk = Desk(connection, region, load(), claim=claim)
    await desk.restore(at(0))
    desk.watch(at(0))
    for half in range(10):
        await desk.commit([said(half / 2, FINE)], at(half / 2))
    desk.returned(at(10), RETURN)
    desk.watch(at(10))
    body = json.dumps({"ts": at(0).isoformat(), "boot": 1, "online": False})
    topic = f"fleet/v1/{region}/{CODE}/status"
    will = Arrival(topic, body.encode(), retain=False, packet_id=1, at=at(10))
    blindness = Blindness(at(4.5), at(10), Cause.DATABASE, broker_too=True)
    await desk.commit([will], at(10), Seen(at(10), blindness))
    back = [said(10.5 + half / 2, FINE) for half in range(40)]
    for each in back:
        await desk.commit([each], each.at)
    before = await states(connection)
    assert [state for state, _, _ in before] == ["in_service"]
    await recut(connection, load(), CODE, at(9), at(20))
    assert await states(connection) == before
