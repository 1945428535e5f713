"""Uptime of a cell over HTTP: the formulas of the design, to the microsecond."""

from datetime import timedelta
from typing import Any

import httpx
import pytest
from psycopg import AsyncConnection
from psycopg.rows import TupleRow

from tests.integration.api.conftest import SignIn
from tests.integration.api.world import BEGAN, at_minute

Database = AsyncConnection[TupleRow]
MINUTE = 60_000_000
HOUR = {"from": at_minute(0).isoformat(), "to": at_minute(60).isoformat()}


@pytest.fixture
async def ops(sign_in: SignIn) -> httpx.AsyncClient:
    """Operations, signed in."""
    return await sign_in("ops")


async def was(
    connection: Database, terminal: str, *stretches: tuple[str, float, float | None]
) -> None:
    """A terminal was in states from minute to minute."""
    for state, begin, end in stretches:
        await connection.execute(
            "INSERT INTO service_interval SELECT id, %s, tstzrange(%s, %s) FROM terminal"
            " WHERE code = %s",
            (state, at_minute(begin), None if end is None else at_minute(end), terminal),
        )


async def uptime(ops: httpx.AsyncClient, cell: str, **query: Any) -> dict[str, Any]:
    answer = await ops.get(f"/api/v1/cells/{cell}/uptime", params=HOUR | query)
    assert answer.status_code == 200, answer.text
    body: dict[str, Any] = answer.json()
    return body


async def test_the_figures_are_those_of_the_design(
    ops: httpx.AsyncClient, connection: Database
) -> None:
    """One hour of two terminals, with every kind of state in it."""
    await was(
        connection,
        "ATM-1",
        ("in_service", 0, 20),
        ("degraded", 20, 30),
        ("out_of_service", 30, 36),
        ("cash_out", 36, 40),
        ("planned_maintenance", 40, 50),
        ("unknown", 50, 55),
    )
    await was(connection, "ATM-2", ("in_service", 0, None))
    cell = await uptime(ops, "C001", detail="true")
    assert cell["scope_us"] == (50 + 60) * MINUTE
    assert cell["up_us"] == (30 + 60) * MINUTE
    assert cell["down_us"] == 10 * MINUTE
    assert cell["unknown_us"] == 10 * MINUTE
    assert cell["operational"] == 90 / 100
    assert cell["technical"] == 94 / 100
    assert cell["full_function"] == 80 / 100
    assert cell["coverage"] == 100 / 110
    assert (cell["time_zone"], cell["terminals"]) == ("UTC", 2)
    assert (cell["from"], cell["to"]) == ("2026-11-23T08:00:00Z", "2026-11-23T09:00:00Z")
    first, second = cell["detail"]
    assert (first["terminal"], second["terminal"]) == ("ATM-1", "ATM-2")
    assert (first["operational"], second["operational"]) == (30 / 40, 1.0)
    for name in ("scope_us", "up_us", "down_us", "unknown_us"):
        assert first[name] + second[name] == cell[name]


async def test_who_changes_often_is_known_all_the_time(
    ops: httpx.AsyncClient, connection: Database
) -> None:
    """Up and down in turn, three minutes each: the first of them counts as the last does."""
    turns = [("in_service", "offline")[turn % 2] for turn in range(20)]
    lived = [(state, 3.0 * turn, 3.0 * turn + 3) for turn, state in enumerate(turns)]
    await was(connection, "ATM-1", ("cash_out", -60, 0), *lived, ("in_service", 60, None))
    await was(connection, "ATM-2", ("in_service", -60, None))
    cell = await uptime(ops, "C001")
    assert (cell["up_us"], cell["down_us"]) == ((30 + 60) * MINUTE, 30 * MINUTE)


async def test_a_cell_is_not_the_mean_of_its_members(
    ops: httpx.AsyncClient, connection: Database
) -> None:
    """Known for ten minutes and down, beside known for an hour and up: 60 of 70, not a half."""
    await was(connection, "ATM-1", ("offline", 0, 10))
    await was(connection, "ATM-2", ("in_service", 0, 60))
    cell = await uptime(ops, "C001")
    assert cell["operational"] == 60 / 70
    assert cell["detail"] is None


async def test_a_district_is_all_cells_below_it(
    ops: httpx.AsyncClient, connection: Database
) -> None:
    """D01 has no terminal itself; its cells have three."""
    for terminal in ("ATM-1", "ATM-2", "ATM-3"):
        await was(connection, terminal, ("in_service", 0, None))
    district = await uptime(ops, "D01")
    assert (district["terminals"], district["scope_us"]) == (3, 3 * 60 * MINUTE)
    assert district["operational"] == 1.0


