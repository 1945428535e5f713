"""The desk on the real database: what one bad message does, what a moved terminal does."""

import json
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from struct import pack
from typing import Any
from unittest.mock import AsyncMock

import msgspec
import psycopg
import pytest
from structlog.testing import capture_logs

from api.seed import seed
from collector import metrics, order, store
from collector.desk import Desk
from collector.intake import Arrival
from collector.statement import Statement
from collector.store import Connection
from fleet.db import history
from fleet.db.pool import connect
from fleet.demo import grid
from fleet.ledger import MOST
from fleet.rules import catalogue

GRID = grid(seed=1, terminals=10, cells=1)
T0 = datetime.now(UTC).replace(microsecond=0)


@pytest.fixture
async def connection(database_url: str) -> AsyncIterator[Connection]:
    async with await connect(database_url, name="test") as opened:
        await seed(opened, GRID, [])
        await opened.commit()
        yield opened


@pytest.fixture
async def desk(connection: Connection) -> Desk:
    opened = Desk(connection, "region-01", catalogue.load())
    await opened.restore(T0)
    opened.watch(T0)
    return opened


def arrival(
    number: int, seq: int, at: float = 0, *, channel: str = "telemetry", **fields: object
) -> Arrival:
    when = T0 + timedelta(seconds=at)
    body = {"ts": when.isoformat(), "boot": 1, "seq": seq, "status": {}, **fields}
    code = GRID.terminals[number].code
    topic = f"fleet/v1/region-01/{code}/{channel}"
    return Arrival(topic, json.dumps(body).encode(), retain=False, packet_id=seq, at=when)


def at(seconds: float) -> datetime:
    return T0 + timedelta(seconds=seconds)


async def rows(connection: Connection, statement: str) -> list[tuple[Any, ...]]:
    cursor = await connection.execute(statement.encode())
    found = await cursor.fetchall()
    await connection.commit()
    return found


def _tripping(
    monkeypatch: pytest.MonkeyPatch,
    *,
    seq: int,
    statement: str = "SELECT '4111111111111111'::uuid",
) -> None:
    """The database refuses the telemetry of one number."""
    run = store._run

    async def tripping(cursor: Any, said: Statement) -> None:
        if any(pack("!iq", 8, seq) in row for row in said.packed or ()):
            await cursor.execute(statement)
        await run(cursor, said)

    monkeypatch.setattr(store, "_run", tripping)


