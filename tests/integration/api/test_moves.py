"""Moving tickets over HTTP: who may, what is refused, what is written."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from functools import partial
from typing import Any

import httpx
import pytest
from psycopg import AsyncConnection
from psycopg.rows import TupleRow, dict_row

from api.scheduled import lock_key
from api.tickets.engine import follow_causes, take_back
from fleet.db.pool import connect
from fleet.tickets.lifecycle import Event, Role
from fleet.tickets.ticket import State
from tests.integration.api.conftest import SignIn
from tests.integration.api.test_raising import until_blocked
from tests.integration.api.test_scheduled import listening, states, tickets_are, until
from tests.integration.api.world import SomeFault, clear, fire
from tests.unit.test_tickets import EXPECTED

Database = AsyncConnection[TupleRow]
USERS = {
    Role.TECHNICIAN: "tech01",
    Role.OPERATIONS: "ops",
    Role.ADMIN: "admin",
    Role.TESTER: "tester",
}
DONE = {"cause": "jam", "action": "cleared", "parts_used": ["rollers"]}
EVERYTHING: dict[str, Any] = {
    "reason": "parts",
    "note": "as agreed",
    "technician": "T02",
    "parent": 2,
} | DONE

OFFERED = ["assign", "hand_over", "cancel", "merge"]


@pytest.fixture
async def people(sign_in: SignIn) -> dict[Role, httpx.AsyncClient]:
    """One of each role; the technician is T01, who has the ticket."""
    return {role: await sign_in(username) for role, username in USERS.items()}


@pytest.fixture
async def ticket(connection: Database, people: dict[Role, httpx.AsyncClient]) -> int:
    """A ticket assigned to T01, number 1; number 2 is another one, to merge into."""
    assert people
    await listening(connection)
    for number, terminal in enumerate(("ATM-1", "ATM-2"), 1):
        await fire(connection, SomeFault(terminal=terminal))
        await until(partial(tickets_are, connection, *["ASSIGNED"] * number))
    return 1


@pytest.fixture
async def engine_elsewhere(ticket: int, database_url: str) -> AsyncIterator[None]:
    """From here on the engine does nothing."""
    assert ticket
    async with engine_away(database_url):
        yield


@asynccontextmanager
async def engine_away(database_url: str) -> AsyncIterator[None]:
    """The engine does nothing: it believes that another process does."""
    async with await connect(database_url, name="elsewhere", autocommit=True) as holder:
        await holder.execute("SELECT pg_advisory_lock(%s)", (lock_key("follow_faults"),))
        yield


async def move(who: httpx.AsyncClient, ticket: int, event: str, **said: Any) -> httpx.Response:
    return await who.post(f"/api/v1/tickets/{ticket}/transitions", json={"event": event, **said})


async def stored(connection: Database, ticket: int) -> tuple[dict[str, Any], int]:
    """The ticket's row, and how many transitions it has."""
    async with connection.cursor(row_factory=dict_row) as cursor:
        await cursor.execute("SELECT * FROM ticket WHERE id = %s", (ticket,))
        row = await cursor.fetchone()
    assert row is not None
    counted = await connection.execute(
        "SELECT count(*) FROM ticket_transition WHERE ticket_id = %s", (ticket,)
    )
    [(count,)] = await counted.fetchall()
    return row, count


async def put(connection: Database, ticket: int, state: State) -> None:
    """Leave the ticket in a state, recovered, and if held, then while accepted."""
    await connection.execute(
        "UPDATE ticket SET state = %(state)s, technician_id = 1, parent_id = NULL,"
        " recovered_at = now(), pinned = false,"
        " resolved_at = CASE WHEN %(state)s = 'RESOLVED' THEN now() - interval '1 day' END"
        " WHERE id = %(id)s",
        {"state": state, "id": ticket},
    )


