"""From faults to tickets: one live ticket per cause, whatever races, crashes or comes back."""

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from psycopg import AsyncConnection
from psycopg.rows import TupleRow, dict_row

from api.tickets.engine import Patience, follow_faults, raise_tickets
from api.tickets.writing import Change, write
from fleet.db.pool import connect
from fleet.tickets.lifecycle import Event
from tests.integration.api.world import (
    CELL_OUTAGE,
    SomeFault,
    at_minute,
    clear,
    elsewhere,
    fire,
    suppress,
)
from tests.machine import PATIENCE_S

Database = AsyncConnection[TupleRow]
VERIFY = timedelta(hours=1)
ACCEPT = timedelta(minutes=30)
PATIENCE = Patience(ACCEPT, VERIFY)


async def engine(connection: Database) -> None:
    """One run of the engine."""
    async with connection.transaction():
        await follow_faults(connection, PATIENCE)


async def tickets(connection: Database) -> list[dict[str, Any]]:
    """Every ticket, in the order in which they were raised."""
    async with connection.cursor(row_factory=dict_row) as cursor:
        await cursor.execute("SELECT * FROM ticket_card ORDER BY id")
        return await cursor.fetchall()


async def story(connection: Database, ticket: int) -> list[str]:
    """What happened to a ticket."""
    cursor = await connection.execute(
        "SELECT event FROM ticket_transition WHERE ticket_id = %s ORDER BY id", (ticket,)
    )
    return [row[0] for row in await cursor.fetchall()]


async def put(connection: Database, ticket: int, state: str) -> None:
    """Leave a ticket in a state, as people's moves would."""
    await connection.execute(
        "UPDATE ticket SET state = %s, version = version + 1,"
        " resolved_at = CASE WHEN %s = 'RESOLVED' THEN now() END WHERE id = %s",
        (state, state, ticket),
    )


async def pass_time(connection: Database, ticket: int, by: timedelta) -> None:
    """Let a resolved ticket be older."""
    await connection.execute(
        "UPDATE ticket SET resolved_at = resolved_at - %s WHERE id = %s", (by, ticket)
    )


async def test_a_fault_raises_a_ticket_and_sends_a_technician(connection: Database) -> None:
    """The ticket says what the fault says, and who goes: the technician of the cell itself."""
    fault = await fire(connection)
    await engine(connection)
    [ticket] = await tickets(connection)
    assert ticket["fault_id"] == fault
    assert (ticket["state"], ticket["technician"]) == ("ASSIGNED", "T01")
    assert (ticket["cell"], ticket["terminal"]) == ("C001", "ATM-1")
    assert (ticket["component"], ticket["remedy"]) == ("cardReader", "Remove the card.")
    assert (ticket["skill"], ticket["parts"]) == ("card", ["rollers"])
    assert await story(connection, ticket["id"]) == ["raise", "assign"]


async def test_running_again_changes_nothing(connection: Database) -> None:
    """The engine may run at any time, any number of times."""
    await fire(connection)
    await engine(connection)
    before = await tickets(connection)
    for _ in range(3):
        await engine(connection)
    assert await tickets(connection) == before


async def test_a_warning_is_shown_and_nobody_is_sent(connection: Database) -> None:
    """Faults of severity `warning` raise no ticket."""
    await fire(connection, SomeFault(severity="warning"))
    await engine(connection)
    assert await tickets(connection) == []


async def test_without_the_skill_in_the_cell_the_next_one_up_is_asked(
    connection: Database,
) -> None:
    """T01 has the cell but not the skill; T02 has it for the district above."""
    await fire(connection, SomeFault(rule="paper_out", skill="printer"))
    await engine(connection)
    [ticket] = await tickets(connection)
    assert ticket["technician"] == "T02"


async def test_nobody_to_send_leaves_it_new_until_there_is_somebody(connection: Database) -> None:
    """No one of the district has the skill; once someone learns it, they are sent."""
    await fire(connection, SomeFault(rule="tamper", skill="security"))
    await engine(connection)
    [ticket] = await tickets(connection)
    assert (ticket["state"], ticket["technician"]) == ("NEW", None)
    await connection.execute("UPDATE technician SET skills = '{security}' WHERE code = 'T02'")
    await engine(connection)
    [ticket] = await tickets(connection)
    assert (ticket["state"], ticket["technician"]) == ("ASSIGNED", "T02")


async def test_work_is_shared_by_how_much_there_is_to_do(connection: Database) -> None:
    """Two who answer for the same cell take turns, each at a site of their own."""
    await connection.execute(
        "INSERT INTO technician_cell SELECT id, 'C001' FROM technician WHERE code = 'T02'"
    )
    await connection.execute("UPDATE terminal SET site = code")
    for terminal in ("ATM-1", "ATM-2"):
        await fire(connection, SomeFault(terminal=terminal))
        await engine(connection)
    assert [one["technician"] for one in await tickets(connection)] == ["T01", "T02"]