async def test_a_message_the_database_cannot_take_is_quarantined_alone(
    desk: Desk, connection: Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Three messages in a batch, the second trips the database: the others are stored.

    The database quotes what it could not take: neither log nor quarantine tell a card's number.
    """
    _tripping(monkeypatch, seq=2)
    with capture_logs() as told:
        await desk.commit([arrival(0, seq) for seq in (1, 2, 3)], at(1))
    assert await rows(connection, "SELECT seq FROM telemetry ORDER BY seq") == [(1,), (3,)]
    aside = await rows(connection, "SELECT reason, detail FROM quarantine")
    assert [reason for reason, _ in aside] == ["malformed"]
    [line] = [each for each in told if each["event"] == "a message cannot be taken"]
    for text in (aside[0][1], str(line)):
        assert 'type uuid: "************1111"' in text
        assert "4111111111111111" not in text


async def test_of_many_messages_one_that_cannot_be_taken_costs_two_reads_of_the_region(
    desk: Desk, connection: Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A large region is read for seconds, and a batch has a thousand messages."""
    restored = AsyncMock(wraps=desk.restore)
    monkeypatch.setattr(desk, "restore", restored)
    _tripping(monkeypatch, seq=2)
    await desk.commit([arrival(0, seq) for seq in range(1, 7)], at(1))
    assert restored.await_count == 2
    assert await rows(connection, "SELECT count(*) FROM telemetry") == [(5,)]
    assert await rows(connection, "SELECT received::text FROM boot_received") == [
        ("{[1,2),[3,7)}",)
    ]


@pytest.mark.parametrize(
    "value", [b"1e400000", b"1e-20000", b"0." + b"1" * 20_000, b'"\xff"', b'"\xed\xa0\x80"']
)
@pytest.mark.parametrize("channel", ["event", "telemetry"])
async def test_what_no_database_takes_stops_nobody_else(
    desk: Desk, connection: Connection, monkeypatch: pytest.MonkeyPatch, channel: str, value: bytes
) -> None:
    """It is found before the batch is judged: whoever sends many costs the region nothing."""
    monkeypatch.setattr(desk, "commit_singly", None)
    said = arrival(0, 1, channel=channel, event="transaction", status={"x": {"much": "?"}})
    bad = msgspec.structs.replace(said, payload=said.payload.replace(b'"?"', value))
    await desk.commit([bad, arrival(1, 1)], at(1))
    assert await rows(connection, "SELECT reason FROM quarantine") == [("malformed",)]
    assert await rows(connection, "SELECT terminal_id FROM telemetry") == [(2,)]


async def test_a_heartbeat_that_is_not_utf_8_is_malformed_as_any_message(
    desk: Desk, connection: Connection
) -> None:
    """Also where it is in a member that nobody reads."""
    for seq, note in enumerate((b"fine", b"\xff", "gut für sich".encode()), start=1):
        said = arrival(0, seq, metrics={"rtt_ms": 40}, note="?")
        plain = msgspec.structs.replace(said, payload=said.payload.replace(b"?", note))
        await desk.commit([plain], at(seq))
    assert await rows(connection, "SELECT reason FROM quarantine") == [("malformed",)]
    assert await rows(connection, "SELECT seq FROM telemetry ORDER BY seq") == [(1,), (3,)]


async def test_a_failed_write_leaves_nothing_and_is_told(
    desk: Desk, connection: Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The connection breaks in the middle: no row is there, and whoever called must know."""

    run = store._run

    async def broken(cursor: Any, statement: Statement) -> None:
        if statement.name == "update_terminal_state":
            raise psycopg.OperationalError("the server closed the connection")
        await run(cursor, statement)

    monkeypatch.setattr(store, "_run", broken)
    with pytest.raises(psycopg.OperationalError):
        await desk.commit([arrival(0, 1)], at(1))
    assert await rows(connection, "SELECT 1 FROM telemetry") == []


async def test_status_is_written_only_when_it_changed(desk: Desk, connection: Connection) -> None:
    reader = {"cardReader": {"media": "notPresent"}}
    jammed = {"cardReader": {"media": "jammed"}}
    said = [reader, reader, jammed, jammed, reader]
    for seq, status in enumerate(said, 1):
        await desk.commit([arrival(0, seq, seq, status=status)], at(seq))
    found = await rows(connection, "SELECT status IS NOT NULL FROM telemetry ORDER BY seq")
    assert [changed for (changed,) in found] == [True, False, True, False, True]


async def test_an_unchanged_message_leaves_the_stored_status_as_it_is(desk: Desk) -> None:
    """Jammed, twice with other metrics, then a will: what is read back is what was said."""
    jammed = {"cardReader": {"media": "jammed"}}
    for seq in (1, 2):
        await desk.commit([arrival(0, seq, seq, status=jammed, metrics={"rtt_ms": seq})], at(seq))
    await desk.commit([arrival(0, 3, 3, channel="status", online=False)], at(3))
    said = desk.engine.terminals[1]
    await desk.restore(at(4))
    read = desk.engine.terminals[1]
    assert (read.status, read.storage, read.metrics) == (said.status, said.storage, said.metrics)
    assert b"jammed" in read.status


async def test_vendors_metrics_are_kept(desk: Desk, connection: Connection) -> None:
    metrics = {"temperature_c": 31.5, "acmeFanRpm": 1200}
    await desk.commit([arrival(0, 1, metrics=metrics)], at(1))
    found = await rows(connection, "SELECT temperature_c, extra FROM telemetry")
    assert found == [(31.5, {"acmeFanRpm": 1200})]


async def test_a_restored_desk_goes_on_where_the_last_commit_left_off(
    desk: Desk, connection: Connection
) -> None:
    """A second process reads back terminals, holds, ledgers, and fires the fault that was due."""
    jam = arrival(0, 1, 0, status={"cardReader": {"media": "jammed"}})
    await desk.commit([jam], at(1))
    other = Desk(connection, "region-01", catalogue.load())
    await other.restore(at(5))
    other.watch(at(5))
    await other.commit([jam], at(30))
    faults = await rows(connection, "SELECT rule, fired_at FROM fault")
    assert faults == [("card-reader-jammed", at(10))]
    assert await rows(connection, "SELECT count(*) FROM telemetry") == [(1,)]
    assert await rows(connection, "SELECT doubled FROM boot_ledger") == [(1,)]


async def test_messages_in_order_leave_the_ledger_as_it_is_and_are_known_after_a_restart(
    desk: Desk, connection: Connection
) -> None:
    """Only what is out of order rewrites a ledger; what is read back knows every message."""
    received = "SELECT received::text FROM boot_ledger"
    for seq in (1, 2, 3):
        await desk.commit([arrival(0, seq, seq)], at(seq))
    assert await rows(connection, received) == [("{[1,2)}",)]
    assert await rows(connection, "SELECT received::text FROM boot_received") == [("{[1,4)}",)]
    await desk.commit([arrival(0, 6, 6)], at(6))
    assert await rows(connection, received) == [("{[1,4),[6,7)}",)]
    await desk.commit([arrival(0, 7, 7)], at(7))
    await desk.restore(at(8))
    await desk.commit([arrival(0, seq, seq) for seq in (3, 5, 7, 8)], at(9))
    assert await rows(connection, received) == [("{[1,4),[5,9)}",)]
    found = await rows(connection, "SELECT seq FROM telemetry ORDER BY seq")
    assert [seq for (seq,) in found] == [1, 2, 3, 5, 6, 7, 8]
    assert await rows(connection, "SELECT doubled FROM boot_ledger") == [(2,)]


async def test_a_ledger_with_too_many_gaps_gives_up_the_oldest_and_is_still_exact(
    desk: Desk, connection: Connection
) -> None:
    """A terminal numbers by two: what is written of it does not grow with all that it ever said.

    Then one of the numbers that were given up comes all the same, twice, and one that is stored:
    also before another process, that has read all back.
    """
    lost = metrics.lost._value.get()
    for first in range(1, 3 * MOST, 500):
        said = [arrival(0, seq, 1, metrics={"rtt_ms": 40}) for seq in range(first, first + 500, 2)]
        await desk.commit(said, at(1))
    await desk.asks(at(2))
    spans = "SELECT count(*), min(blurred_to)::int FROM boot_ledger, unnest(received)"
    [(count, blurred_to)] = await rows(connection, f"{spans} GROUP BY boot")
    assert count == MOST
    assert metrics.lost._value.get() - lost == blurred_to // 2
    other = Desk(connection, "region-01", catalogue.load())
    await other.restore(at(2))
    for number, opened in enumerate((desk, other)):
        late, known = 2 + 4 * number, 5 + 4 * number
        again = [arrival(0, seq, 1, metrics={"rtt_ms": 40}) for seq in (late, known, late)]
        await opened.commit(again, at(3))
        await opened.commit([arrival(0, seq, 1) for seq in (late, known)], at(4))
        if opened is desk:
            await other.restore(at(4))
    found = await rows(connection, "SELECT count(*), count(DISTINCT seq) FROM telemetry")
    assert found == [(MOST * 3 // 2 + 2, MOST * 3 // 2 + 2)]
    assert await rows(connection, "SELECT doubled FROM boot_ledger") == [(8,)]
    assert await other.asks(at(100)) != []
    asked = await other.asks(at(104))
    assert min(each.command.first for each in asked) > blurred_to


async def test_a_counter_that_was_set_is_asked_for_by_nobody_also_after_a_restart(
    desk: Desk, connection: Connection
) -> None:
    """Boot 2 says 1, then the greatest number there is: no terminal has what lies between."""
    lost = metrics.lost._value.get()
    await desk.commit([arrival(0, 1)], at(1))
    await desk.commit([arrival(0, seq, 2, boot=2) for seq in (1, 3, 2**53)], at(2))
    other = Desk(connection, "region-01", catalogue.load())
    await other.restore(at(2))
    for opened in (desk, other):
        asks = [each.command for each in await opened.asks(at(50))]
        asked = [each for each in asks if each.boot == 2]
        assert [(each.first, each.last) for each in asked] == [(2, 2)]
    await other.asks(at(2 * 24 * 3600))
    assert metrics.lost._value.get() - lost == 1
    assert await rows(connection, "SELECT lost::text FROM boot_ledger WHERE boot = 2") == [
        ("{[2,3)}",)
    ]


async def test_a_terminal_that_begins_its_numbers_again_is_not_taken_for_its_own_duplicates(
    desk: Desk, connection: Connection
) -> None:
    """Its disk is written anew, two hours later it says boot 1, seq 1: set aside, to be seen.

    What was said in the earlier life and is delivered again is a duplicate, then as well.
    """
    first = [arrival(0, seq, seq, metrics={"rtt_ms": 40}) for seq in (1, 2, 3)]
    await desk.commit(first, at(3))
    later = at(2 * 3600)
    reborn = [arrival(0, seq, 7200 - 3 + seq, metrics={"rtt_ms": 40}) for seq in (1, 2)]
    again = [msgspec.structs.replace(each, at=later) for each in (*reborn, *first)]
    await desk.commit(again, later)
    found = await rows(connection, "SELECT reason, detail FROM quarantine")
    assert [reason for reason, _ in found] == ["number_reused", "number_reused"]
    assert "boot 1 seq 1 is stored already" in found[0][1]
    assert await rows(connection, "SELECT seq FROM telemetry ORDER BY seq") == [(1,), (2,), (3,)]
    assert await rows(connection, "SELECT doubled FROM boot_ledger") == [(3,)]


async def test_two_machines_under_one_name_are_seen(desk: Desk, connection: Connection) -> None:
    """A disk was cloned: both count alike, twenty seconds apart, and each message of the second
    vanished as a duplicate of the first one's. What is delivered again is one, also of a clock
    that is ahead."""
    for seq in (1, 2, 3):
        said = arrival(0, seq, 60 * seq)
        said = msgspec.structs.replace(said, at=at(60 * seq + 0.1))
        other = msgspec.structs.replace(arrival(0, seq, 60 * seq + 20), at=at(60 * seq + 20.1))
        ahead = arrival(1, seq, 60 * seq, ts=at(60 * seq + 5).isoformat())
        again = [msgspec.structs.replace(each, at=at(60 * seq + 9)) for each in (said, ahead)]
        await desk.commit([said, ahead, *again, other], at(60 * seq + 21))
    found = await rows(connection, "SELECT reason, detail FROM quarantine")
    assert [reason for reason, _ in found] == ["number_reused"] * 3
    assert "do two terminals speak under this name" in found[0][1]
    assert await rows(connection, "SELECT doubled FROM boot_ledger") == [(3,), (3,)]


async def test_telemetry_that_the_broker_kept_is_no_sign_of_life(
    desk: Desk, connection: Connection
) -> None:
    """A vendor retains what it should not. The broker lost our session, and hands out with the new
    subscription what it kept of a terminal that is silent: the fault stands. What is stored of it
    is a duplicate; what is not is seen in quarantine, and missing until it is said again."""
    await desk.commit([arrival(0, seq, metrics={"rtt_ms": 40}) for seq in (1, 2)], at(0))
    for second in (200, 300):
        await desk.commit([], at(second))
    kept = [
        msgspec.structs.replace(each, retain=True, at=at(301))
        for each in (
            arrival(0, 2, metrics={"rtt_ms": 40}),
            arrival(0, 3, 1, metrics={"rtt_ms": 40}),
            arrival(0, 4, 2, channel="event", event="transaction"),
            arrival(1, 9, -86_400, status=JAMMED),
        )
    ]
    await desk.commit(kept, at(301))
    await desk.commit([], at(400))
    faults = "SELECT rule, fired_at, cleared_at FROM fault"
    assert await rows(connection, faults) == [("silent", at(250), None)]
    found = await rows(connection, "SELECT reason, topic FROM quarantine ORDER BY id")
    assert [reason for reason, _ in found] == ["retained"] * 3
    assert await rows(connection, "SELECT terminal_id, seq FROM telemetry") == [(1, 1), (1, 2)]
    assert desk.engine.terminals[2].heard_at is None
    await desk.commit([arrival(0, 3, 401, metrics={"rtt_ms": 40})], at(401))
    await desk.commit([], at(440))
    assert await rows(connection, faults) == [("silent", at(250), at(401))]


async def test_a_heartbeat_beside_a_message_that_came_twice_counts(
    desk: Desk, connection: Connection
) -> None:
    """In one batch: how far the terminal came is stored, and nothing seems to be missing."""
    metrics = {"rtt_ms": 40}
    await desk.commit([arrival(0, 1, metrics=metrics)], at(0))
    again = [arrival(0, seq, 1, metrics=metrics) for seq in (2, 3, 3)]
    await desk.commit(again, at(1))
    assert await rows(connection, "SELECT seq FROM terminal_state") == [(3,)]
    assert await rows(connection, "SELECT received::text FROM boot_received") == [("{[1,4)}",)]


async def test_forgotten_ledgers_double_nothing(
    desk: Desk, connection: Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A terminal that starts anew, and messages of both boots come twice, in the same batch and in
    later ones, while none but the present boot's ledger is kept."""
    monkeypatch.setattr("collector.ledgers._KEPT", 0)
    monkeypatch.setattr(desk, "commit_singly", None)  # nothing is wrong with any of them
    said = [(1, 1), (1, 2), (1, 3), (2, 1), (1, 3), (2, 2), (1, 3), (2, 3), (2, 2), (2, 4), (2, 4)]
    for size in (1, 2, 3):
        for place in range(0, len(said), size):
            batch = said[place : place + size]
            sent = [arrival(0, seq, seq, boot=boot, metrics={"n": 1}) for boot, seq in batch]
            await desk.commit(sent, at(9))
    stored = await rows(connection, "SELECT boot, seq FROM telemetry ORDER BY boot, seq")
    assert stored == sorted(set(said))


async def test_heartbeats_right_before_a_new_boot_are_known_after_a_restart(
    desk: Desk, connection: Connection
) -> None:
    """Two heartbeats and the start of another boot in one batch, which is committed; killed before
    the broker hears of it, another process is given all of it once more."""
    rtt = {"rtt_ms": 40}
    await desk.commit([arrival(0, 1, 0, metrics=rtt)], at(0))
    batch = [arrival(0, seq, seq, metrics=rtt) for seq in (2, 3)]
    batch += [arrival(0, seq, seq, boot=2, metrics=rtt) for seq in (4, 5)]
    await desk.commit(batch, at(5))
    await desk.restore(at(6))
    await desk.commit(batch, at(7))
    found = "SELECT boot, seq FROM telemetry ORDER BY boot, seq"
    assert await rows(connection, found) == [(1, 1), (1, 2), (1, 3), (2, 4), (2, 5)]
    ledgers = "SELECT boot, received::text FROM boot_received ORDER BY boot"
    assert await rows(connection, ledgers) == [(1, "{[1,4)}"), (2, "{[4,6)}")]


async def test_a_lower_boot_that_takes_over_leaves_both_ledgers_whole(
    desk: Desk, connection: Connection
) -> None:
    """The terminal's state goes back to a lower seq of the same boot: nothing is forgotten."""
    for seq in (1, 2, 3, 4):
        await desk.commit([arrival(0, seq, seq)], at(seq))
    await desk.commit([arrival(0, 1, 200, boot=0)], at(200))
    await desk.commit([arrival(0, 2, 201, boot=0)], at(201))
    await desk.restore(at(202))
    await desk.commit([arrival(0, 5, 400)], at(400))
    found = await rows(connection, "SELECT boot, received::text FROM boot_received ORDER BY boot")
    assert found == [(0, "{[1,3)}"), (1, "{[1,6)}")]
    assert await rows(connection, "SELECT count(*) FROM telemetry") == [(7,)]


async def test_a_decommissioned_terminal_ends_its_faults(
    desk: Desk, connection: Connection
) -> None:
    await desk.commit([arrival(0, 1, 0, status={"cardReader": {"media": "jammed"}})], at(30))
    await rows(connection, "UPDATE terminal SET decommissioned_at = now() WHERE id = 1 RETURNING 1")
    await desk.reload_registry(at(40))
    await desk.commit([], at(41))
    ((cleared,),) = await rows(connection, "SELECT cleared_at IS NOT NULL FROM fault")
    assert cleared
    await desk.commit([arrival(0, 2, 50)], at(50))
    assert await rows(connection, "SELECT reason FROM quarantine") == [("unknown_terminal",)]


@pytest.mark.parametrize("served", [True, False], ids=["both served", "the old one is not served"])
async def test_a_terminal_that_moves_to_another_region_takes_its_faults_along(
    desk: Desk, connection: Connection, served: bool
) -> None:
    """Jammed, it is moved to a region at work; jammed still it says so there, and then no more.

    One fault, from when it jammed until it says that it is free, whoever hears of the move when.
    """
    await rows(connection, "INSERT INTO region (code, name) VALUES ('region-02', '') RETURNING 1")
    there = Desk(connection, "region-02", catalogue.load())
    await there.restore(T0)
    there.watch(T0)
    await desk.commit([arrival(0, 1, 0, status=JAMMED)], at(0))
    await desk.commit([], at(11))
    await rows(connection, "UPDATE terminal SET region_code = 'region-02' WHERE id = 1 RETURNING 1")
    await there.reload_registry(at(12))
    await there.commit([moved(2, 13, JAMMED)], at(13))
    if served:
        await desk.reload_registry(at(14))
        await desk.commit([], at(14))
    await there.commit([moved(3, 30, JAMMED)], at(30))
    faults = "SELECT started_at, cleared_at FROM fault WHERE rule = 'card-reader-jammed'"
    assert await rows(connection, faults) == [(at(0), None)]
    await there.commit([moved(4, 60, FREE)], at(60))
    await there.commit([], at(90))
    assert await rows(connection, faults) == [(at(0), at(60))]
    assert await rows(connection, "SELECT received::text FROM boot_received") == [("{[1,5)}",)]


def moved(seq: int, second: float, status: object) -> Arrival:
    """What the first terminal says in its new region."""
    said = arrival(0, seq, second, status=status)
    return msgspec.structs.replace(said, topic=said.topic.replace("region-01", "region-02"))


async def test_a_cell_outage_is_written_as_one_fault_over_its_members(
    desk: Desk, connection: Connection
) -> None:
    """Four of ten wills within a second: one open fault of the cell, four that it speaks for."""
    await desk.commit([arrival(n, 1, 0) for n in range(10)], at(0))
    wills = [arrival(n, 1, 10, channel="status", online=False) for n in range(4)]
    await desk.commit(wills, at(10))
    for second in range(11, 60, 5):
        await desk.commit([], at(second))
    ((outage,),) = await rows(connection, "SELECT id FROM fault WHERE scope = 'cell'")
    found = await rows(connection, "SELECT rule, suppressed_by FROM fault WHERE scope <> 'cell'")
    assert found == [("offline", outage)] * 4
    changes = await rows(connection, "SELECT change, count(*) FROM fault_change GROUP BY 1")
    assert changes == [("fired", 5)]


async def test_when_cells_count_a_terminal_from_survives_a_restart(
    desk: Desk, connection: Connection
) -> None:
    """Hot by a message that was ten minutes on its way: counted from its arrival."""
    said = arrival(0, 1, 0, metrics={"temperature_c": 61})
    await desk.commit([msgspec.structs.replace(said, at=at(600))], at(600))
    counted = "SELECT since, counted_at FROM hold WHERE rule = 'over-temperature'"
    assert await rows(connection, counted) == [(at(0), at(600))]
    await desk.restore(at(601))
    (terminal,) = [each for each in desk.engine.terminals.values() if each.holds]
    assert terminal.holds["over-temperature", ""].counted_at == at(600)


async def test_a_flapping_fault_survives_restarts_and_is_marked(
    desk: Desk, connection: Connection
) -> None:
    """To and fro every twenty seconds, a restart each time: the third fault flaps."""
    for turn in range(1, 9):
        media = "jammed" if turn % 2 else "notPresent"
        status = {"cardReader": {"media": media}}
        await desk.commit([arrival(0, turn, turn * 20, status=status)], at(turn * 20))
        await desk.restore(at(turn * 20))
        desk.watch(T0)
    found = "SELECT fired_at, flapping_at, steady_at, cleared_at FROM fault ORDER BY fired_at"
    assert await rows(connection, found) == [
        (at(30), None, None, at(40)),
        (at(70), None, None, at(80)),
        (at(110), at(120), None, None),
    ]
    times = await rows(connection, "SELECT cardinality(times), raised FROM hold_transition")
    assert times == [(8, False)]
    still = [
        arrival(0, 8 + n, 160 + 60 * n, status={"cardReader": {"media": "notPresent"}})
        for n in range(1, 32)
    ]
    await desk.commit(still, at(160 + 60 * 31))
    *_, last = await rows(connection, found)
    assert last == (at(110), at(120), at(120 + 1800), at(160))
    changes = await rows(connection, "SELECT change FROM fault_change ORDER BY id")
    assert [change for (change,) in changes][-4:] == ["fired", "flapping", "steady", "cleared"]


async def test_counted_events_survive_restarts(desk: Desk, connection: Connection) -> None:
    """Three errors of the card reader within ten minutes, a restart after each.

    That it was silent in between is a fault of its own.
    """
    for seq, second in enumerate((0, 200, 590), start=1):
        error = {"event": "Common.ErrorEvent", "component": "cardReader"}
        await desk.commit([arrival(0, seq, second, channel="event", **error)], at(second))
        await desk.restore(at(second))
        desk.watch(T0)
    found = "SELECT rule, fired_at, cleared_at FROM fault WHERE rule = 'card-reader-errors'"
    assert await rows(connection, found) == [("card-reader-errors", at(590), None)]
    await desk.commit([arrival(0, 4, 601)], at(601))
    await desk.commit([arrival(0, 5, 901)], at(901))
    assert (await rows(connection, found))[0] == ("card-reader-errors", at(590), at(600))


async def test_what_speaks_for_what_survives_a_restart(desk: Desk, connection: Connection) -> None:
    """Mains go and take the reader along; the collector dies in between, twice."""
    dead = {
        "powerManagement": {"info": {"powerInStatus": "noPower"}},
        "cardReader": {"device": "powerOff"},
    }
    await desk.commit([arrival(0, 1, 0, status=dead)], at(0))
    await desk.restore(at(10))
    await desk.commit([arrival(0, 2, 60, status=dead)], at(61))
    ((mains,),) = await rows(connection, "SELECT id FROM fault WHERE rule = 'mains-lost'")
    spoken = "SELECT suppressed_by FROM fault WHERE rule = 'card-reader-failed'"
    assert await rows(connection, spoken) == [(mains,)]
    await desk.restore(at(70))
    half = {**dead, "powerManagement": {"info": {"powerInStatus": "powering"}}}
    await desk.commit([arrival(0, 3, 80, status=half)], at(80))
    await desk.commit([], at(201))
    assert await rows(connection, spoken) == [(None,)]


async def test_terminals_in_maintenance_are_no_members_of_a_quorum(
    desk: Desk, connection: Connection
) -> None:
    """Three of ten are no outage; three of the seven that nobody is working on are one."""
    window = """
        INSERT INTO planned_window (purpose, terminal_id, first, zone, author, reason)
        SELECT 'maintenance', terminal.id, tstzrange(now() - interval '1 day', now() + interval
            '1 day'), 'UTC', 'tester', 'new readers'
        FROM terminal ORDER BY terminal.id DESC LIMIT 3 RETURNING id"""
    await rows(connection, window)
    occur = """
        INSERT INTO planned_occurrence (window_id, period)
        SELECT id, first FROM planned_window RETURNING window_id"""
    await desk.commit([arrival(n, 1, 0) for n in range(10)], at(0))
    await desk.commit([arrival(n, 1, 9, channel="status", online=False) for n in range(3)], at(10))
    await desk.commit([], at(20))
    outage = "SELECT item FROM fault WHERE scope = 'cell'"
    assert await rows(connection, outage) == []
    await rows(connection, occur)
    await desk.reload_registry(at(21))
    await desk.commit([], at(27))
    assert await rows(connection, outage) == [("region-01",)]


def clocks_off() -> list[float]:
    """How many clocks of the region are off by more than each bound."""
    off = metrics.clocks_off.labels
    return [off("region-01", bound)._value.get() for bound in (5, 60, 600)]


async def test_the_clock_of_a_terminal_that_left_is_not_off_any_more(
    desk: Desk, connection: Connection
) -> None:
    ahead = (T0 + timedelta(seconds=91)).isoformat()
    await desk.commit([arrival(0, 1, 1, ts=ahead)], at(1))
    await desk.asks(at(1))
    assert clocks_off() == [1, 1, 0]
    await connection.execute(
        "UPDATE terminal SET commissioned_at = now() - interval '2 days',"
        " decommissioned_at = now() - interval '1 day' WHERE id = 1"
    )
    await connection.commit()
    await desk.reload_registry(at(2))
    await desk.asks(at(3))
    assert clocks_off() == [0, 0, 0]


async def test_the_skew_of_a_clock_is_measured_and_outlives_the_collector(
    desk: Desk, connection: Connection
) -> None:
    """One clock is ninety seconds ahead, another right; a restarted collector knows it still."""
    ahead = (T0 + timedelta(seconds=91)).isoformat()
    await desk.commit([arrival(0, 1, 1, ts=ahead), arrival(1, 1, 1)], at(1))
    await desk.asks(at(1))
    skews = "SELECT terminal_id, skew_us FROM terminal_clock ORDER BY terminal_id"
    assert await rows(connection, skews) == [(1, 90_000_000), (2, 0)]
    assert clocks_off() == [1, 1, 0]
    times = await rows(connection, "SELECT ts, arrived_at FROM telemetry WHERE terminal_id = 1")
    assert times == [(at(91), at(1))]
    await desk.restore(at(2))
    await desk.commit([arrival(0, 2, 3, ts=(T0 + timedelta(seconds=93)).isoformat())], at(3))
    await desk.asks(at(3))
    found = await rows(connection, "SELECT DISTINCT measured_at FROM terminal_clock")
    assert found == [(at(1),)]


JAMMED = {"cardReader": {"media": "jammed"}}
FREE = {"cardReader": {"media": "notPresent"}}


async def test_what_waits_for_its_turn_is_judged_in_it_after_a_restart(
    connection: Connection,
) -> None:
    """The third message comes first, the collector dies, the second comes: a jam of ten seconds
    that began with the second, as if nothing had happened."""
    desk = Desk(connection, "region-01", catalogue.load(), lateness=timedelta(seconds=5))
    await desk.restore(T0)
    desk.watch(T0)
    await desk.commit([arrival(0, 1, 0, status=FREE)], at(0))
    await desk.commit([arrival(0, 3, 14, status=FREE)], at(14))
    assert await rows(connection, "SELECT seq FROM waiting_message") == [(3,)]
    assert await rows(connection, "SELECT seq FROM telemetry ORDER BY seq") == [(1,), (3,)]
    await desk.restore(at(15))
    await desk.commit([arrival(0, 2, 2, status=JAMMED)], at(16))
    assert await rows(connection, "SELECT seq FROM waiting_message") == []
    await desk.restore(at(17))
    await desk.commit([], at(60))
    found = await rows(connection, "SELECT started_at, fired_at, cleared_at FROM fault")
    assert found == [(at(2), at(12), at(14))]
    assert await rows(connection, "SELECT status FROM terminal_snapshot") == [(FREE,)]
    received = "SELECT received::text FROM boot_received"
    assert await rows(connection, received) == [("{[1,4)}",)]


async def test_a_message_that_comes_too_late_is_counted_and_not_judged(
    connection: Connection,
) -> None:
    """A gap that is filled when its time is over: stored, in the table, and nothing comes of it."""
    desk = Desk(connection, "region-01", catalogue.load(), lateness=timedelta(seconds=5))
    await desk.restore(T0)
    await desk.commit([arrival(0, 1, 0), arrival(0, 3, 4)], at(4))
    await desk.commit([], at(9.5))
    await desk.commit([arrival(0, 2, 2, status=JAMMED)], at(10))
    await desk.commit([], at(60))
    assert await rows(connection, "SELECT * FROM fault") == []
    found = await rows(connection, "SELECT terminal_id, boot, seq, channel, ts FROM late_message")
    assert found == [(1, 1, 2, "telemetry", at(2))]
    assert await rows(connection, "SELECT seq FROM telemetry ORDER BY seq") == [(1,), (2,), (3,)]


async def test_a_clock_that_is_set_is_noted_once(desk: Desk, connection: Connection) -> None:
    """Set back an hour, and an hour behind from then on, also before a collector that restarted.
    It comes right, and is set once more."""
    await desk.commit([arrival(0, 1, 0)], at(0))
    for seq, off in ((2, -3600), (3, -3600), (4, -3600), (5, 0), (6, -3600)):
        said = arrival(0, seq, 30.0 * seq + off)
        await desk.commit([msgspec.structs.replace(said, at=at(30.0 * seq))], at(30.0 * seq))
        await desk.restore(at(30.0 * seq))
    found = await rows(connection, "SELECT seq, set_by FROM clock_jump ORDER BY seq")
    assert found == [(2, timedelta(hours=-1)), (6, timedelta(hours=-1))]


async def test_a_clock_that_came_right_and_is_set_again_is_noted_again(
    desk: Desk, connection: Connection
) -> None:
    """Ten minutes ahead twice, with two heartbeats by the right time between."""
    for seq, ahead in enumerate((0, 600, 600, 0, 0, 600, 600), start=1):
        said = arrival(0, seq, 30 * seq + ahead, metrics={"rtt_ms": 40})
        await desk.commit([msgspec.structs.replace(said, at=at(30 * seq))], at(30 * seq))
    found = await rows(connection, "SELECT seq, set_by FROM clock_jump ORDER BY seq")
    assert found == [(2, timedelta(minutes=10)), (6, timedelta(minutes=10))]


async def test_a_stage_of_severity_survives_restarts_and_is_told_once(
    desk: Desk, connection: Connection
) -> None:
    """Hot, then much hotter, then only hot again; another process takes over at every message."""
    degrees = (61, *[61] * 6, *[80] * 5, *[65] * 8)
    for minute, said in enumerate(degrees):
        metrics = {"temperature_c": said, "rtt_ms": 40, "disk_free_pct": 40}
        message = arrival(0, minute + 1, minute * 60, metrics=metrics)
        await desk.commit([message], at(minute * 60))
        await desk.restore(at(minute * 60))
        desk.watch(T0)
    changes = "SELECT change, severity, at FROM fault_change ORDER BY id"
    assert await rows(connection, changes) == [
        ("fired", None, at(300)),
        ("escalated", "critical", at(9 * 60)),
        ("eased", "major", at(17 * 60)),
    ]
    assert await rows(connection, "SELECT severity FROM fault") == [("major",)]
    stages = "SELECT phase FROM hold WHERE rule LIKE 'over-temperature/%'"
    assert await rows(connection, stages) == []


SCHEDULE = """
    INSERT INTO service_schedule (code, name, zone, author) VALUES ('shut', 'Shut', 'UTC', 'ops');
    INSERT INTO service_schedule_use (schedule_code, kind, valid, author, reason)
    SELECT 'shut', kind, tstzrange(now() - interval '1 day', NULL), 'ops', 'works'
    FROM (SELECT DISTINCT kind FROM terminal) AS kinds;
"""


async def test_a_service_schedule_reaches_the_engine_and_so_does_its_end(
    desk: Desk, connection: Connection
) -> None:
    """Left in supervisor mode in a place that is shut: no fault for six hours. The schedule ends,
    and the two hours are over; a collector that restarts knows it as well."""
    await connection.execute(SCHEDULE.encode())
    await connection.commit()
    await desk.reload_registry(at(0))
    desk.watch(None)  # so that it is not silent
    status = {"auxiliaries": {"operatorSwitch": "supervisor"}}
    await desk.commit([arrival(0, 1, 0, status=status)], at(0))
    await desk.restore(at(0))
    for hour in range(1, 7):
        await desk.commit([], at(hour * 3600))
    rules = "SELECT rule FROM fault"
    assert await rows(connection, rules) == []
    assert await rows(connection, "SELECT service_state FROM terminal_state") == [("supervisor",)]
    await connection.execute(
        "UPDATE service_schedule_use SET valid = tstzrange(lower(valid), now() - interval '1 h')"
    )
    await connection.commit()
    await desk.reload_registry(at(6 * 3600))
    await desk.commit([], at(6 * 3600 + 1))
    assert await rows(connection, rules) == [("supervisor-mode",)]


async def test_a_value_on_its_way_survives_restarts(desk: Desk, connection: Connection) -> None:
    """A cassette loses 180 notes a minute, another process at every message: after five of them
    nine hundred are gone within ten minutes, and when no more go it is over when those are old."""
    for minute in range(8):
        status = {"auxiliaries": {"operatorSwitch": "run"}}
        units = [{"id": "CST1", "count": 2000 - 180 * min(minute, 5)}]
        message = arrival(0, minute + 1, minute * 60, status=status, storage=units)
        await desk.commit([message], at(minute * 60))
        await desk.restore(at(minute * 60))
    desk.watch(None)
    await desk.commit([], at(3600))
    found = "SELECT rule, item, started_at, cleared_at FROM fault"
    assert await rows(connection, found) == [("cash-falling-fast", "CST1", at(300), at(600))]
    assert await rows(connection, "SELECT level, cardinality(times) FROM slope") == [(1100, 5)]


async def test_a_terminal_commissioned_a_day_ago_and_never_heard_is_told(
    desk: Desk, connection: Connection
) -> None:
    """Nine of ten spoke once; the collector that finds out started ten minutes ago."""
    await desk.commit([arrival(n, 1, 0) for n in range(9)], at(0))
    await connection.execute("UPDATE terminal SET commissioned_at = %s", (at(-25 * 3600),))
    await connection.commit()
    await desk.restore(at(0))
    desk.watch(at(0))
    await desk.commit([arrival(n, 2, 599) for n in range(9)], at(599))
    found = "SELECT subject FROM fault WHERE rule = 'never-seen'"
    assert await rows(connection, found) == []
    await desk.commit([], at(660))
    assert await rows(connection, found) == [(GRID.terminals[9].code,)]


async def test_a_name_longer_than_a_key_may_be_stops_nobody_else(
    desk: Desk, connection: Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    """No two letters alike follow each other, so the database cannot make it short."""
    monkeypatch.setattr(desk, "commit_singly", None)
    name = "".join(chr(97 + n * n * 7 % 26) + str(n) for n in range(2000))
    bad = arrival(0, 1, storage=[{"id": name, "status": "missing"}])
    await desk.commit([bad, arrival(1, 1)], at(1))
    aside = await rows(connection, "SELECT reason, detail FROM quarantine")
    assert [(reason, "`$.storage[0].id`" in why) for reason, why in aside] == [("malformed", True)]
    assert await rows(connection, "SELECT terminal_id FROM telemetry") == [(2,)]


async def test_what_exceeds_a_limit_of_the_database_is_quarantined_alone(
    desk: Desk, connection: Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An operational error by its name, and yet one message's: the region must not wait for it."""
    _tripping(monkeypatch, seq=2, statement="DO 'BEGIN RAISE program_limit_exceeded; END'")
    await desk.commit([arrival(0, seq) for seq in (1, 2, 3)], at(1))
    assert await rows(connection, "SELECT seq FROM telemetry ORDER BY seq") == [(1,), (3,)]
    assert await rows(connection, "SELECT reason FROM quarantine") == [("malformed",)]


@pytest.mark.parametrize(
    "detail",
    [
        pytest.param(b"411111111.1111111e7", id="written otherwise, like a card's number"),
        pytest.param(b"[%s]" % b",".join([b"1e9"] * 9000), id="longer than a message may be"),
    ],
)
async def test_a_message_that_waits_is_read_back_however_it_was_written_down(
    connection: Connection, detail: bytes
) -> None:
    """It was taken, and must not keep its region from being served ever again."""
    desk = Desk(connection, "region-01", catalogue.load(), lateness=timedelta(seconds=5))
    await desk.restore(T0)
    await desk.commit([arrival(0, 1, 0)], at(0))
    said = arrival(0, 3, 1, channel="event", event="transaction", detail={"x": "?"})
    waits = msgspec.structs.replace(said, payload=said.payload.replace(b'"?"', detail))
    await desk.commit([waits], at(1))
    await desk.restore(at(2))
    [terminal] = [each for each in desk.engine.terminals.values() if each.kept]
    assert list(terminal.kept) == [(1, 3)]
    await desk.commit([], at(7))
    assert await rows(connection, "SELECT seq FROM terminal_state") == [(3,)]


async def test_a_message_that_waits_and_cannot_be_written_down_is_quarantined_alone(
    connection: Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    """So deep that it could be read, a few calls further down it cannot be written."""

    def encode(_message: object) -> bytes:
        raise RecursionError("maximum recursion depth exceeded while serializing an object")

    desk = Desk(connection, "region-01", catalogue.load(), lateness=timedelta(seconds=5))
    await desk.restore(T0)
    await desk.commit([arrival(0, 1, 0)], at(0))
    monkeypatch.setattr(order, "encode", encode)
    await desk.commit([arrival(0, 3, 1), arrival(1, 1, 1)], at(1))
    assert await rows(connection, "SELECT reason FROM quarantine") == [("malformed",)]
    assert await rows(connection, "SELECT terminal_id, seq FROM telemetry") == [(1, 1), (2, 1)]


async def test_a_terminal_that_left_while_nobody_looked_ends_its_faults(
    desk: Desk, connection: Connection
) -> None:
    """Decommissioned while no collector ran; the one that starts then does not know it any more."""
    await desk.commit([arrival(0, 1, status=JAMMED)], at(0))
    await desk.commit([arrival(0, 2, 20, status=JAMMED)], at(20))
    await connection.execute(
        "UPDATE terminal SET commissioned_at = now() - interval '2 days',"
        " decommissioned_at = now() - interval '1 day' WHERE id = 1"
    )
    await connection.commit()
    await desk.restore(at(30))
    await desk.commit([], at(31))
    found = await rows(connection, "SELECT rule, cleared_at FROM fault")
    assert found == [("card-reader-jammed", at(30))]
    assert await rows(connection, "SELECT * FROM hold") == []
    changes = await rows(connection, "SELECT change FROM fault_change ORDER BY id")
    assert changes == [("fired",), ("cleared",)]


async def test_a_last_will_of_a_brokers_end_outlives_a_restart(
    desk: Desk, connection: Connection
) -> None:
    """The broker ends and says all wills; all are read back before the minute to come back is over,
    and one does not come back."""
    await desk.commit([arrival(0, 1, 0)], at(0))
    desk.returned(at(10), timedelta(minutes=1))
    await desk.commit([arrival(0, 1, 11, channel="status", online=False)], at(11))
    await desk.restore(at(12))
    await desk.commit([], at(69))
    found = "SELECT started_at, fired_at FROM fault WHERE rule = 'offline'"
    assert await rows(connection, found) == []
    await desk.commit([], at(120))
    assert await rows(connection, found) == [(at(70), at(100))]


@pytest.mark.parametrize("dies", [False, True])
async def test_a_last_will_of_a_brokers_end_outlives_a_restart_where_the_one_before_is_not_over(
    desk: Desk, connection: Connection, *, dies: bool
) -> None:
    """It was offline and had just come back as the broker ended: it does not come back, and it is
    offline since its minute is over, whether or not all was read back in it."""
    await desk.commit([arrival(0, 1, 0)], at(0))
    await desk.commit([arrival(0, 1, 1, channel="status", online=False)], at(1))
    await desk.commit([arrival(0, 2, 50)], at(50))
    desk.returned(at(60), timedelta(minutes=1))
    await desk.commit([arrival(0, 3, 62, channel="status", online=False)], at(62))
    if dies:
        await desk.restore(at(63))
    await desk.commit([], at(69))
    await desk.commit([], at(200))
    found = "SELECT started_at, fired_at, cleared_at FROM fault WHERE rule = 'offline'"
    assert await rows(connection, found) == [(at(1), at(31), None)]
    state = "SELECT service_state, service_since FROM terminal_state WHERE boot = 1"
    assert await rows(connection, state) == [("offline", at(120))]


async def test_a_will_that_crosses_the_next_birth_leaves_no_row(
    desk: Desk, connection: Connection
) -> None:
    """Who explains a fault later judges what is stored, by its arrival, and would believe it."""
    await desk.commit([arrival(0, 1, 0)], at(0))
    birth = arrival(0, 1, 100, channel="status", online=True)
    will = arrival(0, 2, 101, channel="status", online=False, ts=at(0).isoformat())
    await desk.commit([birth, will], at(101))
    assert await rows(connection, "SELECT online FROM presence") == [(True,)]
    assert await rows(connection, "SELECT connected FROM terminal_state WHERE boot = 1") == [
        (True,)
    ]


@pytest.mark.parametrize("again", [False, True])
async def test_a_will_that_crosses_the_next_birth_does_so_over_a_restart_too(
    desk: Desk, connection: Connection, *, again: bool
) -> None:
    """Between the two the region goes to another collector, or another catalogue is read; the birth
    may have been delivered once more. A birth that no clock could have said is passed over."""
    await desk.commit([arrival(0, 1, 0), arrival(1, 1, 0)], at(0))
    birth = arrival(0, 1, 100, channel="status", online=True)
    nonsense = arrival(1, 2, 100, channel="status", online=True, ts="9999-12-31T23:59:59-12:00")
    await desk.commit([msgspec.structs.replace(birth, duplicate=again), nonsense], at(100))
    await desk.restore(at(100.5))
    will = arrival(0, 3, 101, channel="status", online=False, ts=at(0).isoformat())
    await desk.commit([will], at(101))
    connected = "SELECT connected FROM terminal_state ORDER BY terminal_id"
    assert await rows(connection, connected) == [(True,), (True,)]
    await desk.restore(at(161))
    late = arrival(0, 4, 161, channel="status", online=False, ts=at(0).isoformat())
    await desk.commit([late], at(161))
    assert await rows(connection, connected) == [(False,), (True,)]


async def test_each_day_begins_with_all_that_a_terminal_says(
    desk: Desk, connection: Connection
) -> None:
    """It says the same for months: what it said first is dropped, and is known all the same."""
    midnight = 86_400 - T0.timestamp() % 86_400
    door = {"auxiliaries": {"safeDoor": "closed"}}
    for seq, second in enumerate((-90, -60, -30, 30, 60, 90), start=1):
        said = arrival(0, seq, midnight + second, status=door)
        await desk.commit([said], at(midnight + second))
    whole = await rows(connection, "SELECT status IS NOT NULL FROM telemetry ORDER BY ts")
    assert whole == [(True,), (False,), (False,), (True,), (False,), (False,)]
    await connection.execute("DELETE FROM telemetry WHERE ts < %s", (at(midnight),))
    assert await rows(connection, "SELECT count(*) FROM telemetry") == [(3,)]
    known = await history.terminals(connection, at(midnight + 80), codes=[GRID.terminals[0].code])
    assert known[0].values == {"auxiliaries.safeDoor": "closed"}


async def test_a_day_that_begins_with_an_event_has_all_that_a_terminal_says_too(
    desk: Desk, connection: Connection
) -> None:
    """Somebody draws cash at midnight, and of yesterday something comes late; then it goes on
    saying the same, and is said to say it once."""
    midnight = 86_400 - T0.timestamp() % 86_400
    door = {"auxiliaries": {"safeDoor": "closed"}}
    for seq, second in ((1, -90), (2, -60), (5, 30), (3, -30), (6, 60), (7, 90)):
        if seq == 5:
            drawn = arrival(0, 4, midnight + 1, channel="event", event="transaction")
            await desk.commit([drawn], at(midnight + 1))
        said = arrival(0, seq, midnight + second, status=door)
        came = max(second, 31) if seq == 3 else second
        said = msgspec.structs.replace(said, at=at(midnight + came))
        await desk.commit([said], at(midnight + came))
    whole = await rows(connection, "SELECT seq FROM telemetry WHERE status IS NOT NULL ORDER BY ts")
    assert whole == [(1,), (3,), (5,)]


async def test_a_journal_from_before_a_silence_stops_nobody(
    desk: Desk, connection: Connection
) -> None:
    """It was silent, and what it wrote before that comes at last: the fault ends when it does, and
    the region goes on."""
    await desk.commit([arrival(0, 1, 0, status=FREE)], at(0))
    for second in (180, 250, 400):
        await desk.commit([], at(second))
    journal = [arrival(0, seq, 30.0 * (seq - 1), status=FREE) for seq in range(2, 15)]
    await desk.commit([msgspec.structs.replace(each, at=at(401)) for each in journal], at(401))
    await desk.commit([arrival(0, 15, 402, status=FREE)], at(402))
    await desk.commit([], at(440))
    found = await rows(connection, "SELECT rule, started_at, fired_at, cleared_at FROM fault")
    assert found == [("silent", at(180), at(250), at(401))]
    offline = await rows(
        connection,
        "SELECT lower(period), upper(period) FROM service_interval WHERE state = 'offline'",
    )
    assert offline == [(at(180), at(401))]


TAMPER = """\
version: "1"
rules:
  - name: tamper
    title: Tampered with
    when: auxiliaries.tamper == 'on'
    severity: critical
    component: auxiliaries
    skill: security
    line: 2
    remedy: Call security.
  - {name: trial, shadow: true, title: On trial, when: auxiliaries.tamper == 'on', severity: minor,
     component: auxiliaries, skill: security, line: 2, remedy: Look.}
"""


async def test_a_fault_that_comes_again_at_the_instant_of_its_beginning_is_one(
    connection: Connection, tmp_path: Path
) -> None:
    """Its clock shows whole seconds, and the sensor went on, off and on within one."""
    (tmp_path / "rules.yaml").write_text(TAMPER)
    desk = Desk(connection, "region-01", catalogue.load(tmp_path))
    await desk.restore(at(0))
    desk.watch(at(0))
    on, off = ({"auxiliaries": {"tamper": said}} for said in ("on", "off"))
    said = [arrival(0, seq, 1, status=on if seq % 2 else off) for seq in range(1, 4)]
    await desk.commit(said[:2], at(1))
    await desk.commit(said[2:], at(2))
    for table in ("fault", "shadow_fault"):
        assert await rows(connection, f"SELECT started_at, cleared_at FROM {table}") == [
            (at(1), None)
        ]
    changes = await rows(connection, "SELECT change FROM fault_change ORDER BY id")
    assert changes == [("fired",), ("cleared",), ("fired",)]
    await desk.commit([arrival(0, 4, 5, status=off)], at(5))
    assert await rows(connection, "SELECT cleared_at FROM fault") == [(at(5),)]


ON_TRIAL = """
  - {name: jam, shadow: true, title: Jammed, when: cardReader.media == 'jammed', clear_for: 60s,
     caused_by: [tamper], severity: major, component: cardReader, skill: card, line: 2,
     remedy: Look.}
"""


async def test_who_speaks_for_a_fault_on_trial_survives_a_restart(
    connection: Connection, tmp_path: Path
) -> None:
    """A jam goes for a moment, and its cause for good, before and after a restart: when it is there
    again it would have been told."""
    (tmp_path / "rules.yaml").write_text(TAMPER + ON_TRIAL.lstrip("\n"))
    desk = Desk(connection, "region-01", catalogue.load(tmp_path))
    await desk.restore(at(0))
    desk.watch(at(0))
    story = ((1, "on", "jammed"), (5, "on", "notPresent"), (10, "off", "notPresent"))
    found = "SELECT alone, suppressed_by IS NULL FROM shadow_fault WHERE rule = 'jam'"
    for seq, (second, tamper, media) in enumerate((*story, (15, "off", "jammed")), start=1):
        await desk.restore(at(second))
        desk.watch(at(0))
        status = {"auxiliaries": {"tamper": tamper}, "cardReader": {"media": media}}
        await desk.commit([arrival(0, seq, second, status=status)], at(second))
        assert await rows(connection, found) == [(second == 15, second == 15)]