async def test_the_main_path_is_written_down(
    people: dict[Role, httpx.AsyncClient], ticket: int
) -> None:
    """Accept, travel, arrive, wait for a part, go on, resolve: who, when, why is all there."""
    technician = people[Role.TECHNICIAN]
    await move(technician, ticket, "accept", device_at="2026-11-23T16:05:00+08:00")
    for event in ("depart", "arrive"):
        await move(technician, ticket, event)
    await move(technician, ticket, "hold", reason="parts", note="feeder module")
    await move(technician, ticket, "resume")
    missing = await move(technician, ticket, "resolve", note="card removed")
    assert missing.json()["errors"][0]["field"] == "body.action"
    here = {"latitude": 30.27, "longitude": 120.15}
    answer = await move(technician, ticket, "resolve", note="card removed", position=here, **DONE)
    assert answer.status_code == 200
    detail = answer.json()
    assert (detail["state"], detail["technician"]) == ("RESOLVED", "T01")
    steps = detail["transitions"]
    assert [one["event"] for one in steps] == [
        "raise",
        "assign",
        "accept",
        "depart",
        "arrive",
        "hold",
        "resume",
        "resolve",
    ]
    assert [one["from_state"] for one in steps[1:]] == [one["to_state"] for one in steps[:-1]]
    assert (steps[1]["actor"], steps[1]["technician"]) == ("engine", "T01")
    assert (steps[2]["actor"], steps[2]["role"]) == ("tech01", "technician")
    assert steps[2]["device_at"] == "2026-11-23T08:05:00Z"
    assert (steps[5]["reason"], steps[5]["note"]) == ("parts", "feeder module")
    assert steps[6]["to_state"] == "ON_SITE"
    assert {name: steps[7][name] for name in DONE} == DONE
    assert {name: steps[7][name] for name in here} == here


@pytest.mark.usefixtures("engine_elsewhere")
async def test_every_state_role_and_event(
    people: dict[Role, httpx.AsyncClient], ticket: int, connection: Database
) -> None:
    """Exactly the moves of the lifecycle happen; the rest is 409 or 403 and writes nothing.

    A refusal for the state says what is allowed instead. A decline is noted, and that it was told.
    """
    await connection.execute(
        "INSERT INTO ticket_transition (ticket_id, event, from_state, to_state, actor, role)"
        " VALUES (%s, 'hold', 'ACCEPTED', 'ON_HOLD', 'test', 'admin')",
        (ticket,),
    )
    for state in State:
        for role, person in people.items():
            may = EXPECTED[state].get(Role.OPERATIONS if role is Role.ADMIN else role, set())
            for event in Event:
                await put(connection, ticket, state)
                before = await stored(connection, ticket)
                answer = await move(person, ticket, event, **EVERYTHING)
                story = f"{role} {event} in {state}: {answer.text}"
                row, count = await stored(connection, ticket)
                if event in may:
                    assert answer.status_code == 200, story
                    steps = 2 if event is Event.DECLINE else 1
                    after = (before[0]["version"] + steps, before[1] + steps)
                    assert (row["version"], count) == after
                else:
                    assert answer.status_code in (403, 409), story
                    assert (row, count) == before, story
                if answer.status_code == 409:
                    assert set(answer.json()["allowed"]) == may, story


async def test_a_ticket_offers_what_its_reader_may_do(
    people: dict[Role, httpx.AsyncClient], sign_in: SignIn, ticket: int
) -> None:
    """The same ticket says different things to different people."""

    async def offered(who: httpx.AsyncClient) -> list[str]:
        allowed: list[str] = (await who.get(f"/api/v1/tickets/{ticket}")).json()["allowed"]
        return allowed

    assert await offered(people[Role.TECHNICIAN]) == ["decline", "accept", "hand_over"]
    assert await offered(people[Role.OPERATIONS]) == OFFERED
    assert await offered(people[Role.TESTER]) == []
    assert await offered(await sign_in("tech02")) == []


