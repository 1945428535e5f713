"""Dispatch on a real database: why somebody is sent, what moves, what stays, and a day's plan."""

from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any

import httpx
import pytest
from psycopg import AsyncConnection
from psycopg.rows import TupleRow

from api.dispatch.assigning import send_technicians
from api.dispatch.people import anything_new, people
from api.tickets.engine import Patience, follow_faults
from fleet.db.pool import connect
from tests.integration.api.conftest import SignIn
from tests.integration.api.test_scheduled import listening, tickets_are, until
from tests.integration.api.world import SomeFault, clear, fire

Database = AsyncConnection[TupleRow]
HOUR = timedelta(hours=1)
PATIENCE = Patience(HOUR, HOUR)


async def engine(connection: Database) -> None:
    """One run of the engine."""
    async with connection.transaction():
        await follow_faults(connection, PATIENCE)


async def sent(connection: Database) -> list[str | None]:
    """Who has which ticket, in the order of tickets."""
    cursor = await connection.execute("SELECT technician FROM ticket_card ORDER BY id")
    return [row[0] for row in await cursor.fetchall()]


async def two_of_a_cell(connection: Database) -> None:
    """T02 answers for cell C001 itself too, and every terminal is a site of its own."""
    await connection.execute(
        "INSERT INTO technician_cell SELECT id, 'C001' FROM technician WHERE code = 'T02'"
    )
    await connection.execute("UPDATE terminal SET site = code")


async def at(connection: Database, technician: str, latitude: float) -> None:
    """A technician's device says where they are."""
    await connection.execute(
        "INSERT INTO technician_position SELECT id, %s, 120.0, now() FROM technician"
        " WHERE code = %s ON CONFLICT (technician_id) DO UPDATE SET latitude = excluded.latitude",
        (latitude, technician),
    )


async def test_what_nobody_accepted_moves_to_whoever_is_better_placed(
    connection: Database,
) -> None:
    """T01 is far away, T02 comes into the street: the ticket is T02's; accepted, it stays."""
    await two_of_a_cell(connection)
    await at(connection, "T01", 30.1)
    await at(connection, "T02", 30.3)
    await fire(connection)
    await engine(connection)
    assert await sent(connection) == ["T01"]
    await at(connection, "T02", 30.0)
    await engine(connection)
    assert await sent(connection) == ["T02"]
    await connection.execute("UPDATE ticket SET state = 'ACCEPTED', version = version + 1")
    await at(connection, "T01", 30.0)
    await at(connection, "T02", 30.3)
    await engine(connection)
    assert await sent(connection) == ["T02"]


