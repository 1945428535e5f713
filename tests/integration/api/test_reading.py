"""What people read: cells, terminals, faults, tickets, technicians, rules."""

import json
from datetime import timedelta
from functools import partial
from typing import Any

import httpx
import pytest
from psycopg import AsyncConnection
from psycopg.rows import TupleRow

from fleet.rules.catalogue import load
from tests.integration.api.conftest import SignIn
from tests.integration.api.test_scheduled import listening, tickets_are, until
from tests.integration.api.world import SomeFault, at_minute, clear, fire

Database = AsyncConnection[TupleRow]


@pytest.fixture
async def ops(sign_in: SignIn, connection: Database) -> httpx.AsyncClient:
    """Operations, signed in to a running api."""
    await listening(connection)
    return await sign_in("ops")


async def get(client: httpx.AsyncClient, path: str, **query: Any) -> dict[str, Any]:
    answer = await client.get(f"/api/v1/{path}", params=query)
    assert answer.status_code == 200, answer.text
    body: dict[str, Any] = answer.json()
    return body


async def pages(client: httpx.AsyncClient, path: str, limit: int, **query: Any) -> list[Any]:
    """Every item of a collection, read page by page; gives the pages."""
    found, cursor = [], None
    while True:
        page = await get(
            client, path, limit=limit, **query, **({"cursor": cursor} if cursor else {})
        )
        found.append(page["items"])
        cursor = page["next"]
        if cursor is None:
            return found


async def in_state(connection: Database, terminal: str, state: str) -> None:
    await connection.execute(
        "WITH snapshot AS (INSERT INTO terminal_snapshot (terminal_id, status, storage)"
        " SELECT id, %(status)s, '[]' FROM terminal WHERE code = %(terminal)s)"
        " INSERT INTO terminal_state (terminal_id, boot, seq, ts, arrived_at, heard_at, connected,"
        " metrics, service_state, service_since)"
        " SELECT id, 17, 4211, %(ts)s, %(ts)s, %(ts)s, true,"
        " '{\"rtt_ms\": 42}', %(state)s, %(ts)s FROM terminal WHERE code = %(terminal)s",
        {
            "ts": at_minute(1),
            "status": json.dumps({"cardReader": {"media": "jammed"}}),
            "state": state,
            "terminal": terminal,
        },
    )


async def test_a_cell_says_what_stands_in_it_and_who_answers(
    ops: httpx.AsyncClient, connection: Database
) -> None:
    """Counts are of the cell with all below it; the people nearest first."""
    await in_state(connection, "ATM-1", "out_of_service")
    await in_state(connection, "ATM-3", "in_service")
    await fire(connection)
    await until(lambda: tickets_are(connection, "ASSIGNED"))
    cell = await get(ops, "cells/C001")
    assert (cell["terminals"], cell["by_state"]) == (2, {"out_of_service": 1, "unknown": 1})
    assert (cell["open_faults"], cell["open_tickets"], cell["parent"]) == (1, 1, "D01")
    assert [(one["code"], one["answers_for"]) for one in cell["people"]] == [
        ("T01", "C001"),
        ("T02", "D01"),
    ]
    assert cell["boundary"]["type"] == "Polygon"
    district = await get(ops, "cells/D01")
    assert district["terminals"] == 3
    assert district["by_state"] == {"in_service": 1, "out_of_service": 1, "unknown": 1}
    assert (district["open_faults"], district["open_tickets"]) == (1, 1)


async def test_a_terminal_says_how_it_is(ops: httpx.AsyncClient, connection: Database) -> None:
    """Registry, service state, latest snapshot, what is open on it."""
    await in_state(connection, "ATM-1", "out_of_service")
    fault = await fire(connection)
    await until(lambda: tickets_are(connection, "ASSIGNED"))
    terminal = await get(ops, "terminals/ATM-1")
    assert (terminal["cell"], terminal["service_state"]) == ("C001", "out_of_service")
    assert terminal["snapshot"]["status"] == {"cardReader": {"media": "jammed"}}
    assert terminal["snapshot"]["ts"] == "2026-11-23T08:01:00Z"
    assert [one["id"] for one in terminal["open_faults"]] == [str(fault)]
    [ticket] = terminal["open_tickets"]
    assert (ticket["technician"], ticket["allowed"]) == (
        "T01",
        ["assign", "hand_over", "cancel", "merge"],
    )
    assert (terminal["clock_skew_s"], terminal["clock_measured_at"]) == (None, None)
    silent = await get(ops, "terminals/KSK-5")
    assert (silent["service_state"], silent["snapshot"]) == ("unknown", None)


