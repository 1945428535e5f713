"""Planned windows and service schedules over HTTP, and the tickets that windows hold."""

import asyncio
from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import UUID

import httpx
import pytest
from psycopg import AsyncConnection
from psycopg.rows import TupleRow

from api.tickets.engine import Patience, follow_faults
from api.windows import schedules
from api.windows.expansion import expand, expand_window
from api.windows.holding import held
from api.windows.schedule_schemas import DayAsked
from fleet.db.pool import connect
from fleet.sla.calendar import Span
from fleet.windows.window import Recurrence, Repeat
from fleet.windows.window import Window as Planned
from tests.integration.api.conftest import SignIn
from tests.integration.api.test_scheduled import until
from tests.integration.api.world import CELL_OUTAGE, SomeFault, clear, fire

Database = AsyncConnection[TupleRow]
HOUR = timedelta(hours=1)
MINUTE = timedelta(minutes=1)
PATIENCE = Patience(HOUR, HOUR)


@pytest.fixture
async def ops(sign_in: SignIn) -> httpx.AsyncClient:
    """Operations, signed in."""
    return await sign_in("ops")


def ago(by: timedelta) -> str:
    """That long before now, to the minute."""
    return (datetime.now(UTC) - by).isoformat(timespec="minutes").replace("+00:00", ":00Z")


async def planned(ops: httpx.AsyncClient, **asked: Any) -> dict[str, Any]:
    """A window around now, unless told otherwise."""
    body = {"purpose": "maintenance", "from": ago(HOUR), "to": ago(-HOUR), "reason": "Works"}
    answer = await ops.post("/api/v1/windows", json=body | asked)
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


async def over(connection: Database, window: int, by: timedelta) -> None:
    """Let a window have ended so long ago; the faults fired within it."""
    await connection.execute(
        "UPDATE planned_occurrence SET period = tstzrange(lower(period), now() - %s)"
        " WHERE window_id = %s",
        (by, window),
    )


async def a_fault(
    connection: Database,
    fault: SomeFault | None = None,
    *,
    hold: timedelta = 5 * MINUTE,
    fired: timedelta = 30 * MINUTE,
) -> UUID:
    """A fault that fired a while ago, after its hold time."""
    key = await fire(connection, fault, notify=False)
    await connection.execute(
        "UPDATE fault SET fired_at = now() - %(fired)s,"
        " started_at = now() - %(fired)s - %(hold)s WHERE id = %(id)s",
        {"fired": fired, "hold": hold, "id": key},
    )
    return key


async def tickets(connection: Database) -> list[str]:
    """After another run of the engine, by a process that remembers nothing: who has a ticket."""
    async with connection.transaction():
        await follow_faults(connection, PATIENCE)
    cursor = await connection.execute("SELECT subject || ' ' || state FROM ticket ORDER BY id")
    return [row[0] for row in await cursor.fetchall()]


async def test_a_fault_wholly_inside_gives_no_ticket(
    ops: httpx.AsyncClient, connection: Database
) -> None:
    """Works make the card reader fail and mend it; nobody is sent, the fault is on record."""
    window = await planned(ops, cell="D01")
    fault = await a_fault(connection)
    assert await tickets(connection) == []
    await clear(connection, fault)
    await over(connection, window["id"], 20 * MINUTE)
    assert await tickets(connection) == []
    listed = (await ops.get("/api/v1/faults")).json()["items"]
    assert [one["id"] for one in listed] == [str(fault)]


async def test_one_still_true_at_the_end_gives_exactly_one_after_its_hold(
    ops: httpx.AsyncClient, connection: Database
) -> None:
    """Held while the window lasts and its hold time after it, then one ticket, however often
    the engine runs and whichever process does."""
    window = await planned(ops, terminal="ATM-1")
    await a_fault(connection, hold=10 * MINUTE)
    assert await tickets(connection) == []
    await over(connection, window["id"], 5 * MINUTE)
    assert await tickets(connection) == []
    await over(connection, window["id"], 11 * MINUTE)
    assert await tickets(connection) == ["ATM-1 ASSIGNED"]
    assert await tickets(connection) == ["ATM-1 ASSIGNED"]


async def test_what_fired_before_the_window_has_its_ticket(
    ops: httpx.AsyncClient, connection: Database
) -> None:
    """Though nobody looked until the works had begun."""
    await planned(ops, cell="D01")
    await a_fault(connection, fired=2 * HOUR)
    assert await tickets(connection) == ["ATM-1 ASSIGNED"]