async def test_a_terminal_in_no_cell_has_a_ticket_too(connection: Database) -> None:
    """Nobody answers for the cell UNASSIGNED: the ticket waits for operations."""
    await connection.execute(
        "UPDATE terminal_cell SET cell_code = 'UNASSIGNED' FROM terminal"
        " WHERE terminal.id = terminal_id AND terminal.code = 'ATM-1'"
    )
    await fire(connection, SomeFault(cell="UNASSIGNED"))
    await engine(connection)
    [ticket] = await tickets(connection)
    assert (ticket["state"], ticket["cell"]) == ("NEW", "UNASSIGNED")


async def test_sixty_four_racing_raisers_raise_one_ticket(
    connection: Database, database_url: str
) -> None:
    """Without any lock among them, they meet at the unique index: one wins, none fails."""
    await fire(connection)
    await fire(connection, SomeFault(item="other"))

    async def race(start: asyncio.Event) -> int:
        async with await connect(database_url, name="racer") as one:
            await one.execute("SELECT 1")
            await start.wait()
            async with one.transaction():
                return await raise_tickets(one)

    start = asyncio.Event()
    racers = [asyncio.create_task(race(start)) for _ in range(64)]
    await asyncio.sleep(0)
    start.set()
    assert sum(await asyncio.gather(*racers)) == 2
    raised = await tickets(connection)
    assert sorted(one["item"] for one in raised) == ["", "other"]
    for one in raised:
        assert await story(connection, one["id"]) == ["raise"]


async def test_a_crash_in_between_leaves_nothing_behind(
    connection: Database, database_url: str
) -> None:
    """The engine dies after writing, before its commit: nothing was raised, and the next does."""
    await fire(connection)
    dying = await connect(database_url, name="dying")
    await follow_faults(dying, PATIENCE)
    await dying.close()
    assert await tickets(connection) == []
    await engine(connection)
    [ticket] = await tickets(connection)
    assert await story(connection, ticket["id"]) == ["raise", "assign"]


@pytest.mark.parametrize("state", ["NEW", "ASSIGNED"])
async def test_recovery_before_acceptance_resolves(connection: Database, state: str) -> None:
    """The terminal is well again before anyone said yes: nobody needs to go."""
    fault = await fire(connection)
    await engine(connection)
    [ticket] = await tickets(connection)
    await put(connection, ticket["id"], state)
    await clear(connection, fault)
    await engine(connection)
    [ticket] = await tickets(connection)
    assert ticket["state"] == "RESOLVED"
    assert ticket["recovered_at"] is not None
    assert (await story(connection, ticket["id"]))[-1] == "recover"


@pytest.mark.parametrize("state", ["ACCEPTED", "EN_ROUTE", "ON_SITE", "ON_HOLD"])
async def test_recovery_later_is_only_noted_and_taken_back(
    connection: Database, state: str
) -> None:
    """Somebody is on the way: the ticket stays theirs, and says what telemetry says."""
    fault = await fire(connection)
    await engine(connection)
    [ticket] = await tickets(connection)
    await put(connection, ticket["id"], state)
    await clear(connection, fault)
    await engine(connection)
    [ticket] = await tickets(connection)
    assert ticket["state"] == state
    assert ticket["recovered_at"] is not None
    again = await fire(connection)
    await engine(connection)
    [ticket] = await tickets(connection)
    assert (ticket["state"], ticket["recovered_at"]) == (state, None)
    assert ticket["fault_id"] == again
    assert (await story(connection, ticket["id"]))[-2:] == ["recover", "relapse"]


async def test_who_does_not_accept_in_time_is_not_waited_for(connection: Database) -> None:
    """T01 says nothing for half an hour: it is told, T02 of the district is sent, then nobody."""
    await fire(connection)
    await engine(connection)
    for sent in ("T01", "T02"):
        [ticket] = await tickets(connection)
        assert (ticket["state"], ticket["technician"]) == ("ASSIGNED", sent)
        await connection.execute("UPDATE ticket_transition SET at = at - %s", (ACCEPT,))
        await engine(connection)
    [ticket] = await tickets(connection)
    assert (ticket["state"], ticket["technician"]) == ("NEW", None)
    told = ["time_out", "escalate"]
    expected = ["raise", "assign", *told, "assign", *told]
    assert await story(connection, ticket["id"]) == expected