async def test_a_terminal_says_how_far_its_clock_is_off(
    ops: httpx.AsyncClient, connection: Database
) -> None:
    """As the collector measured it: ninety seconds behind; alone and in the list."""
    await connection.execute(
        "INSERT INTO terminal_clock SELECT id, -90500000, '2026-11-23 08:01+00'"
        " FROM terminal WHERE code = 'ATM-1'"
    )
    await connection.commit()
    terminal = await get(ops, "terminals/ATM-1")
    listed = (await get(ops, "terminals", q="ATM-1"))["items"][0]
    for each in (terminal, listed):
        assert each["clock_skew_s"] == -90.5
        assert each["clock_measured_at"] == "2026-11-23T08:01:00Z"


TERMINALS: list[tuple[dict[str, Any], list[str]]] = [
    ({}, ["ATM-1", "ATM-2", "ATM-3", "ATM-4", "KSK-5"]),
    ({"cell": "D01"}, ["ATM-1", "ATM-2", "ATM-3"]),
    ({"cell": "C002"}, ["ATM-3"]),
    ({"cell": "nowhere"}, []),
    ({"kind": "kiosk"}, ["KSK-5"]),
    ({"state": "cash_out"}, ["ATM-2"]),
    ({"state": ["cash_out", "offline"]}, ["ATM-2", "ATM-4"]),
    ({"state": "unknown"}, ["ATM-1", "ATM-3", "KSK-5"]),
    ({"q": "atm-"}, ["ATM-1", "ATM-2", "ATM-3", "ATM-4"]),
    ({"q": "site c003"}, ["ATM-4", "KSK-5"]),
    ({"q": "A_M"}, []),
    ({"q": "%"}, []),
    ({"cell": "D02", "kind": "atm", "q": "vendor"}, ["ATM-4"]),
]


async def test_terminals_are_filtered(ops: httpx.AsyncClient, connection: Database) -> None:
    """By cell with all below it, by state, by kind, by text that is taken literally."""
    await in_state(connection, "ATM-2", "cash_out")
    await in_state(connection, "ATM-4", "offline")
    for query, expected in TERMINALS:
        found = await get(ops, "terminals", **query)
        assert [one["id"] for one in found["items"]] == expected, query


async def test_pages_follow_one_another(ops: httpx.AsyncClient) -> None:
    """Page by page, everything once, in order; the last page says so."""
    for limit in (1, 2, 4, 5, 100):
        found = await pages(ops, "terminals", limit)
        ids = [one["id"] for page in found for one in page]
        assert ids == ["ATM-1", "ATM-2", "ATM-3", "ATM-4", "KSK-5"]
        assert all(len(page) == limit for page in found[:-1])


async def test_a_page_does_not_shift_when_something_is_added(
    ops: httpx.AsyncClient, connection: Database
) -> None:
    """A fault that fires while one reads is on no page twice and pushes none off."""
    for minute in range(4):
        await fire(connection, SomeFault(item=str(minute), began=at_minute(minute)))
    first = await get(ops, "faults", limit=2)
    await fire(connection, SomeFault(item="new", began=at_minute(9)))
    second = await get(ops, "faults", limit=2, cursor=first["next"])
    assert [one["item"] for one in first["items"] + second["items"]] == ["3", "2", "1", "0"]


async def test_faults_are_filtered_and_ordered(
    ops: httpx.AsyncClient, connection: Database
) -> None:
    """The latest begun first; open, by cell, terminal, rule, severity."""
    old = await fire(connection, SomeFault(rule="paper_low", severity="warning"))
    await clear(connection, old)
    new = await fire(connection, SomeFault(terminal="ATM-3", cell="C002", began=at_minute(5)))
    everything = [str(new), str(old)]
    for query, expected in (
        ({}, everything),
        ({"open": True}, [str(new)]),
        ({"open": False}, [str(old)]),
        ({"cell": "D01"}, everything),
        ({"cell": "C002"}, [str(new)]),
        ({"terminal": "ATM-1"}, [str(old)]),
        ({"rule": "paper_low"}, [str(old)]),
        ({"severity": "major"}, [str(new)]),
    ):
        found = await get(ops, "faults", **query)
        assert [one["id"] for one in found["items"]] == expected, query