HOLDS: tuple[tuple[dict[str, str], list[str]], ...] = (
    ({"cell": "D01"}, ["ATM-4"]),
    ({"cell": "C001"}, ["ATM-3", "ATM-4"]),
    ({"terminal": "ATM-3"}, ["ATM-1", "ATM-4", "C001"]),
    ({"kind": "atm"}, ["C001"]),
    ({"cell": "D02", "kind": "kiosk"}, ["ATM-1", "ATM-3", "ATM-4", "C001"]),
    ({"purpose": "silence", "component": "cardReader"}, []),
    (
        {"purpose": "silence", "component": "cardReader", "cell": "D02"},
        ["ATM-1", "ATM-3", "C001"],
    ),
    ({"purpose": "silence", "component": "printer"}, ["ATM-1", "ATM-3", "ATM-4", "C001"]),
)


async def test_a_window_holds_what_it_is_about(
    ops: httpx.AsyncClient, connection: Database
) -> None:
    """By terminal, by cell with all below it, by kind, by component; all that is named must fit."""
    there = (SomeFault(), SomeFault("ATM-3", "C002"), SomeFault("ATM-4", "C003"), CELL_OUTAGE)
    for about, expected in HOLDS:
        window = await planned(ops, **about)
        for fault in there:
            await a_fault(connection, fault)
        raised = [one.split()[0] for one in await tickets(connection)]
        assert sorted(raised) == expected, about
        await connection.execute("TRUNCATE fault, ticket CASCADE")
        await ops.delete(f"/api/v1/windows/{window['id']}")
        await over(connection, window["id"], 50 * MINUTE)


async def test_overlapping_windows_hold_as_one(
    ops: httpx.AsyncClient, connection: Database
) -> None:
    """The second begins within the hold time after the first: the ticket waits for both."""
    first = await planned(ops, cell="C001")
    second = await planned(ops, purpose="silence", terminal="ATM-1", **{"from": ago(8 * MINUTE)})
    await over(connection, first["id"], 10 * MINUTE)
    await a_fault(connection, hold=5 * MINUTE)
    assert await tickets(connection) == []
    await over(connection, second["id"], 6 * MINUTE)
    assert await tickets(connection) == ["ATM-1 ASSIGNED"]


async def test_a_resolved_ticket_is_not_opened_again_in_a_window(
    ops: httpx.AsyncClient, connection: Database
) -> None:
    """The cause fires again during works: the technician who was there is left in peace."""
    fault = await a_fault(connection, fired=3 * HOUR)
    assert await tickets(connection) == ["ATM-1 ASSIGNED"]
    await connection.execute("UPDATE ticket SET state = 'RESOLVED', resolved_at = now()")
    await connection.execute("UPDATE fault SET cleared_at = now() WHERE id = %s", (fault,))
    window = await planned(ops, cell="C001")
    await a_fault(connection)
    assert await tickets(connection) == ["ATM-1 RESOLVED"]
    await over(connection, window["id"], 10 * MINUTE)

    async def opened_again() -> bool:  # a run leaves to another what that one has just now
        return await tickets(connection) == ["ATM-1 ASSIGNED"]

    await until(opened_again)