async def test_another_technician_of_the_cell_may_look_but_not_touch(
    sign_in: SignIn, ticket: int, connection: Database
) -> None:
    """T02 answers for the district and sees the ticket; it is T01's."""
    before = await stored(connection, ticket)
    answer = await move(await sign_in("tech02"), ticket, "accept")
    assert answer.status_code == 403
    assert await stored(connection, ticket) == before


async def test_outside_ones_cells_there_is_no_ticket(
    sign_in: SignIn, ticket: int, connection: Database
) -> None:
    """T03 answers for another district: the ticket does not exist for them."""
    before = await stored(connection, ticket)
    answer = await move(await sign_in("tech03"), ticket, "accept")
    assert answer.status_code == 404
    assert await stored(connection, ticket) == before


async def test_a_declined_ticket_goes_to_somebody_else(
    people: dict[Role, httpx.AsyncClient], ticket: int, connection: Database
) -> None:
    """T01 is nearest but has said no: the one for the district is sent."""
    answer = await move(people[Role.TECHNICIAN], ticket, "decline", reason="other work")
    assert answer.json()["state"] == "NEW"

    async def reassigned() -> bool:
        row, _ = await stored(connection, ticket)
        return bool(row["state"] == "ASSIGNED" and row["technician_id"] == 2)

    await until(reassigned)


async def test_only_who_can_do_it_is_given_it(
    people: dict[Role, httpx.AsyncClient], ticket: int, connection: Database
) -> None:
    """Operations names somebody without the cell, or who does not exist: refused, and why."""
    before = await stored(connection, ticket)
    operations = people[Role.OPERATIONS]
    elsewhere = await move(operations, ticket, "assign", technician="T03")
    assert (elsewhere.status_code, elsewhere.json()["allowed"]) == (
        409,
        OFFERED,
    )
    unknown = await move(operations, ticket, "assign", technician="T99")
    assert unknown.status_code == 422
    assert unknown.json()["errors"][0]["field"] == "body.technician"
    assert await stored(connection, ticket) == before
    given = await move(operations, ticket, "assign", technician="T02")
    assert given.json()["technician"] == "T02"


@pytest.mark.usefixtures("engine_elsewhere")
async def test_before_the_verify_window_ends_nobody_closes(
    people: dict[Role, httpx.AsyncClient], ticket: int, connection: Database
) -> None:
    """Resolved just now and well again: operations wait as the engine does."""
    await put(connection, ticket, State.RESOLVED)
    await connection.execute("UPDATE ticket SET resolved_at = now() WHERE id = %s", (ticket,))
    operations = people[Role.OPERATIONS]
    seen = (await operations.get(f"/api/v1/tickets/{ticket}")).json()
    assert "close" not in seen["allowed"]
    refused = await move(operations, ticket, "close")
    assert (refused.status_code, refused.json()["allowed"]) == (409, seen["allowed"])
    assert "verify window" in refused.json()["detail"]


@pytest.mark.usefixtures("engine_elsewhere")
async def test_a_decline_is_told_to_the_first_of_the_chain(
    people: dict[Role, httpx.AsyncClient], ticket: int
) -> None:
    """Who does not go is written down, and who is to hear of it."""
    answer = await move(people[Role.TECHNICIAN], ticket, "decline", reason="other work")
    *_, declined, told = answer.json()["transitions"]
    assert (declined["event"], declined["reason"]) == ("decline", "other work")
    assert (told["event"], told["reason"], told["note"]) == (
        *("escalate", "declined", "for operations"),
    )


@pytest.mark.usefixtures("engine_elsewhere")
async def test_branch_staff_hand_over_to_an_engineer(
    people: dict[Role, httpx.AsyncClient], ticket: int, connection: Database
) -> None:
    """What the rule took for the first line's work is not: it is the second line's, and new."""
    await connection.execute("UPDATE ticket SET line = 1, state = 'ON_SITE' WHERE id = 1")
    technician = people[Role.TECHNICIAN]
    answer = await move(technician, ticket, "hand_over", reason="the drive is broken")
    handed = answer.json()
    assert (handed["state"], handed["line"], handed["technician"]) == ("NEW", 2, None)
    assert handed["transitions"][-1]["reason"] == "the drive is broken"