async def test_what_was_accepted_while_dispatch_chose_is_not_said_to_have_been_given_away(
    connection: Database, database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """T01 accepts while the engine still reckons that T02 suits better."""
    await two_of_a_cell(connection)
    await fire(connection)
    await engine(connection)
    before = await chosen(connection)
    [holder] = await sent(connection)
    nearer = "T02" if holder == "T01" else "T01"
    await at(connection, str(holder), 30.3)
    await at(connection, nearer, 30.0)

    async def meanwhile(*asked: Any) -> Any:
        found = await people(*asked)
        async with await connect(database_url, name="phone", autocommit=True) as phone:
            await phone.execute("UPDATE ticket SET state = 'ACCEPTED', version = version + 1")
        return found

    monkeypatch.setattr("api.dispatch.assigning.people", meanwhile)
    await engine(connection)
    assert await sent(connection) == [holder]
    assert await chosen(connection) == before == [holder]


async def chosen(connection: Database) -> list[str]:
    """Whom dispatch says that it sent, one after the other."""
    cursor = await connection.execute(
        "SELECT technician.code FROM dispatch_choice AS choice"
        " JOIN technician ON technician.id = choice.technician_id ORDER BY choice.id"
    )
    return [code for (code,) in await cursor.fetchall()]


async def test_with_nothing_new_it_does_not_look_again(connection: Database) -> None:
    """A ticket that was tampered with behind its back stays so until something changes."""
    await two_of_a_cell(connection)
    await fire(connection)
    await engine(connection)
    await engine(connection)
    looked = await (await connection.execute("SELECT seen, at FROM dispatch_look")).fetchone()
    await engine(connection)
    again = await (await connection.execute("SELECT seen, at FROM dispatch_look")).fetchone()
    assert again == looked


async def test_another_skill_of_a_terminal_and_another_promise_are_looked_at_at_once(
    connection: Database,
) -> None:
    """T01 knows no printers: what is to do where one is needed by now is T02's in the same run."""
    await fire(connection)
    await engine(connection)
    assert await sent(connection) == ["T01"]
    await connection.execute("UPDATE terminal SET skills = '{printer}' WHERE code = 'ATM-1'")
    await engine(connection)
    assert await sent(connection) == ["T02"]
    async with connection.transaction():
        await anything_new(connection)
        assert not await anything_new(connection)
        await connection.execute("UPDATE sla SET arrival_minutes = arrival_minutes + 1")
        assert await anything_new(connection)


async def test_absences_that_are_over_are_not_looked_at(connection: Database) -> None:
    """After years there are thousands of them; of one that is to come dispatch hears at once."""
    absence = (
        "INSERT INTO technician_absence (technician_id, begins_at, ends_at, reason, author)"
        " SELECT id, now() + %s, now() + %s + interval '1 hour', 'leave', 'ops' FROM technician"
    )
    for begins, new in ((timedelta(days=-9), False), (timedelta(days=9), True)):
        async with connection.transaction():
            await anything_new(connection)
            await connection.execute(absence, (begins, begins))
            assert await anything_new(connection) is new


async def test_what_is_committed_after_something_later_is_looked_at(
    connection: Database, database_url: str
) -> None:
    """Two tickets are raised side by side, and the one that began first is committed last."""
    async with await connect(database_url, name="slow") as slow:
        await slow.execute(_RAISED, {"terminal": "ATM-1"})
        await connection.execute(_RAISED, {"terminal": "ATM-2"})
        for _ in range(2):  # it looks again at what it did itself
            await engine(connection)
        assert await sent(connection) == ["T01"]
        await slow.commit()
    await engine(connection)
    assert await sent(connection) == ["T01", "T01"]


async def test_what_somebody_kept_and_did_not_move_is_given_out_at_the_next_look(
    connection: Database, database_url: str
) -> None:
    """A move of it is refused while the engine looks, so nothing of it is new afterwards; that its
    terminal is in another cell now is not forgotten either. A remark keeps nobody waiting."""
    await connection.execute(_RAISED, {"terminal": "ATM-1"})
    async with await connect(database_url, name="phone") as phone:
        await phone.execute("SELECT FROM ticket FOR UPDATE")
        await engine(connection)
        assert await sent(connection) == [None]
        await phone.rollback()
        await engine(connection)
        assert await sent(connection) == ["T01"]
        await phone.execute(
            "UPDATE terminal_cell SET cell_code = 'C003' FROM terminal"
            " WHERE terminal.id = terminal_id AND terminal.code = 'ATM-1'"
        )
        await phone.execute("UPDATE ticket SET version = version + 1")
        await phone.commit()
        await phone.execute("SELECT FROM ticket FOR UPDATE")
        await engine(connection)
        assert await sent(connection) == ["T01"]
        await phone.rollback()
        await phone.execute(
            "INSERT INTO ticket_remark (ticket_id, kind, text, author)"
            " VALUES (1, 'comment', 'The branch opens at nine', 'ops')"
        )
        await engine(connection)
    assert await sent(connection) == ["T03"]


_RAISED = """
    WITH raised AS (
        INSERT INTO ticket (scope, subject, rule, item, terminal_id, cell_code, severity, component,
            title, remedy, skill, line)
        SELECT 'terminal', code, 'by_hand', 'cardReader', id, 'C001', 'major', 'cardReader', 'Jam',
            '', 'card', 2
        FROM terminal WHERE code = %(terminal)s
        RETURNING id)
    INSERT INTO ticket_transition (ticket_id, event, to_state, actor, role)
    SELECT id, 'raise', 'NEW', 'ops', 'operations' FROM raised
"""


async def test_nobody_whose_account_is_disabled_is_sent(
    connection: Database, operations: httpx.AsyncClient, sign_in: SignIn
) -> None:
    """T01 has left the bank: what they had not accepted goes to T02, and so does what comes."""
    await fire(connection, SomeFault())
    await until(partial(tickets_are, connection, "ASSIGNED"))
    assert await sent(connection) == ["T01"]
    admin = await sign_in("admin")
    await admin.patch("/api/v1/accounts/tech01", json={"disabled": True})
    await fire(connection, SomeFault(terminal="ATM-2"))
    await until(partial(tickets_are, connection, "ASSIGNED", "ASSIGNED"))
    assert await sent(connection) == ["T02", "T02"]
    refused = await move(operations, 1, "assign", technician="T01")
    assert refused.status_code == 409
    choice = (await operations.get("/api/v1/tickets/2/dispatch")).json()["items"][0]
    assert choice["candidates"][0]["against"] == ["has an account that is disabled"]
    shown = (await (await sign_in("tech02")).get("/api/v1/technicians/T01")).json()
    assert shown["on_shift"] is False
    await admin.patch("/api/v1/accounts/tech01", json={"disabled": False})
    await fire(connection, SomeFault(item="later"))
    await until(partial(tickets_are, connection, *["ASSIGNED"] * 3))
    assert (await sent(connection))[2] == "T01"


async def test_operations_hear_of_what_was_accepted_by_whoever_has_no_account_any_more(
    connection: Database, operations: httpx.AsyncClient, sign_in: SignIn
) -> None:
    """T01 is on the way and leaves the bank: escalated once, and given to T02. Where the account is
    enabled in between, and disabled again, it is once more."""
    await fire(connection, SomeFault())
    await until(partial(tickets_are, connection, "ASSIGNED"))
    for event in ("accept", "depart"):
        assert (await move(await sign_in("tech01"), 1, event)).status_code == 200
    admin = await sign_in("admin")
    await admin.patch("/api/v1/accounts/tech01", json={"disabled": True})
    for _ in range(2):
        await engine(connection)
    detail = (await operations.get("/api/v1/tickets/1")).json()
    told = [one for one in detail["transitions"] if one["event"] == "escalate"]
    assert [(one["reason"], one["note"]) for one in told] == [
        ("account disabled", "for operations")
    ]
    assert (detail["state"], detail["technician"]) == ("EN_ROUTE", "T01")
    for disabled in (False, True):
        await admin.patch("/api/v1/accounts/tech01", json={"disabled": disabled})
        for _ in range(2):
            await engine(connection)
    again = (await operations.get("/api/v1/tickets/1")).json()["transitions"]
    assert [one["event"] for one in again].count("escalate") == 2
    found = (await operations.get("/api/v1/tickets?technician=T01&open=true")).json()["items"]
    assert [one["id"] for one in found] == [1]
    given = await move(operations, 1, "assign", technician="T02", reason="left")
    assert (given.status_code, given.json()["technician"]) == (200, "T02")


async def test_operations_hear_of_what_was_accepted_by_whoever_is_absent_by_now(
    connection: Database, operations: httpx.AsyncClient, sign_in: SignIn
) -> None:
    """T01 is on the way and reports sick from this morning on: escalated once. Of a leave
    that is to come, nothing yet."""
    await fire(connection, SomeFault())
    await until(partial(tickets_are, connection, "ASSIGNED"))
    for event in ("accept", "depart"):
        assert (await move(await sign_in("tech01"), 1, event)).status_code == 200
    now = datetime.now(UTC)

    async def away(begin: datetime) -> None:
        asked = {"from": begin.isoformat(), "to": (begin + 24 * HOUR).isoformat()}
        path = "/api/v1/technicians/T01/absences"
        answer = await operations.post(path, json=asked | {"reason": "sick"})
        assert answer.is_success, answer.text
        for _ in range(2):
            await engine(connection)

    async def told() -> list[tuple[str, str]]:
        steps = (await operations.get("/api/v1/tickets/1")).json()["transitions"]
        return [(one["reason"], one["note"]) for one in steps if one["event"] == "escalate"]

    await away(now + HOUR)
    assert await told() == []
    await away(now - HOUR)
    assert await told() == [("absent", "for operations")]
    # Two days later, of a leave that had begun before the first one ended.
    await connection.execute(
        "UPDATE technician_absence SET begins_at = now() - interval '3 days',"
        " ends_at = now() - interval '1 hour' WHERE begins_at < now()"
    )
    await connection.execute("UPDATE ticket_transition SET at = at - interval '2 days'")
    await away(now - 20 * HOUR)
    assert await told() == [("absent", "for operations")]
    detail = (await operations.get("/api/v1/tickets/1")).json()
    assert (detail["state"], detail["technician"]) == ("EN_ROUTE", "T01")


async def test_operations_hear_of_what_was_accepted_by_whoever_answers_for_other_cells_by_now(
    connection: Database, operations: httpx.AsyncClient, sign_in: SignIn
) -> None:
    """A roster gives T01 another cell, and T02's comes under another district, while they have
    something to do there: neither sees it any more, and operations hear of each once."""
    technicians = {"T01": await sign_in("tech01"), "T02": await sign_in("tech02")}
    await fire(connection, SomeFault())
    await fire(connection, SomeFault(terminal="ATM-3", cell="C002"))
    await until(partial(tickets_are, connection, *["ASSIGNED"] * 2))
    assert await sent(connection) == ["T01", "T02"]
    for number, client in enumerate(technicians.values(), 1):
        assert (await move(client, number, "accept")).status_code == 200
    await engine(connection)

    async def told() -> list[tuple[int, str, str]]:
        cursor = await connection.execute(
            "SELECT ticket_id, reason, note FROM ticket_transition"
            " WHERE event = 'escalate' ORDER BY id"
        )
        return await cursor.fetchall()

    await connection.execute("UPDATE cell SET valid_to = now() WHERE code = 'C002'")
    await engine(connection)
    assert (await technicians["T02"].get("/api/v1/tickets/2")).status_code == 200
    assert await told() == []
    await connection.execute(
        "UPDATE technician_cell SET cell_code = 'C003' FROM technician"
        " WHERE technician.id = technician_id AND technician.code = 'T01'"
    )
    await connection.execute("UPDATE cell SET parent_code = 'D02' WHERE code = 'C002'")
    for _ in range(2):
        await engine(connection)
    for number, client in enumerate(technicians.values(), 1):
        assert (await client.get(f"/api/v1/tickets/{number}")).status_code == 404
    assert await told() == [
        (1, "other cells", "for operations"),
        (2, "other cells", "for operations"),
    ]
    given = await move(operations, 1, "assign", technician="T02", reason="another district")
    assert (given.status_code, given.json()["technician"]) == (200, "T02")


async def test_what_somebody_accepted_who_fell_ill_goes_to_another(
    connection: Database, operations: httpx.AsyncClient, sign_in: SignIn
) -> None:
    """T01 is at it: T02 has it to accept, of the same line. T01 does not get it back."""
    await two_of_a_cell(connection)
    await assigned(connection, "ATM-1")
    one, other = await sign_in("tech01"), await sign_in("tech02")
    for event in ("accept", "depart", "arrive"):
        assert (await move(one, 1, event)).status_code == 200
    unexplained = await move(operations, 1, "assign", technician="T02")
    assert (unexplained.status_code, "body.reason" in unexplained.text) == (422, True)
    same = await move(operations, 1, "assign", technician="T01", reason="again")
    assert (same.status_code, "another" in same.json()["detail"]) == (409, True)
    given = (await move(operations, 1, "assign", technician="T02", reason="fell ill")).json()
    assert (given["state"], given["technician"], given["line"]) == ("ASSIGNED", "T02", 2)
    assert (await move(one, 1, "resolve", cause="jam", action="cleared")).status_code == 403
    assert (await move(other, 1, "accept")).status_code == 200
    assert (await move(other, 1, "decline", reason="my shift ends")).status_code == 200
    await engine(connection)
    assert await sent(connection) == [None]


async def test_nobody_else_is_sent_to_what_is_well_when_it_is_given_back(
    connection: Database, operations: httpx.AsyncClient, sign_in: SignIn
) -> None:
    """T01 hears on the way that it is well, and declines: it is resolved, since when it was well.
    Operations want somebody all the same: the other one goes."""
    await two_of_a_cell(connection)
    fault = await fire(connection)
    await until(partial(tickets_are, connection, "ASSIGNED"))
    one = await sign_in("tech01" if await sent(connection) == ["T01"] else "tech02")
    assert (await move(one, 1, "accept")).status_code == 200
    await clear(connection, fault)
    await until(lambda: has_recovered(connection))
    well = (await operations.get("/api/v1/tickets/1")).json()["recovered_at"]
    assert (await move(one, 1, "decline", reason="it is well")).status_code == 200
    async with connection.transaction():  # as in a look that read the causes just before
        await send_technicians(connection)
    assert await sent(connection) == [None]
    await until(partial(tickets_are, connection, "RESOLVED"))
    resolved = (await operations.get("/api/v1/tickets/1")).json()
    assert (resolved["technician"], resolved["recovered_at"]) == (None, well)
    assert (await move(operations, 1, "reopen", reason="it smokes")).status_code == 200
    await until(partial(tickets_are, connection, "ASSIGNED"))


async def has_recovered(connection: Database) -> bool:
    """Whether telemetry says of every ticket that its fault is gone."""
    cursor = await connection.execute("SELECT bool_and(recovered_at IS NOT NULL) FROM ticket")
    return await cursor.fetchone() == (True,)


async def test_nobody_who_is_absent_or_off_shift_is_sent(connection: Database) -> None:
    """T01 is on leave, T02 works on another day: the ticket waits, and says why."""
    await connection.execute(
        "INSERT INTO technician_absence (technician_id, begins_at, ends_at, reason, author)"
        " SELECT id, now() - interval '1 hour', now() + interval '1 hour', 'leave', 'test'"
        " FROM technician WHERE code = 'T01'"
    )
    other_day = (datetime.now(UTC) + timedelta(days=3)).isoweekday()
    await connection.execute(
        "INSERT INTO technician_shift SELECT id, %s, 0, 1440 FROM technician WHERE code = 'T02'",
        (other_day,),
    )
    await fire(connection)
    await engine(connection)
    assert await sent(connection) == [None]
    await connection.execute("DELETE FROM technician_absence")
    await engine(connection)
    assert await sent(connection) == ["T01"]


async def test_a_ticket_of_the_first_line_is_branch_staffs(connection: Database) -> None:
    """T01 is branch staff, T02 an engineer: each has the line's tickets, handed over as well."""
    await two_of_a_cell(connection)
    await connection.execute("UPDATE technician SET lines = '{1}' WHERE code = 'T01'")
    await connection.execute("UPDATE technician SET lines = '{2}' WHERE code = 'T02'")
    await fire(connection)
    await connection.execute("UPDATE fault SET line = 1")
    await engine(connection)
    assert await sent(connection) == ["T01"]
    await connection.execute(
        "UPDATE ticket SET state = 'NEW', technician_id = NULL, line = 2, version = version + 1"
    )
    await connection.execute(
        "INSERT INTO ticket_transition (ticket_id, event, to_state, actor, role)"
        " VALUES (1, 'hand_over', 'NEW', 'tech01', 'technician')"
    )
    await engine(connection)
    assert await sent(connection) == ["T02"]


@pytest.fixture
async def operations(sign_in: SignIn, connection: Database) -> httpx.AsyncClient:
    """Operations, beside an engine that listens."""
    client = await sign_in("ops")
    await listening(connection)
    return client


async def assigned(connection: Database, *terminals: str) -> None:
    """Faults at terminals, and the engine has sent somebody to each."""
    for number, terminal in enumerate(terminals, 1):
        await fire(connection, SomeFault(terminal=terminal, cell=CELL_OF[terminal]))
        await until(partial(tickets_are, connection, *["ASSIGNED"] * number))


CELL_OF = {"ATM-1": "C001", "ATM-2": "C001", "ATM-3": "C002"}


async def move(who: httpx.AsyncClient, ticket: int, event: str, **said: Any) -> httpx.Response:
    return await who.post(f"/api/v1/tickets/{ticket}/transitions", json={"event": event, **said})


async def test_a_ticket_says_why_somebody_was_sent(
    operations: httpx.AsyncClient, connection: Database
) -> None:
    """By the engine: who else there was, and what each would cost. By hand: what was overridden."""
    await assigned(connection, "ATM-1")
    [choice] = (await operations.get("/api/v1/tickets/1/dispatch")).json()["items"]
    assert (choice["actor"], choice["technician"]) == ("engine", "T01")
    assert choice["reason"] == "the lowest cost over all open tickets"
    one, other = choice["candidates"]
    assert (one["technician"], one["sent"], one["distance"]) == ("T01", True, 0)
    assert (other["technician"], other["sent"], other["distance"]) == ("T02", False, 1)
    assert one["cost"]["total_min"] < other["cost"]["total_min"]
    assert (one["cost"]["level_min"], other["cost"]["level_min"]) == (0, 10_000)
    await move(operations, 1, "assign", technician="T02")
    by_hand, _ = (await operations.get("/api/v1/tickets/1/dispatch")).json()["items"]
    assert (by_hand["actor"], by_hand["technician"]) == ("ops", "T02")
    assert by_hand["reason"] == "chosen by hand"


async def test_what_a_person_pinned_stays_and_what_they_left_open_moves(
    operations: httpx.AsyncClient, connection: Database
) -> None:
    """T02 by hand, against all that dispatch would choose; then the pin is taken out."""
    await assigned(connection, "ATM-1")
    pinned = (await move(operations, 1, "assign", technician="T02")).json()
    assert (pinned["technician"], pinned["pinned"]) == ("T02", True)
    await assigned_too(connection, "ATM-2")
    assert await sent(connection) == ["T02", "T01"]
    open_ = (await move(operations, 1, "assign", technician="T02", pin=False)).json()
    assert (open_["technician"], open_["pinned"]) == ("T02", False)
    await fire(connection, SomeFault(item="wakes the engine"))

    async def moved() -> bool:
        return (await sent(connection))[0] == "T01"

    await until(moved)


async def assigned_too(connection: Database, terminal: str) -> None:
    await fire(connection, SomeFault(terminal=terminal))
    await until(partial(tickets_are, connection, "ASSIGNED", "ASSIGNED"))


async def test_operations_send_nobody_who_is_not_at_work(
    operations: httpx.AsyncClient, connection: Database
) -> None:
    """Put down as absent over the api: refused, and why; taken back, they are sent."""
    await assigned(connection, "ATM-1")
    now = datetime.now(UTC)
    url = "/api/v1/technicians/T02/absences"
    asked = {"from": (now - HOUR).isoformat(), "to": (now + HOUR).isoformat(), "reason": "ill"}
    person = (await operations.post(url, json=asked)).json()
    assert person["on_shift"] is False
    refused = await move(operations, 1, "assign", technician="T02")
    assert refused.status_code == 409
    assert "is on shift" in refused.json()["detail"]
    key = person["absences"][0]["id"]
    back = await operations.delete(f"{url}/{key}")
    assert (back.json()["absences"], back.json()["on_shift"]) == ([], True)
    assert (await operations.delete(f"{url}/{key}")).status_code == 404
    assert (await move(operations, 1, "assign", technician="T02")).status_code == 200


async def test_an_absence_ends_after_it_begins(operations: httpx.AsyncClient) -> None:
    """Else it is refused; so is one of somebody who is not there."""
    url = "/api/v1/technicians/{}/absences"
    asked = {"from": "2026-12-02T00:00:00Z", "to": "2026-12-01T00:00:00Z", "reason": "leave"}
    wrong = await operations.post(url.format("T01"), json=asked)
    assert wrong.json()["errors"][0]["field"] == "body.to"
    nobody = await operations.post(url.format("T99"), json=asked | {"to": "2026-12-03T00:00:00Z"})
    assert nobody.status_code == 404


async def test_a_day_is_planned_with_order_and_times(
    operations: httpx.AsyncClient, sign_in: SignIn, connection: Database
) -> None:
    """T01's two sites, the one that they are on first; what is at one site is one stop."""
    await connection.execute("UPDATE terminal SET site = code")
    await connection.execute("UPDATE terminal SET latitude = 30.05 WHERE code = 'ATM-2'")
    await assigned(connection, "ATM-1", "ATM-2")
    await fire(connection, SomeFault(terminal="ATM-2", item="2"))
    await until(partial(tickets_are, connection, *["ASSIGNED"] * 3))
    technician = await sign_in("tech01")
    here = {"latitude": 30.06, "longitude": 120.0}
    assert (await technician.put("/api/v1/me/position", json=here)).status_code == 200
    plan = (await technician.get("/api/v1/me/plan")).json()
    assert plan == (await operations.get("/api/v1/technicians/T01/plan")).json() | {
        **{name: plan[name] for name in ("begins_at", "ends_at", "stops")},
    }
    first, second = plan["stops"]
    assert (first["order"], first["site"], first["tickets"]) == (1, "ATM-2", [2, 3])
    assert (second["order"], second["site"], second["tickets"]) == (2, "ATM-1", [1])
    assert first["travel_min"] == pytest.approx(3.0, abs=0.1)
    assert plan["begins_at"] < first["arrives_at"] < first["leaves_at"] < second["arrives_at"]
    assert (first["late"], plan["left_over"], plan["on_hold"]) == (False, [], [])
    for event in ("accept", "depart", "arrive"):
        assert (await move(technician, 1, event)).status_code == 200
    first, second = (await technician.get("/api/v1/me/plan")).json()["stops"]
    assert (first["site"], first["travel_min"]) == ("ATM-1", 0)
    await move(technician, 1, "hold", reason="parts")
    held = (await technician.get("/api/v1/me/plan")).json()
    assert ([one["site"] for one in held["stops"]], held["on_hold"]) == (["ATM-2"], [1])


async def test_a_day_and_a_home_are_nobody_elses_business(
    operations: httpx.AsyncClient, sign_in: SignIn, connection: Database
) -> None:
    """Operations and oneself see home and position; a colleague neither, nor the day."""
    await connection.execute("UPDATE technician SET home_latitude = 30, home_longitude = 120")
    await at(connection, "T01", 30.1)
    own, colleague = await sign_in("tech01"), await sign_in("tech02")
    url = "/api/v1/technicians/T01"
    for client, known in ((operations, 30.1), (own, 30.1), (colleague, None)):
        seen = (await client.get(url)).json()
        assert seen["latitude"] == known
        assert (seen["home_latitude"] is None) == (known is None)
    assert (await colleague.get(f"{url}/plan")).status_code == 403
    assert (await (await sign_in("tech03")).get(f"{url}/plan")).status_code == 404
    assert (await operations.get("/api/v1/me/plan")).status_code == 403
    nowhere = {"latitude": 0, "longitude": 0}
    assert (await operations.put("/api/v1/me/position", json=nowhere)).status_code == 403


async def test_from_where_somebody_moves_a_ticket_and_how_far_they_have_is_theirs_to_know(
    operations: httpx.AsyncClient, connection: Database, sign_in: SignIn
) -> None:
    """T01 accepts at home. T02, who sees the ticket, sees neither where, nor how far T01 had to it:
    three ways to three sites tell where somebody lives. Operations see both, and T01 themself."""
    await connection.execute("UPDATE technician SET home_latitude = 30.01, home_longitude = 120")
    await assigned(connection, "ATM-1")
    tech01, tech02 = await sign_in("tech01"), await sign_in("tech02")
    here = {"latitude": 30.01, "longitude": 120.0}
    assert (await move(tech01, 1, "accept", position=here)).status_code == 200
    for who, knows in ((operations, True), (tech01, True), (tech02, False)):
        detail = (await who.get("/api/v1/tickets/1")).json()
        places = [one["latitude"] for one in detail["transitions"] if one["event"] == "accept"]
        assert places == [30.01 if knows else None]
        [choice] = (await who.get("/api/v1/tickets/1/dispatch")).json()["items"]
        [told] = [one for one in choice["candidates"] if one["technician"] == "T01"]
        assert (told["sent"], told["cost"] is not None) == (True, knows)
    [choice] = (await tech02.get("/api/v1/tickets/1/dispatch")).json()["items"]
    assert {one["technician"] for one in choice["candidates"] if one["cost"]} == {"T02"}


async def test_a_move_tells_where_the_device_is(
    operations: httpx.AsyncClient, sign_in: SignIn, connection: Database
) -> None:
    """Dispatch reckons from there; what an offline phone tells late does not set it back."""
    await assigned(connection, "ATM-1")
    technician = await sign_in("tech01")
    now = datetime.now(UTC)
    for minutes, latitude in ((1, 30.5), (9, 30.9)):
        here = {"latitude": latitude, "longitude": 120.0}
        then = (now - timedelta(minutes=minutes)).isoformat()
        event = "accept" if minutes == 1 else "depart"
        assert (await move(technician, 1, event, position=here, device_at=then)).status_code == 200
    seen = (await operations.get("/api/v1/technicians/T01")).json()
    assert seen["latitude"] == 30.5


async def test_recovered_tickets_ask_for_nobody(
    operations: httpx.AsyncClient, connection: Database
) -> None:
    """The fault is gone before anyone went: nothing is left to plan."""
    fault = await fire(connection)
    await until(partial(tickets_are, connection, "ASSIGNED"))
    await clear(connection, fault)
    await until(partial(tickets_are, connection, "RESOLVED"))
    plan = (await operations.get("/api/v1/technicians/T01/plan")).json()
    assert (plan["stops"], plan["left_over"]) == ([], [])