async def test_a_fault_that_fires_while_tickets_are_raised_waits_for_its_window(
    ops: httpx.AsyncClient,
    connection: Database,
    database_url: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """It was not there when windows were asked whom they hold, so they held nothing of it."""
    await planned(ops, cell="C001")
    await a_fault(connection, SomeFault("ATM-3", "C002"))
    async with await AsyncConnection.connect(database_url, autocommit=True) as meanwhile:

        async def held_before_it_fired(engine: Database) -> list[UUID]:
            found = await held(engine)
            await a_fault(meanwhile)
            return found

        monkeypatch.setattr("api.tickets.engine.held", held_before_it_fired)
        assert [each.split()[0] for each in await tickets(connection)] == ["ATM-3"]
        monkeypatch.undo()
    assert [each.split()[0] for each in await tickets(connection)] == ["ATM-3"]


async def test_a_window_that_is_taken_back_holds_nothing_more(
    ops: httpx.AsyncClient, connection: Database
) -> None:
    """What was of it stays on record; who took it back is told."""
    window = await planned(ops, cell="C001", repeat="daily")
    assert window["active"]
    assert window["author"] == "ops"
    await a_fault(connection, hold=timedelta(0))
    assert await tickets(connection) == []
    ended = (await ops.delete(f"/api/v1/windows/{window['id']}")).json()
    assert (ended["active"], ended["next_at"], ended["ended_by"]) == (False, None, "ops")
    assert await tickets(connection) == ["ATM-1 ASSIGNED"]
    assert (await ops.get("/api/v1/windows?open=true")).json()["items"] == []
    [listed] = (await ops.get("/api/v1/windows?purpose=maintenance")).json()["items"]
    assert listed["id"] == window["id"]
    await expand(connection)
    assert (await ops.get(f"/api/v1/windows/{window['id']}")).json()["next_at"] is None


async def test_an_annulled_window_holds_nothing_and_has_no_times_any_more(
    ops: httpx.AsyncClient, connection: Database
) -> None:
    """It lasts, and comes again each day: no time of it is left, and none is written."""
    window = await planned(
        ops, cell="C001", repeat="daily", **{"from": ago(25 * HOUR), "to": ago(23 * HOUR)}
    )
    await a_fault(connection, hold=timedelta(0))
    assert await tickets(connection) == []
    answer = await ops.post(f"/api/v1/windows/{window['id']}/annulment", json={"reason": "Wrong"})
    annulled = answer.json()
    assert (annulled["active"], annulled["next_at"], annulled["ended_by"]) == (False, None, "ops")
    await expand(connection)
    cursor = await connection.execute("SELECT count(*) FROM planned_occurrence")
    assert await cursor.fetchall() == [(0,)]
    assert await tickets(connection) == ["ATM-1 ASSIGNED"]


async def test_times_are_written_further_as_days_pass(
    ops: httpx.AsyncClient, connection: Database
) -> None:
    """The scheduled work finds what is short, and writes nothing twice."""
    far = timedelta(days=28, hours=12)  # half a day from one that comes within reach meanwhile
    await planned(ops, cell="C001", repeat="daily", **{"from": ago(far), "to": ago(far - HOUR)})
    count = "SELECT count(*) FROM planned_occurrence"
    [(whole,)] = await (await connection.execute(count)).fetchall()
    await connection.execute(
        "DELETE FROM planned_occurrence WHERE lower(period) >= now() + interval '300 days'"
    )
    await connection.execute("UPDATE planned_window SET expanded_to = now() + interval '300 days'")
    for _ in range(2):
        await expand(connection)
        assert await (await connection.execute(count)).fetchall() == [(whole,)]


@pytest.mark.parametrize(
    ("asked", "field"),
    [
        ({}, "body.cell"),
        ({"cell": "C9"}, "body.cell"),
        ({"terminal": "ATM-9"}, "body.terminal"),
        ({"component": "printer"}, "body.component"),
        ({"cell": "C001", "to": "2020-01-01T00:00:00Z"}, "body.to"),
        ({"cell": "C001", "until": "2020-01-01T00:00:00Z"}, "body.until"),
        ({"cell": "C001", "from": "0206-11-23T00:00:00Z", "repeat": "daily"}, "body.from"),
        ({"cell": "C001", "repeat": "daily", "time_zone": "Mars/Olympus"}, "body.time_zone"),
        ({"cell": "C001", "reason": " "}, "body.reason"),
    ],
)
async def test_what_makes_no_sense_is_refused(
    ops: httpx.AsyncClient, asked: dict[str, Any], field: str
) -> None:
    """With the field that is wrong, and nothing is planned."""
    body = {"purpose": "maintenance", "from": ago(HOUR), "to": ago(-HOUR), "reason": "Works"}
    answer = await ops.post("/api/v1/windows", json=body | asked)
    assert (answer.status_code, answer.json()["errors"][0]["field"]) == (422, field)
    assert (await ops.get("/api/v1/windows")).json()["items"] == []


async def test_only_operations_plan_and_technicians_see_their_own(
    ops: httpx.AsyncClient, sign_in: SignIn
) -> None:
    """T01 of C001 sees what touches C001: its own, the district's, everybody's; not the rest."""
    made = [
        await planned(ops, **about)
        for about in (
            {"cell": "C001"},
            {"cell": "D01"},
            {"cell": "C003"},
            {"terminal": "ATM-2"},
            {"terminal": "ATM-3"},
            {"kind": "atm"},
        )
    ]
    technician = await sign_in("tech01")
    seen = {one["id"] for one in (await technician.get("/api/v1/windows")).json()["items"]}
    assert seen == {made[n]["id"] for n in (0, 1, 3, 5)}
    assert (await technician.get(f"/api/v1/windows/{made[2]['id']}")).status_code == 404
    assert (await technician.delete(f"/api/v1/windows/{made[0]['id']}")).status_code == 403
    refused = await technician.post("/api/v1/schedules", json={})
    assert refused.status_code in {403, 422}


async def test_a_schedule_is_made_used_and_ended(
    ops: httpx.AsyncClient, connection: Database, sign_in: SignIn
) -> None:
    """Hours that overlap are one; a holiday; whose it is; no two at once."""
    asked = {
        "code": "branch",
        "name": "Branches",
        "time_zone": "Asia/Shanghai",
        "week": {"1": ["09:00-12:00", "11:00-17:00"], "2": ["00:00-24:00"]},
    }
    made = (await ops.post("/api/v1/schedules", json=asked)).json()
    assert made["week"] == {"1": ["09:00-17:00"], "2": ["00:00-24:00"]}
    again = await ops.post("/api/v1/schedules", json=asked)
    assert again.json()["errors"][0]["field"] == "body.code"
    path = "/api/v1/schedules/branch"
    use = {"cell": "C001", "from": "2026-11-23T00:00:00+08:00", "reason": "Branch"}
    used = (await ops.post(f"{path}/uses", json=use)).json()["uses"]
    assert [(one["cell"], one["author"]) for one in used] == [("C001", "ops")]
    twice = await ops.post(f"{path}/uses", json=use)
    assert twice.json()["errors"][0]["field"] == "body.from"
    both = await ops.post(f"{path}/uses", json=use | {"kind": "atm"})
    assert both.status_code == 422
    holiday = {"open": [], "reason": "Holiday"}
    told = (await ops.put(f"{path}/days/2026-11-24", json=holiday)).json()
    assert told["days"] == [{"day": "2026-11-24", "open": [], "author": "ops", "reason": "Holiday"}]
    cursor = await connection.execute(
        "SELECT lower(period), upper(period) FROM service_closing ORDER BY period LIMIT 2"
    )
    monday = datetime(2026, 11, 23, tzinfo=UTC)
    assert await cursor.fetchall() == [
        (monday - 8 * HOUR, monday + HOUR),
        (monday + 9 * HOUR, monday + 6 * 24 * HOUR + 25 * HOUR),
    ]
    assert (await (await sign_in("tech03")).get(path)).json()["uses"] == []
    assert (await ops.delete(f"{path}/days/2026-11-24")).json()["days"] == []
    assert (await ops.delete(f"{path}/days/2026-11-24")).status_code == 404
    [ended] = (await ops.delete(f"{path}/uses/{used[0]['id']}")).json()["uses"]
    assert ended["to"] is not None
    assert (await ops.delete(f"{path}/uses/{used[0]['id']}")).status_code == 404
    assert (await ops.get("/api/v1/schedules")).json()["items"][0]["code"] == "branch"
    assert (await ops.get("/api/v1/schedules/none")).status_code == 404


async def test_two_days_said_at_once_both_count(
    ops: httpx.AsyncClient, connection: Database, database_url: str
) -> None:
    """Each writes all closings anew: the second waits for the first, and knows what it said."""
    week = {str(day): ["09:00-17:00"] for day in range(1, 8)}
    asked = {"code": "branch", "name": "Branches", "time_zone": "UTC", "week": week}
    await ops.post("/api/v1/schedules", json=asked)
    use = {"cell": "C001", "from": "2026-11-23T00:00:00Z", "reason": "Branch"}
    await ops.post("/api/v1/schedules/branch/uses", json=use)
    holiday = DayAsked(open=[], reason="Holiday")
    days = [date(2026, 11, 24), date(2026, 11, 25)]
    async with await connect(database_url, name="second") as second:
        await schedules.set_day(second, "branch", days[0], holiday, "one")
        answer = asyncio.create_task(
            ops.put(f"/api/v1/schedules/branch/days/{days[1]}", json=holiday.model_dump())
        )
        await asyncio.sleep(0.5)  # long enough to be at it; it has nothing to wait for but us
        assert not answer.done()
        await second.commit()
    assert (await answer).status_code == 200, (await answer).text
    closed = "SELECT FROM service_closing WHERE period @> tstzrange('2026-11-24', '2026-11-26')"
    assert len(await (await connection.execute(closed)).fetchall()) == 1


async def test_a_window_taken_back_while_its_times_are_written_has_none_of_them(
    ops: httpx.AsyncClient, connection: Database
) -> None:
    """The scheduled work had read it already."""
    window = await planned(ops, cell="C001", repeat="daily")
    first = Span(datetime.fromisoformat(window["from"]), datetime.fromisoformat(window["to"]))
    read = Planned(first, Recurrence(Repeat.DAILY, "UTC"))
    await connection.execute("UPDATE planned_window SET expanded_to = now() + interval '9 days'")
    await ops.delete(f"/api/v1/windows/{window['id']}")
    await expand_window(connection, window["id"], read)
    to_come = "SELECT FROM planned_occurrence WHERE upper(period) > now()"
    assert await (await connection.execute(to_come)).fetchall() == []