BY_HAND: dict[str, Any] = {
    "terminal": "ATM-3",
    "component": "terminal",
    "title": "The screen is scratched",
    "severity": "minor",
    "skill": "card",
    "line": 2,
    "note": "The branch called",
}


async def test_operations_raise_tickets_by_hand(
    people: dict[Role, httpx.AsyncClient], ticket: int, connection: Database
) -> None:
    """Of what no telemetry tells: somebody is sent, there is one a cause, and people end it."""
    assert ticket
    operations = people[Role.OPERATIONS]
    answer = await operations.post("/api/v1/tickets", json=BY_HAND)
    assert answer.status_code == 200, answer.text
    raised = answer.json()
    assert (raised["state"], raised["fault_id"], raised["cell"]) == ("NEW", None, "C002")
    assert (raised["rule"], raised["transitions"][0]["actor"]) == ("by_hand", "ops")
    again = await operations.post("/api/v1/tickets", json=BY_HAND)
    assert again.status_code == 409
    assert f"ticket {raised['id']} " in again.json()["detail"]

    async def sent() -> bool:
        return bool((await stored(connection, raised["id"]))[0]["state"] == "ASSIGNED")

    await until(sent)
    await put(connection, raised["id"], State.ON_SITE)
    await connection.execute("UPDATE ticket SET recovered_at = NULL WHERE fault_id IS NULL")
    done = await move(people[Role.TECHNICIAN], raised["id"], "resolve", **DONE)
    assert done.status_code == 404, "T01 does not answer for that cell"
    await connection.execute(
        "UPDATE ticket SET state = 'RESOLVED', resolved_at = now() - interval '1 day'"
        " WHERE id = %s",
        (raised["id"],),
    )
    await fire(connection, SomeFault(item="wakes the engine"))

    async def closed() -> bool:
        return bool((await stored(connection, raised["id"]))[0]["state"] == "CLOSED")

    await until(closed)
    later = await operations.post("/api/v1/tickets", json=BY_HAND)
    assert later.json()["previous_id"] == raised["id"]


async def test_a_warning_gets_a_ticket_when_operations_want_one(
    people: dict[Role, httpx.AsyncClient], ticket: int, connection: Database
) -> None:
    """A fault that raises none by itself; asked for twice, there is one."""
    assert ticket
    fault = await fire(connection, SomeFault(item="x", severity="warning"))
    operations = people[Role.OPERATIONS]
    answer = await operations.post("/api/v1/tickets", json={"fault": str(fault)})
    assert (answer.status_code, answer.json()["severity"]) == (200, "warning")
    again = await operations.post("/api/v1/tickets", json={"fault": str(fault)})
    assert again.status_code == 409
    await clear(connection, fault)

    async def resolved() -> bool:
        row, _ = await stored(connection, answer.json()["id"])
        return bool(row["state"] == "RESOLVED")

    await until(resolved)


WRONG_BY_HAND: list[tuple[dict[str, Any], str]] = [
    ({"terminal": "ATM-99"}, "there is no terminal ATM-99"),
    ({"fault": "0d9fca52-57d6-4a4f-8b8a-3f4f4bb1a0c1"}, "the fault says"),
    ({"cell": "C001"}, "name one of"),
    ({"title": None}, "title is needed"),
    ({"skill": "magic"}, "should be one of"),
    ({"line": 3}, "body.line"),
]


async def test_what_is_raised_by_hand_is_whole(people: dict[Role, httpx.AsyncClient]) -> None:
    """Nobody but operations raises; what is missing or unknown is named."""
    refused = await people[Role.TECHNICIAN].post("/api/v1/tickets", json=BY_HAND)
    assert refused.status_code == 403
    for changed, words in WRONG_BY_HAND:
        body = BY_HAND | changed
        if "fault" in changed:
            del body["terminal"]
        answer = await people[Role.OPERATIONS].post("/api/v1/tickets", json=body)
        assert answer.status_code == 422, body
        assert words in answer.json()["detail"], answer.text


