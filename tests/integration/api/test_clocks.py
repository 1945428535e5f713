"""Service levels: shown in each ticket, a filter and an order, and escalated once."""

from collections.abc import Sequence
from datetime import timedelta
from functools import partial
from time import monotonic
from typing import Any

import httpx
import pytest
from psycopg import AsyncConnection, errors
from psycopg.rows import TupleRow

from api.tickets.clocks import watched
from api.tickets.engine import follow_causes
from api.tickets.watching import ClockWatch
from api.tickets.writing import Change, write
from tests.integration.api.conftest import SignIn
from tests.integration.api.test_scheduled import listening, tickets_are, until
from tests.integration.api.world import SomeFault, elsewhere, fire

Database = AsyncConnection[TupleRow]


@pytest.fixture
async def operations(connection: Database, sign_in: SignIn) -> httpx.AsyncClient:
    """Three tickets: 1 is fresh, 2 has waited 25 minutes of 30, 3 is foreign and long overdue."""
    client = await sign_in("ops")
    await listening(connection)
    for number, fault in enumerate(
        (SomeFault(), SomeFault(terminal="ATM-2"), elsewhere(SomeFault())), 1
    ):
        await fire(connection, fault)
        await until(partial(tickets_are, connection, *["ASSIGNED"] * number))
    await raised_ago(connection, 2, 25)
    await raised_ago(connection, 3, 600)
    return client


async def raised_ago(connection: Database, ticket: int, minutes: int) -> None:
    """Let a ticket have been raised so long ago, with all that happened to it."""
    for table, column, key in (
        ("ticket", "created_at", "id"),
        ("ticket_transition", "at", "ticket_id"),
    ):
        await connection.execute(
            f"UPDATE {table} SET {column} = now() - make_interval(mins => %s) WHERE {key} = %s",
            (minutes, ticket),
        )


async def ids(who: httpx.AsyncClient, query: str) -> list[int]:
    answer = await who.get(f"/api/v1/tickets?{query}")
    assert answer.status_code == 200, answer.text
    return [one["id"] for one in answer.json()["items"]]


async def escalated(connection: Database) -> list[tuple[Any, ...]]:
    async with connection.transaction():
        await ClockWatch().look(connection)
    cursor = await connection.execute(
        "SELECT ticket_id, reason, note FROM ticket_transition WHERE event = 'escalate' ORDER BY id"
    )
    return await cursor.fetchall()


async def test_each_ticket_shows_its_clocks(
    operations: httpx.AsyncClient, connection: Database
) -> None:
    """Targets of the default service level for `major`; due is raised plus target."""
    began = monotonic()
    await raised_ago(connection, 2, 25)
    ticket = (await operations.get("/api/v1/tickets/2")).json()
    took_s = monotonic() - began
    clocks = {one["clock"]: one for one in ticket["clocks"]}
    assert {name: one["target_minutes"] for name, one in clocks.items()} == {
        "response": 30,
        "arrival": 180,
        "restore": 480,
    }
    assert clocks["response"]["level"] == "warning"
    assert clocks["arrival"]["level"] == "ok"
    assert 1500 <= clocks["response"]["used_s"] <= 1501 + took_s


async def test_a_recovery_that_is_noticed_late_stops_the_clock_from_then_on(
    operations: httpx.AsyncClient, connection: Database
) -> None:
    """Gone twenty minutes before anybody saw it, and back: those are not counted."""
    await raised_ago(connection, 2, 25)
    await connection.execute("UPDATE ticket SET state = 'ACCEPTED', version = version + 1")
    await connection.execute(
        "UPDATE fault SET cleared_at = now() - interval '20 minutes' WHERE subject = 'ATM-2'"
    )

    async def noticed(*, well: bool) -> bool:  # the engine leaves what another run has just now
        await follow_causes(connection, timedelta(hours=1))
        ticket = (await operations.get("/api/v1/tickets/2")).json()
        return (ticket["recovered_at"] is not None) == well

    await until(partial(noticed, well=True))
    await fire(connection, SomeFault(terminal="ATM-2"))
    await until(partial(noticed, well=False))
    ticket = (await operations.get("/api/v1/tickets/2")).json()
    used_s = next(one["used_s"] for one in ticket["clocks"] if one["clock"] == "restore")
    assert used_s == pytest.approx(300, abs=60)


async def test_clocks_run_on_though_nothing_happens(operations: httpx.AsyncClient) -> None:
    first, second = [(await operations.get("/api/v1/tickets/1")).json()["clocks"] for _ in "12"]
    assert all(one["used_s"] < other["used_s"] for one, other in zip(first, second, strict=True))