async def test_nothing_known_is_no_figure(ops: httpx.AsyncClient) -> None:
    """Without a record nobody can say: no availability, and a coverage of nought."""
    cell = await uptime(ops, "C002")
    assert (cell["operational"], cell["technical"], cell["full_function"]) == (None, None, None)
    assert (cell["coverage"], cell["unknown_us"]) == (0.0, 60 * MINUTE)


async def test_before_it_was_there_a_terminal_is_not_judged(
    ops: httpx.AsyncClient, connection: Database
) -> None:
    """Commissioned in the middle of the window, gone before its end: only that counts."""
    await connection.execute(
        "UPDATE terminal SET commissioned_at = %s, decommissioned_at = %s WHERE code = 'ATM-3'",
        (at_minute(20), at_minute(50)),
    )
    await was(connection, "ATM-3", ("in_service", 0, None))
    cell = await uptime(ops, "C002")
    assert (cell["scope_us"], cell["up_us"]) == (30 * MINUTE, 30 * MINUTE)


async def test_what_is_to_come_is_not_judged(ops: httpx.AsyncClient) -> None:
    """A window that ends next year ends now; one that begins then has no scope."""
    later = {"to": (BEGAN + timedelta(days=400)).isoformat()}
    cell = await uptime(ops, "C002", **later)
    assert cell["until"] < cell["to"]
    assert cell["scope_us"] < 400 * 24 * 60 * MINUTE
    future = {"from": (BEGAN + timedelta(days=390)).isoformat()}
    nothing = await uptime(ops, "C002", **later, **future)
    assert (nothing["scope_us"], nothing["coverage"], nothing["until"]) == (
        0,
        None,
        nothing["from"],
    )


async def test_the_default_is_the_last_day(ops: httpx.AsyncClient, connection: Database) -> None:
    """Nothing asked: 24 hours up to now; only a beginning: up to now."""
    await connection.execute("UPDATE terminal SET commissioned_at = now() - interval '9 days'")
    await connection.execute(
        "UPDATE terminal_cell SET valid = tstzrange(now() - interval '9 days', NULL)"
    )
    cell = (await ops.get("/api/v1/cells/C002/uptime")).json()
    assert cell["scope_us"] == 24 * 60 * MINUTE
    assert cell["to"] == cell["until"]


async def test_a_window_may_be_given_in_any_time_zone(
    ops: httpx.AsyncClient, connection: Database
) -> None:
    """The same hour on a clock in Hangzhou; the answer is in UTC, and says so."""
    await was(connection, "ATM-3", ("in_service", 0, 30))
    local = {"from": "2026-11-23T16:00:00+08:00", "to": "2026-11-23T17:00:00+08:00"}
    assert await uptime(ops, "C002", **local) == await uptime(ops, "C002")


async def test_what_we_did_not_see_is_unknown(ops: httpx.AsyncClient, connection: Database) -> None:
    """Up for the whole hour as recorded; our broker was away for ten minutes of it."""
    await was(connection, "ATM-1", ("in_service", 0, None))
    await was(connection, "ATM-2", ("in_service", 0, 30), ("offline", 30, None))
    await connection.execute(
        "INSERT INTO blindness SELECT code, tstzrange(%s, %s), 'broker' FROM region",
        (at_minute(25), at_minute(35)),
    )
    cell = await uptime(ops, "C001")
    assert cell["unknown_us"] == 20 * MINUTE
    assert cell["up_us"] == (25 + 25 + 25) * MINUTE
    assert cell["down_us"] == 25 * MINUTE
    assert cell["up_us"] + cell["down_us"] + cell["unknown_us"] == cell["scope_us"]


async def test_a_region_nobody_sees_now_has_terminals_of_unknown_state(
    ops: httpx.AsyncClient, connection: Database
) -> None:
    """The collector has noted nothing for a minute: what it knew last is not claimed any more."""
    await connection.execute(
        "INSERT INTO terminal_state (terminal_id, service_state) SELECT id, 'in_service'"
        " FROM terminal ON CONFLICT (terminal_id) DO UPDATE SET service_state = 'in_service'"
    )
    await connection.execute(
        "INSERT INTO region_service (region_code, collector, seen_until)"
        " SELECT code, 'somebody', now() - interval '1 minute' FROM region"
    )
    terminal = (await ops.get("/api/v1/terminals/ATM-1")).json()
    assert terminal["service_state"] == "unknown"
    cell = (await ops.get("/api/v1/cells/C001")).json()
    assert set(cell["by_state"]) == {"unknown"}
    await connection.execute("UPDATE region_service SET seen_until = now() + interval '1 h'")
    terminal = (await ops.get("/api/v1/terminals/ATM-1")).json()
    assert terminal["service_state"] == "in_service"