async def test_a_fault_says_what_became_of_it(ops: httpx.AsyncClient, connection: Database) -> None:
    """Its changes in order, and its ticket."""
    fault = await fire(connection)
    await until(lambda: tickets_are(connection, "ASSIGNED"))
    await clear(connection, fault)
    await until(lambda: tickets_are(connection, "RESOLVED"))
    detail = await get(ops, f"faults/{fault}")
    assert [one["change"] for one in detail["changes"]] == ["fired", "cleared"]
    assert detail["cleared_at"] is not None
    [ticket] = (await get(ops, "tickets"))["items"]
    assert detail["ticket"] == ticket["id"]


async def test_tickets_are_filtered(ops: httpx.AsyncClient, connection: Database) -> None:
    """By state, live or ended, cell, terminal, technician; the newest first."""
    first = await fire(connection)
    await until(lambda: tickets_are(connection, "ASSIGNED"))
    await clear(connection, first)
    await until(lambda: tickets_are(connection, "RESOLVED"))
    await connection.execute("UPDATE ticket SET state = 'CLOSED'")
    await fire(connection, SomeFault(terminal="ATM-4", cell="C003"))
    await until(lambda: tickets_are(connection, "CLOSED", "ASSIGNED"))
    for query, expected in (
        ({}, ["ATM-4", "ATM-1"]),
        ({"open": True}, ["ATM-4"]),
        ({"open": False}, ["ATM-1"]),
        ({"state": "CLOSED"}, ["ATM-1"]),
        ({"state": ["NEW", "ASSIGNED", "CLOSED"]}, ["ATM-4", "ATM-1"]),
        ({"cell": "D02"}, ["ATM-4"]),
        ({"terminal": "ATM-1"}, ["ATM-1"]),
        ({"technician": "T03"}, ["ATM-4"]),
        ({"technician": "T02"}, []),
    ):
        found = await get(ops, "tickets", **query)
        assert [one["terminal"] for one in found["items"]] == expected, query
    assert [len(page) for page in await pages(ops, "tickets", 1)] == [1, 1]


async def test_a_technician_has_the_most_urgent_first(
    sign_in: SignIn, connection: Database
) -> None:
    """By severity, then by age; what is resolved is not to do; page by page too."""
    await listening(connection)
    for number, severity in enumerate(("minor", "critical", "major", "critical")):
        await fire(connection, SomeFault(item=str(number), severity=severity))
        await until(partial(tickets_are, connection, *["ASSIGNED"] * (number + 1)))
    done = await fire(connection, SomeFault(item="done", severity="critical"))
    await until(lambda: tickets_are(connection, *["ASSIGNED"] * 5))
    await clear(connection, done)
    await until(lambda: tickets_are(connection, *["ASSIGNED"] * 4, "RESOLVED"))
    technician = await sign_in("tech01")
    for limit in (100, 1):
        found = await pages(technician, "me/tickets", limit)
        assert [one["item"] for page in found for one in page] == ["1", "3", "2", "0"]
    assert (await get(await sign_in("ops"), "me/tickets"))["items"] == []