async def test_what_is_due_first_comes_first_page_by_page(operations: httpx.AsyncClient) -> None:
    assert await ids(operations, "sort=due") == [3, 2, 1]
    assert await ids(operations, "sla=breached") == [3]
    assert await ids(operations, "sla=warning") == [2]
    first = (await operations.get("/api/v1/tickets?sort=due&limit=1")).json()
    assert await ids(operations, f"sort=due&limit=2&cursor={first['next']}") == [2, 1]
    refused = await operations.get("/api/v1/tickets?sort=due&open=false")
    assert refused.status_code == 422


async def test_what_changes_while_a_page_is_read_loses_no_other(
    operations: httpx.AsyncClient, connection: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Thousands of clocks take a while: the last of the page is accepted by then, and has no more
    warning. The next page goes on behind where it was."""
    await raised_ago(connection, 1, 24)

    async def meanwhile(*asked: Any) -> Any:
        found = await watched(*asked)
        await connection.execute(
            "INSERT INTO ticket_transition (ticket_id, event, from_state, to_state, actor, role)"
            " VALUES (2, 'accept', 'ASSIGNED', 'ACCEPTED', 'tech01', 'technician')"
        )
        return found

    with monkeypatch.context() as patched:
        patched.setattr("api.tickets.store.watched", meanwhile)
        first = (await operations.get("/api/v1/tickets?sla=warning&limit=1")).json()
    assert [one["id"] for one in first["items"]] == [2]
    assert await ids(operations, f"sla=warning&limit=1&cursor={first['next']}") == [1]


@pytest.mark.usefixtures("operations")
async def test_a_foreign_cells_clocks_are_not_seen(sign_in: SignIn) -> None:
    assert await ids(await sign_in("tech01"), "sort=due") == [2, 1]


@pytest.mark.usefixtures("operations")
async def test_a_level_reached_is_written_into_the_history_once(connection: Database) -> None:
    """However often it looks; and when the clock comes to its target, that is told as well."""
    before = await escalated(connection)
    assert before == [
        (2, "response warning", "for operations"),
        (3, "response breached", "for operations"),
        (3, "response breached", "for admin"),
        (3, "arrival breached", "for operations"),
        (3, "arrival breached", "for admin"),
        (3, "restore breached", "for operations"),
        (3, "restore breached", "for admin"),
    ]
    assert await escalated(connection) == before
    await raised_ago(connection, 2, 31)
    assert (await escalated(connection))[7:] == [(2, "response breached", "for admin")]


async def test_a_cells_own_promise_comes_before_the_general_one(
    operations: httpx.AsyncClient, connection: Database
) -> None:
    """D01 is promised more: its cells' tickets are due sooner, on a calendar of its own."""
    await connection.execute("INSERT INTO sla_calendar VALUES ('never', 'Europe/Berlin')")
    await connection.execute(
        "INSERT INTO sla (severity, cell_code, valid_from, calendar_code, response_minutes,"
        " arrival_minutes, restore_minutes) VALUES ('major', 'D01', '2001-01-01', 'never', 5, 6, 7)"
    )
    clocks = (await operations.get("/api/v1/tickets/1")).json()["clocks"]
    assert [(one["target_minutes"], one["used_s"], one["due_at"]) for one in clocks] == [
        (5, 0, None),
        (6, 0, None),
        (7, 0, None),
    ]
    foreign = (await operations.get("/api/v1/tickets/3")).json()["clocks"]
    assert foreign[0]["target_minutes"] == 30


@pytest.mark.parametrize(
    "written",
    [
        "UPDATE sla_calendar SET zone = 'Asia/Shanghi'",
        "INSERT INTO sla_calendar VALUES ('here', 'CST')",
        "UPDATE sla SET valid_from = '-infinity'",
        "INSERT INTO sla_holiday VALUES ('weekdays', 'infinity')",
    ],
)
async def test_a_promise_that_nobody_could_read_is_refused(
    operations: httpx.AsyncClient, connection: Database, written: str
) -> None:
    """Whoever corrects a calendar mistypes it: it stays as it was, and all tickets are read."""
    with pytest.raises(errors.CheckViolation):
        await connection.execute(written.encode())
    assert await ids(operations, "sort=due") == [3, 2, 1]


async def test_a_cell_that_comes_under_another_parent_changes_no_promise(
    operations: httpx.AsyncClient, connection: Database, sign_in: SignIn
) -> None:
    """C001 goes from D01 to D02 while T01 has a ticket in it, which keeps what D01 was promised;
    T01, who sees nothing of D01 any more, is told the same. One that comes after has D02's."""
    await connection.execute(
        "INSERT INTO sla (severity, cell_code, valid_from, calendar_code, response_minutes,"
        " arrival_minutes, restore_minutes) VALUES"
        " ('major', 'D01', '2001-01-01', 'always', 5, 6, 7),"
        " ('major', 'D02', '2001-01-01', 'always', 55, 66, 77)"
    )
    technician = await sign_in("tech01")

    async def promised(who: httpx.AsyncClient, ticket: int) -> list[int]:
        clocks = (await who.get(f"/api/v1/tickets/{ticket}")).json()["clocks"]
        return [one["target_minutes"] for one in clocks]

    assert await promised(technician, 1) == [5, 6, 7]
    await connection.execute("UPDATE cell SET parent_code = 'D02' WHERE code = 'C001'")
    assert [await promised(who, 1) for who in (operations, technician)] == [[5, 6, 7]] * 2
    await fire(connection, SomeFault(rule="of another kind"))
    await until(partial(tickets_are, connection, *["ASSIGNED"] * 4))
    assert [await promised(who, 4) for who in (operations, technician)] == [[55, 66, 77]] * 2


async def test_what_somebody_does_meanwhile_stays(
    operations: httpx.AsyncClient,
    connection: Database,
    sign_in: SignIn,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The desk and the admins are to hear that nobody accepted; just then the technician does."""
    del operations
    technician = await sign_in("tech01")
    await raised_ago(connection, 2, 31)
    meanwhile: list[Any] = []

    async def late(one: Database, changes: Sequence[Change]) -> Sequence[Change]:
        if not meanwhile and [change.before.id for change in changes].count(2) > 1:
            asked = {"event": "accept"}
            answer = await technician.post("/api/v1/tickets/2/transitions", json=asked)
            meanwhile.append(answer.json())
        return await write(one, changes)

    monkeypatch.setattr("api.tickets.watching.write", late)
    await escalated(connection)
    after = (await technician.get("/api/v1/tickets/2")).json()
    assert [one["state"] for one in (*meanwhile, after)] == ["ACCEPTED", "ACCEPTED"]
    assert [one["event"] for one in after["transitions"]] == ["raise", "assign", "accept"]


@pytest.mark.usefixtures("operations")
async def test_who_watches_looks_again_at_what_changed_and_at_other_promises(
    connection: Database,
) -> None:
    """One watch over all the time: what is quiet is not read, and nothing is missed for that."""
    watch = ClockWatch()

    async def told() -> list[tuple[Any, ...]]:
        async with connection.transaction():
            await watch.look(connection)
        cursor = await connection.execute(
            "SELECT ticket_id, reason FROM ticket_transition WHERE event = 'escalate' ORDER BY id"
        )
        return await cursor.fetchall()

    before = await told()
    assert (2, "response warning") in before
    assert await told() == before
    await raised_ago(connection, 1, 31)
    await connection.execute("UPDATE ticket SET version = version + 1 WHERE id = 1")
    after = await told()
    assert {one for one in after if one not in before} == {(1, "response breached")}
    await connection.execute(
        "INSERT INTO sla (severity, cell_code, valid_from, calendar_code, response_minutes,"
        " arrival_minutes, restore_minutes)"
        " VALUES ('major', 'D01', '2001-01-01', 'always', 20, 21, 1000)"
    )
    assert (2, "arrival breached") in await told()


async def test_the_whole_chain_is_told_of_a_breach_that_goes_on(
    operations: httpx.AsyncClient, connection: Database
) -> None:
    """Nobody accepts: of three in the chain each hears once, and is notified as a role."""
    del operations
    await connection.execute("UPDATE sla SET chain = '{operations,admin,tester}'")
    seen = []
    for minutes in (25, 31, 40, 200):
        await raised_ago(connection, 2, minutes)
        seen = [one[1:] for one in await escalated(connection) if one[0] == 2]
    assert [one for one in seen if one[0].startswith("response")] == [
        ("response warning", "for operations"),
        ("response breached", "for admin"),
        ("response breached", "for tester"),
    ]


async def test_the_clocks_of_a_ticket_that_got_worse_count_from_then(
    operations: httpx.AsyncClient, connection: Database
) -> None:
    """Raised 25 minutes ago as major, critical since just now: the 15 minutes of that are ahead,
    but the 30 of the major one are over first."""
    began = monotonic()
    await connection.execute(
        "INSERT INTO ticket_transition (ticket_id, event, from_state, to_state, actor, role,"
        " reason, severity_before)"
        " SELECT id, 'rate', state, state, 'engine', 'engine', 'major to critical', 'major'"
        " FROM ticket WHERE id = 2"
    )
    await connection.execute("UPDATE ticket SET severity = 'critical' WHERE id = 2")
    ticket = (await operations.get("/api/v1/tickets/2")).json()
    clocks = {one["clock"]: one for one in ticket["clocks"]}
    assert clocks["response"]["target_minutes"] == 30
    assert clocks["response"]["used_s"] >= 1500
    restore = await connection.execute(
        "SELECT restore_minutes FROM sla WHERE severity = 'critical' AND cell_code IS NULL"
    )
    row = await restore.fetchone()
    assert row is not None
    assert clocks["restore"]["target_minutes"] == row[0] < 480
    assert clocks["restore"]["used_s"] <= 1 + monotonic() - began