async def test_accepted_in_time_it_stays(connection: Database) -> None:
    """However long ago they were asked."""
    await fire(connection)
    await engine(connection)
    await put(connection, 1, "ACCEPTED")
    await connection.execute("UPDATE ticket_transition SET at = at - 2 * %s", (ACCEPT,))
    await engine(connection)
    assert (await tickets(connection))[0]["state"] == "ACCEPTED"


async def test_accepted_while_it_is_taken_back_it_stays(
    connection: Database, database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The engine has seen that nobody accepted; what it writes comes after the acceptance."""
    await fire(connection)
    await engine(connection)
    await connection.execute("UPDATE ticket_transition SET at = at - %s", (ACCEPT,))

    async def late(one: Database, changes: Sequence[Change]) -> Sequence[Change]:
        if [change.event for change in changes] == [Event.TIME_OUT]:
            await connection.execute("UPDATE ticket SET state = 'ACCEPTED', version = version + 1")
        return await write(one, changes)

    monkeypatch.setattr("api.tickets.engine.write", late)
    async with await connect(database_url, name="test") as other:
        await engine(other)
    [ticket] = await tickets(connection)
    assert (ticket["state"], ticket["technician"]) == ("ACCEPTED", "T01")
    assert await story(connection, ticket["id"]) == ["raise", "assign"]


async def test_a_resolved_ticket_closes_after_the_verify_window(connection: Database) -> None:
    """Not before its end, and only with the fault gone."""
    fault = await fire(connection)
    await engine(connection)
    await clear(connection, fault)
    await engine(connection)
    [ticket] = await tickets(connection)
    await pass_time(connection, ticket["id"], VERIFY - timedelta(minutes=1))
    await engine(connection)
    assert (await tickets(connection))[0]["state"] == "RESOLVED"
    await pass_time(connection, ticket["id"], timedelta(minutes=2))
    await engine(connection)
    assert (await tickets(connection))[0]["state"] == "CLOSED"


async def test_the_same_cause_again_reopens(connection: Database) -> None:
    """Within the verify window it is the same work, of the same technician."""
    await clear(connection, await fire(connection))
    first = await fire(connection, SomeFault(began=at_minute(1)))
    await engine(connection)
    await clear(connection, first)
    await engine(connection)
    again = await fire(connection, SomeFault(began=at_minute(2)))
    await engine(connection)
    [ticket] = await tickets(connection)
    assert (ticket["state"], ticket["technician"], ticket["reopened"]) == ("ASSIGNED", "T01", 1)
    assert (ticket["fault_id"], ticket["recovered_at"], ticket["resolved_at"]) == (
        again,
        None,
        None,
    )


async def test_a_fault_that_never_cleared_reopens_at_the_end_of_the_window(
    connection: Database,
) -> None:
    """Resolved by hand, but telemetry never agreed: the work was not done."""
    await fire(connection)
    await engine(connection)
    [ticket] = await tickets(connection)
    await put(connection, ticket["id"], "RESOLVED")
    await engine(connection)
    assert (await tickets(connection))[0]["state"] == "RESOLVED"
    await pass_time(connection, ticket["id"], VERIFY)
    await engine(connection)
    assert (await tickets(connection))[0]["state"] == "ASSIGNED"


async def test_a_later_fault_of_an_ended_ticket_links_to_it(connection: Database) -> None:
    """Closed is closed; the new ticket knows the one before."""
    fault = await fire(connection)
    await engine(connection)
    [ended] = await tickets(connection)
    await clear(connection, fault)
    await engine(connection)
    await pass_time(connection, ended["id"], VERIFY)
    await engine(connection)
    await fire(connection)
    await engine(connection)
    _, ticket = await tickets(connection)
    assert (ticket["state"], ticket["previous_id"]) == ("ASSIGNED", ended["id"])


async def test_a_cancelled_fault_raises_no_other_but_the_next_one_does(
    connection: Database,
) -> None:
    """Operations decided that nobody goes; that holds for this fault, not for later ones."""
    fault = await fire(connection)
    await engine(connection)
    [ticket] = await tickets(connection)
    await put(connection, ticket["id"], "CANCELLED")
    await engine(connection)
    assert len(await tickets(connection)) == 1
    await clear(connection, fault)
    await fire(connection)
    await engine(connection)
    assert [one["state"] for one in await tickets(connection)] == ["CANCELLED", "ASSIGNED"]


async def test_a_suppressed_fault_has_no_ticket_and_the_cell_has_one(
    connection: Database,
) -> None:
    """The outage is decided before its members: one ticket for all of them."""
    outage = await fire(connection, CELL_OUTAGE)
    for terminal in ("ATM-1", "ATM-2"):
        await fire(connection, SomeFault(terminal=terminal, suppressed_by=outage))
    await engine(connection)
    [ticket] = await tickets(connection)
    assert (ticket["scope"], ticket["subject"], ticket["cell"]) == ("cell", "C001", "C001")
    assert ticket["technician"] == "T01"


async def suppressed_later(connection: Database, state: str) -> tuple[UUID, list[dict[str, Any]]]:
    """A member's ticket is in some state when its cell goes down; gives fault and tickets."""
    fault = await fire(connection)
    await engine(connection)
    [ticket] = await tickets(connection)
    await put(connection, ticket["id"], state)
    await suppress(connection, fault, await fire(connection, CELL_OUTAGE))
    await engine(connection)
    return fault, await tickets(connection)


@pytest.mark.parametrize("state", ["NEW", "ASSIGNED"])
async def test_a_members_ticket_goes_into_the_cells(connection: Database, state: str) -> None:
    """Nobody accepted it yet: it is merged; released later, the fault gets a ticket of its own."""
    fault, [member, cell] = await suppressed_later(connection, state)
    assert (member["state"], member["parent_id"]) == ("MERGED", cell["id"])
    await suppress(connection, fault, None)
    await engine(connection)
    *_, released = await tickets(connection)
    assert (released["state"], released["previous_id"]) == ("ASSIGNED", member["id"])
    assert released["fault_id"] == fault


async def test_a_members_ticket_that_somebody_accepted_stays_theirs(connection: Database) -> None:
    """They are on the way and will be there anyway."""
    _, [member, cell] = await suppressed_later(connection, "EN_ROUTE")
    assert (member["state"], cell["state"]) == ("EN_ROUTE", "ASSIGNED")


async def test_cells_do_not_mix(connection: Database) -> None:
    """A fault in another district is another technician's."""
    await fire(connection, elsewhere(SomeFault()))
    await engine(connection)
    [ticket] = await tickets(connection)
    assert (ticket["cell"], ticket["technician"]) == ("C003", "T03")


async def test_a_person_who_is_quicker_wins_over_the_engine(
    connection: Database, database_url: str
) -> None:
    """The engine decided on a ticket that is being accepted when it writes: it leaves it alone,
    and waits for nobody.

    On its next run it sees an accepted ticket, and only notes the recovery.
    """
    fault = await fire(connection)
    await engine(connection)
    [ticket] = await tickets(connection)
    await clear(connection, fault)
    async with await connect(database_url, name="person") as person:
        await put(person, ticket["id"], "ACCEPTED")
        await engine(connection)
        await person.commit()
    assert (await tickets(connection))[0]["state"] == "ACCEPTED"
    await engine(connection)
    [ticket] = await tickets(connection)
    assert (ticket["state"], ticket["recovered_at"] is None) == ("ACCEPTED", False)


async def until_blocked(watch: Database) -> None:
    """Wait until somebody waits for a lock."""
    async with asyncio.timeout(PATIENCE_S):
        while True:
            cursor = await watch.execute(
                "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock'"
                " AND datname = current_database()"
            )
            if await cursor.fetchone() != (0,):
                return
            await asyncio.sleep(0.01)


async def test_causes_differ_by_item(connection: Database) -> None:
    """Two empty cassettes are two causes, and two tickets."""
    empty = SomeFault(rule="cassette_empty", skill="cash", item="CST1")
    await fire(connection, empty)
    await fire(connection, replace(empty, item="CST2"))
    await engine(connection)
    assert [one["item"] for one in await tickets(connection)] == ["CST1", "CST2"]


async def rate(connection: Database, fault: UUID, severity: str) -> None:
    """The collector says that a fault is of another severity."""
    await connection.execute("UPDATE fault SET severity = %s WHERE id = %s", (severity, fault))


async def test_a_ticket_is_as_severe_as_its_fault_and_says_once_when_that_changed(
    connection: Database,
) -> None:
    """Minor, an hour later critical, then minor again; the engine runs twice each time."""
    fault = await fire(connection, replace(SomeFault(), severity="minor"))
    seen = []
    for severity in ("minor", "critical", "minor"):
        await rate(connection, fault, severity)
        await engine(connection)
        await engine(connection)
        seen.append((await tickets(connection))[0]["severity"])
    assert seen == ["minor", "critical", "minor"]
    cursor = await connection.execute(
        "SELECT reason, severity_before FROM ticket_transition WHERE event = 'rate' ORDER BY id"
    )
    assert await cursor.fetchall() == [
        ("minor to critical", "minor"),
        ("critical to minor", "critical"),
    ]


async def test_a_warning_that_becomes_more_raises_a_ticket_then(connection: Database) -> None:
    fault = await fire(connection, replace(SomeFault(), severity="warning"))
    await engine(connection)
    assert await tickets(connection) == []
    await rate(connection, fault, "major")
    await engine(connection)
    assert [one["severity"] for one in await tickets(connection)] == ["major"]