async def test_a_timeline_has_everything_in_order(
    ops: httpx.AsyncClient, connection: Database
) -> None:
    """Service states, faults and tickets that touch the window, by when they began."""
    for state, begin, end in (("in_service", 0, 10), ("out_of_service", 10, None)):
        await connection.execute(
            "INSERT INTO service_interval SELECT id, %s, tstzrange(%s, %s), %s FROM terminal"
            " WHERE code = 'ATM-1'",
            (state, at_minute(begin), None if end is None else at_minute(end), ["jam"]),
        )
    await fire(connection, SomeFault(began=at_minute(10)))
    await until(lambda: tickets_are(connection, "ASSIGNED"))
    window = {
        "from": at_minute(-5).isoformat(),
        "to": (at_minute(0) + timedelta(days=9)).isoformat(),
    }
    timeline = await get(ops, "terminals/ATM-1/timeline", **window)
    assert [one["kind"] for one in timeline["items"]] == ["state", "fault", "state", "ticket"]
    first, fault, second, ticket = timeline["items"]
    assert (first["from"], first["to"]) == ("2026-11-23T08:00:00Z", "2026-11-23T08:10:00Z")
    assert (second["state"], second["to"], second["causes"]) == ("out_of_service", None, ["jam"])
    assert (fault["rule"], ticket["technician"]) == ("card_reader_jammed", "T01")
    before = await get(
        ops,
        "terminals/ATM-1/timeline",
        **{"from": at_minute(-60).isoformat(), "to": at_minute(0).isoformat()},
    )
    assert before["items"] == []


async def test_technicians_and_rules(ops: httpx.AsyncClient) -> None:
    """Who there is and what they have to do; every rule of the catalogue, and which it is."""
    technicians = (await get(ops, "technicians"))["items"]
    assert [(one["code"], one["cells"], one["to_do"]) for one in technicians] == [
        ("T01", ["C001"], 0),
        ("T02", ["D01"], 0),
        ("T03", ["C003"], 0),
    ]
    rules = await get(ops, "rules")
    catalogue = load()
    assert rules["identity"] == catalogue.identity
    assert [one["name"] for one in rules["items"]] == [rule.name for rule in catalogue.rules]
    assert all(one["title"] for one in rules["items"])
    held = {one["name"] for one in rules["items"] if one["for"]}
    assert {"card-reader-jammed"} & held == {"card-reader-jammed"}


WRONG = [
    ("terminals?stat=offline", "query.stat"),
    ("cells/C001/uptime?form=2026-11-23T08:00:00Z", "query.form"),
    ("terminals?limit=0", "query.limit"),
    ("terminals?limit=501", "query.limit"),
    ("terminals?cursor=garbage", "query.cursor"),
    ("faults?cursor=IkFUTS0xIg==", "query.cursor"),
    ("terminals?state=broken", "query.state.0"),
    ("faults/4711", "path.id"),
    ("tickets/0", "path.id"),
    ("cells/C001/uptime?from=2026-11-23T08:00:00", "query.from"),
    ("cells/C001/uptime?from=1700000000", "query.from"),
    ("cells/C001/uptime?to=0001-01-01T00:00:00Z", "query.to"),
    ("uptime?from=9999-12-31T23:59:59-14:00", "query.from"),
    ("rules/shadows?since=9999-12-31T23:59:59-14:00", "query.since"),
    ("tickets?sort=due&cursor=WyIyMDI2LTAxLTAxVDAwOjAwOjAwIiwgMV0=", "query.cursor"),
    ("cells/C001/uptime?from=2026-11-23T08:00:00+08:00", "query.from"),
    ("cells/C001/uptime?from=2026-11-23T08:00:00Z&to=2026-11-23T08:00:00Z", "query.from"),
]


async def test_a_wrong_parameter_is_named(ops: httpx.AsyncClient) -> None:
    """Misspelt, out of range, without an offset, an empty window: 422, and which field."""
    for path, field in WRONG:
        answer = await ops.get(f"/api/v1/{path}")
        assert answer.status_code == 422, (path, answer.text)
        assert [one["field"] for one in answer.json()["errors"]] == [field], path
        assert answer.json()["detail"]


NOT_THERE = [
    ("cells/nowhere", 404),
    ("cells/nowhere/uptime", 404),
    ("terminals/nowhere", 404),
    ("terminals/nowhere/timeline", 404),
    ("faults/00000000-0000-0000-0000-000000000000", 404),
    ("tickets/4711", 404),
    ("no/such/path", 404),
    ("terminals?q=%00", 422),
]


async def test_what_is_not_there_is_a_problem_too(ops: httpx.AsyncClient) -> None:
    """One shape for every error, also for what the framework or the database refuses."""
    for path, status in NOT_THERE:
        answer = await ops.get(f"/api/v1/{path}")
        assert answer.status_code == status, (path, answer.text)
        assert answer.headers["Content-Type"] == "application/problem+json"
        assert answer.json()["status"] == status