@pytest.mark.parametrize("parent", [1, 4711])
async def test_a_ticket_merges_only_into_another_live_one(
    people: dict[Role, httpx.AsyncClient], ticket: int, parent: int
) -> None:
    """Not into itself, not into one that is not there."""
    answer = await move(
        people[Role.OPERATIONS], ticket, "merge", parent=parent, reason="same cause"
    )
    assert answer.status_code == 422
    assert answer.json()["errors"][0]["field"] == "body.parent"


@pytest.mark.usefixtures("engine_elsewhere")
async def test_two_merged_into_each_other_at_once_do_not_block(
    people: dict[Role, httpx.AsyncClient], ticket: int, connection: Database, database_url: str
) -> None:
    """Whoever merges 2 into 1 and waits for 1 does not hold 2 already."""
    operations = people[Role.OPERATIONS]
    async with await connect(database_url, name="other") as other:
        await other.execute("SELECT FROM ticket WHERE id = %s FOR UPDATE", (ticket,))
        merging = asyncio.create_task(
            move(operations, 2, "merge", parent=ticket, reason="same cause")
        )
        await until_blocked(connection)
        await other.execute("SELECT FROM ticket WHERE id = 2 FOR UPDATE NOWAIT")
    assert (await merging).status_code == 200


@pytest.mark.usefixtures("engine_elsewhere")
async def test_the_engine_does_not_block_somebody_who_moves_two_tickets(
    people: dict[Role, httpx.AsyncClient], ticket: int, connection: Database, database_url: str
) -> None:
    """It has written 2, which is well again, and comes to 1, which nobody accepted; operations hold
    that one and wait for 2, to merge into it."""
    await connection.execute("UPDATE fault SET cleared_at = now() WHERE subject = 'ATM-2'")
    async with await connect(database_url, name="engine") as engine:
        assert await follow_causes(engine, timedelta(hours=1)) == 1
        merging = asyncio.create_task(
            move(people[Role.OPERATIONS], ticket, "merge", parent=2, reason="same cause")
        )
        await until_blocked(connection)
        await take_back(engine, timedelta())
        await engine.commit()
        assert (await merging).status_code == 200
    assert await tickets_are(connection, "MERGED", "RESOLVED")


@pytest.mark.usefixtures("engine_elsewhere")
async def test_dispatch_does_not_block_somebody_who_moves_two_tickets(
    people: dict[Role, httpx.AsyncClient], ticket: int, connection: Database, database_url: str
) -> None:
    """It has given 2 to somebody, and notes that there is nobody for 1; operations hold that one
    and wait for 2, to merge into it."""
    async with await connect(database_url, name="engine") as engine:
        await engine.execute("SELECT FROM ticket WHERE id = 2 FOR NO KEY UPDATE")
        merging = asyncio.create_task(
            move(people[Role.OPERATIONS], ticket, "merge", parent=2, reason="same cause")
        )
        await until_blocked(connection)
        await engine.execute(
            "INSERT INTO dispatch_choice (ticket_id, actor, reason, considered)"
            " VALUES (%s, 'engine', 'nobody', '{}')",
            (ticket,),
        )
        await engine.commit()
        assert (await merging).status_code == 200


async def test_many_merged_at_once_do_not_block_one_that_is_merged_into_the_same(
    people: dict[Role, httpx.AsyncClient], ticket: int, connection: Database, database_url: str
) -> None:
    """1 and 2 into 3, and somebody else 2 into 3: who waits for 2 does not hold 3 already."""
    await fire(connection, SomeFault(item="third"))
    await until(lambda: tickets_are(connection, *["ASSIGNED"] * 3))
    asked = {"event": "merge", "parent": 3, "reason": "same cause"}
    async with (
        engine_away(database_url),
        await connect(database_url, name="other") as other,
    ):
        await other.execute("SELECT FROM ticket WHERE id = 2 FOR UPDATE")
        merging = asyncio.create_task(
            people[Role.OPERATIONS].post(
                "/api/v1/tickets/bulk", json={"ids": [ticket, 2], "move": asked}
            )
        )
        await until_blocked(connection)
        await other.execute("SELECT FROM ticket WHERE id = 3 FOR UPDATE NOWAIT")
        await other.rollback()
        answer = await merging
    assert [one["moved"] for one in answer.json()["items"]] == [True, True]


async def test_merged_by_hand_the_parent_speaks_for_it(
    people: dict[Role, httpx.AsyncClient], ticket: int, connection: Database
) -> None:
    """The fault is still open, and raises no other ticket while its parent is live."""
    operations = people[Role.OPERATIONS]
    answer = await move(operations, ticket, "merge", parent=2, reason="same cause")
    assert (answer.json()["state"], answer.json()["parent_id"]) == ("MERGED", 2)
    await fire(connection, SomeFault(item="later"))

    async def later() -> bool:
        return await tickets_are(connection, "MERGED", "ASSIGNED", "ASSIGNED")

    await until(later)
    await move(operations, 2, "cancel", reason="by mistake")

    async def spoken_for_no_longer() -> bool:
        return await tickets_are(connection, "MERGED", "CANCELLED", "ASSIGNED", "ASSIGNED")

    await until(spoken_for_no_longer)


async def test_merged_on_and_on_the_last_of_them_speaks_for_all(
    people: dict[Role, httpx.AsyncClient], ticket: int, connection: Database
) -> None:
    """1 goes into 2, and 2 into 3: nobody is sent to 1 anew, until 3 is no more."""
    operations = people[Role.OPERATIONS]
    await fire(connection, SomeFault(item="third"))
    await until(lambda: tickets_are(connection, *["ASSIGNED"] * 3))
    await move(operations, ticket, "merge", parent=2, reason="same cause")
    await move(operations, 2, "merge", parent=3, reason="same cause")
    await fire(connection, SomeFault(item="later"))

    async def later() -> bool:
        return "ASSIGNED" in (await states(connection))[3:]

    await until(later)
    assert await tickets_are(connection, "MERGED", "MERGED", "ASSIGNED", "ASSIGNED")
    await move(operations, 3, "cancel", reason="by mistake")
    ended = ("MERGED", "MERGED", "CANCELLED", "ASSIGNED")
    await until(lambda: tickets_are(connection, *ended, "ASSIGNED", "ASSIGNED"))


WRONG: list[tuple[dict[str, str], str]] = [
    ({}, "body.event"),
    ({"event": "explode"}, "body.event"),
    ({"event": "decline"}, "body.reason"),
    ({"event": "decline", "reason": "  "}, "body.reason"),
    ({"event": "accept", "device_at": "2026-11-23T16:05:00"}, "body.device_at"),
    ({"event": "accept", "device_at": "0001-01-01T00:00:00+14:00"}, "body.device_at"),
    ({"event": "accept", "device_at": "9999-12-31T23:59:59-14:00"}, "body.device_at"),
    ({"event": "accept", "colour": "red"}, "body.colour"),
]


async def test_what_is_wrong_is_named(people: dict[Role, httpx.AsyncClient], ticket: int) -> None:
    """A missing event, an unknown one, a missing reason, a time without offset, a stray word."""
    url = f"/api/v1/tickets/{ticket}/transitions"
    for body, field in WRONG:
        answer = await people[Role.TECHNICIAN].post(url, json=body)
        assert answer.status_code == 422, body
        assert [error["field"] for error in answer.json()["errors"]] == [field], body
        assert answer.headers["Content-Type"] == "application/problem+json"
