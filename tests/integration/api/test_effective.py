"""What counts of a terminal's time: windows, schedules and corrections over what is recorded."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Any

import httpx
import pytest
from psycopg import AsyncConnection
from psycopg.rows import TupleRow

from api.corrections import store
from api.corrections.schemas import Correction, CorrectionAsked
from api.scope import EVERYTHING
from fleet.db.pool import connect
from tests.integration.api.conftest import SignIn
from tests.integration.api.test_uptime_by import HOUR, MINUTE, a_bad_hour, was
from tests.integration.api.world import at_minute

Database = AsyncConnection[TupleRow]


@pytest.fixture
async def ops(sign_in: SignIn) -> httpx.AsyncClient:
    """Operations, signed in."""
    return await sign_in("ops")


async def of_terminal(ops: httpx.AsyncClient, code: str = "ATM-1", **query: Any) -> dict[str, Any]:
    answer = await ops.get("/api/v1/uptime", params=HOUR | {"by": "terminal"} | query)
    assert answer.status_code == 200, answer.text
    [found] = [one for one in answer.json()["items"] if one["part"] == code]
    assert found["up_us"] + found["down_us"] + found["unknown_us"] == found["scope_us"]
    return dict(found)


def span(begin: float, end: float) -> dict[str, str]:
    return {"from": at_minute(begin).isoformat(), "to": at_minute(end).isoformat()}


async def test_maintenance_is_taken_out_of_the_scope(
    ops: httpx.AsyncClient, connection: Database, sign_in: SignIn
) -> None:
    """The works of minutes 12 to 18 lie within an outage of ten: six are judged no more. Who sees
    the one cell alone is told the same, though the window is of the district."""
    await a_bad_hour(connection)
    asked = {"purpose": "maintenance", "cell": "D01", "reason": "Works"} | span(12, 18)
    assert (await ops.post("/api/v1/windows", json=asked)).status_code == 200
    silence = {"purpose": "silence", "cell": "D01", "reason": "Noise"} | span(20, 60)
    assert (await ops.post("/api/v1/windows", json=silence)).status_code == 200
    for who in (ops, await sign_in("tech01")):
        found = await of_terminal(who)
        assert found["scope_us"] == 54 * MINUTE
        assert found["down_by_cause_us"] == {
            "card_reader_jammed": 2 * MINUTE,
            "silent": 2 * MINUTE,
            "cash_out": 10 * MINUTE,
        }
        assert (found["outages"], found["longest_outage_us"]) == (3, 10 * MINUTE)
    listed = (await ops.get("/api/v1/cells/C001/outages", params=HOUR)).json()["items"]
    assert sorted(one["us"] for one in listed)[:2] == [2 * MINUTE, 2 * MINUTE]
    timeline = (await ops.get("/api/v1/terminals/ATM-1/timeline", params=HOUR)).json()["items"]
    assert [one["state"] for one in timeline if one["kind"] == "state"] == [
        *("in_service", "out_of_service", "planned_maintenance", "offline", "in_service"),
        "cash_out",
    ]
    assert timeline[-1]["to"] is None


async def test_a_window_planned_for_the_past_by_mistake_counts_no_more(
    ops: httpx.AsyncClient, connection: Database, sign_in: SignIn
) -> None:
    """Taken back, what was of it stays; annulled, the hour is judged as if it had never been, and
    who planned it, who says otherwise and why stays on record."""
    await a_bad_hour(connection)
    before = await of_terminal(ops)
    asked = {"purpose": "maintenance", "cell": "D01", "reason": "Works"} | span(12, 18)
    path = f"/api/v1/windows/{(await ops.post('/api/v1/windows', json=asked)).json()['id']}"
    assert (await ops.delete(path)).json()["annulled_at"] is None
    assert (await of_terminal(ops))["scope_us"] == 54 * MINUTE
    why = {"reason": "They were in November"}
    assert (await (await sign_in("tech01")).post(f"{path}/annulment", json=why)).status_code == 403
    annulled = (await ops.post(f"{path}/annulment", json=why)).json()
    assert annulled["annulled_at"] is not None
    assert (annulled["annulled_by"], annulled["annulled_because"]) == ("ops", why["reason"])
    assert await of_terminal(ops) == before
    again = await (await sign_in("admin")).post(f"{path}/annulment", json={"reason": "Twice"})
    assert again.json() == annulled
    kept = (await ops.get("/api/v1/audit?subject=planned_window")).json()["items"][0]
    assert (kept["actor"], kept["after"]["annulled_because"]) == ("ops", why["reason"])


async def test_hours_outside_of_the_schedule_are_not_judged(
    ops: httpx.AsyncClient, connection: Database
) -> None:
    """Branches open at minute 15; a terminal with a schedule of its own is always open."""
    await a_bad_hour(connection)
    minutes = at_minute(15)
    week = {str(minutes.isoweekday()): [f"{minutes:%H:%M}-24:00"]}
    always = {str(day): ["00:00-24:00"] for day in range(1, 8)}
    for code, hours, about in (
        ("branch", week, {"cell": "D01"}),
        ("lobby", always, {"terminal": "ATM-3"}),
    ):
        made = {"code": code, "name": code, "time_zone": "UTC", "week": hours}
        assert (await ops.post("/api/v1/schedules", json=made)).status_code == 200
        use = about | {"from": at_minute(0).isoformat(), "reason": "Hours"}
        assert (await ops.post(f"/api/v1/schedules/{code}/uses", json=use)).status_code == 200
    found = await of_terminal(ops)
    assert (found["scope_us"], found["down_us"]) == (45 * MINUTE, 15 * MINUTE)
    assert (await of_terminal(ops, "ATM-3"))["scope_us"] == 60 * MINUTE
    assert (await of_terminal(ops, "ATM-2"))["unknown_us"] == 45 * MINUTE


async def test_a_correction_counts_and_leaves_the_original(
    ops: httpx.AsyncClient, connection: Database, sign_in: SignIn
) -> None:
    """The journal of the switch shows it paid out while we thought it silent; later that is found
    to be wrong, and withdrawn. Author and reason stay, and so does what was recorded."""
    await a_bad_hour(connection)
    path = "/api/v1/terminals/ATM-1/corrections"
    asked = {"state": "in_service", "reason": "It paid out"} | span(15, 20)
    made = (await ops.post(path, json=asked)).json()
    assert (made["author"], made["withdrawn_at"]) == ("ops", None)
    assert (await of_terminal(ops))["down_us"] == 15 * MINUTE
    recorded = "SELECT count(*) FROM service_interval WHERE state = 'offline'"
    assert await (await connection.execute(recorded)).fetchall() == [(1,)]
    outage = {"state": "out_of_service", "reason": "The screen was dark"} | span(18, 22)
    await ops.post(path, json=outage)
    found = await of_terminal(ops)
    assert found["down_us"] == (5 + 4 + 10) * MINUTE
    assert found["down_by_cause_us"]["correction"] == 4 * MINUTE
    withdrawn = (await ops.delete(f"{path}/{made['id']}")).json()
    assert (withdrawn["withdrawn_by"], withdrawn["reason"]) == ("ops", "It paid out")
    assert (await of_terminal(ops))["down_us"] == (5 + 5 + 2 + 10) * MINUTE
    assert len((await ops.get(path)).json()["items"]) == 2
    assert (await ops.delete(f"{path}/{made['id']}")).status_code == 404
    backwards = await ops.post(path, json=asked | span(20, 15))
    assert backwards.json()["errors"][0]["field"] == "body.to"
    technician = await sign_in("tech01")
    assert (await technician.post(path, json=asked)).status_code == 403
    assert (await technician.get(path)).status_code == 200
    assert (await technician.get("/api/v1/terminals/ATM-4/corrections")).status_code == 404
    assert (await ops.post("/api/v1/terminals/ATM-9/corrections", json=asked)).status_code == 404


async def test_an_outage_is_told_whole_beyond_where_it_was_corrected(
    ops: httpx.AsyncClient, connection: Database
) -> None:
    """It was down to minute 20 and from minute 50, and a person says that it was so in between."""
    await a_bad_hour(connection)
    outage = {"state": "out_of_service", "reason": "The screen was dark"} | span(20, 50)
    await ops.post("/api/v1/terminals/ATM-1/corrections", json=outage)
    for window in (span(22, 25), span(16, 18), span(55, 58), span(-60, 58)):
        [one] = (await ops.get("/api/v1/cells/C001/outages", params=window)).json()["items"]
        assert (one["from"], one["to"]) == ("2026-11-23T08:10:00Z", None)


async def test_what_began_long_ago_is_told_from_its_beginning(
    ops: httpx.AsyncClient, connection: Database
) -> None:
    """A terminal was out for more than two years and works since; the window is a minute of it."""
    years = 800.0 * 24 * 60
    since = at_minute(-years - 60)
    await connection.execute("UPDATE terminal SET commissioned_at = %s", (since,))
    await connection.execute("UPDATE terminal_cell SET valid = tstzrange(%s, NULL)", (since,))
    await was(
        connection,
        "ATM-1",
        ("in_service", -years - 60, -years, ""),
        ("offline", -years, 20, "silent"),
        ("in_service", 20, None, ""),
    )
    for begin, end in ((10.0, 11.0), (-years / 2, 1 - years / 2), (-years, 1 - years)):
        path = "/api/v1/terminals/ATM-1/timeline"
        [state] = (await ops.get(path, params=span(begin, end))).json()["items"]
        [outage] = (await ops.get("/api/v1/cells/C001/outages", params=span(begin, end))).json()[
            "items"
        ]
        for told in (state, outage):
            assert (told["from"], told["to"]) == ("2024-09-14T08:00:00Z", "2026-11-23T08:20:00Z")


async def test_two_who_correct_at_once_are_each_told_their_own(
    connection: Database, database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Told the other's, one would withdraw what somebody else said."""
    others: list[Correction] = []
    read = store.corrections

    async def when_another_was_faster(*given: Any) -> Sequence[Correction]:
        if not others:
            others.append(await correct(other, "second"))
        return await read(*given)

    async def correct(one: Database, author: str) -> Correction:
        if author == "second":
            monkeypatch.undo()
        asked = CorrectionAsked.model_validate(
            {"state": "in_service", "reason": f"By {author}"} | span(15, 20)
        )
        return await store.correct(one, EVERYTHING, "ATM-1", asked, author, at_minute(60))

    async with await connect(database_url, name="other", autocommit=True) as other:
        monkeypatch.setattr(store, "corrections", when_another_was_faster)
        told = await correct(connection, "first")
    assert [told.author, others[0].author] == ["first", "second"]


async def test_what_is_to_come_cannot_be_corrected(ops: httpx.AsyncClient) -> None:
    """A year mistyped would let a terminal be in service for as long, whatever becomes of it."""
    asked = {"state": "in_service", "reason": "It paid out"} | span(15, 20)
    answer = await ops.post(
        "/api/v1/terminals/ATM-1/corrections", json=asked | {"to": "2199-11-23T08:20:00Z"}
    )
    assert (answer.status_code, answer.json()["errors"][0]["field"]) == (422, "body.to")


async def test_a_target_leaves_an_error_budget(
    ops: httpx.AsyncClient, connection: Database
) -> None:
    """Of 60 known minutes 95 % allows three; twenty were down. Without a target there is none."""
    await a_bad_hour(connection)
    found = await of_terminal(ops, target="0.95")
    assert (found["budget_us"], found["budget_left_us"]) == (3 * MINUTE, -17 * MINUTE)
    found = await of_terminal(ops)
    assert (found["budget_us"], found["budget_left_us"]) == (None, None)
    refused = await ops.get("/api/v1/uptime", params=HOUR | {"target": "95"})
    assert refused.status_code == 422


async def test_what_goes_on_is_told_whole(ops: httpx.AsyncClient, connection: Database) -> None:
    """An outage that began before the window and is not over."""
    await a_bad_hour(connection)
    window = {"from": (at_minute(50) + timedelta(minutes=1)).isoformat()}
    [one] = (await ops.get("/api/v1/cells/C001/outages", params=window)).json()["items"]
    assert (one["from"], one["to"]) == ("2026-11-23T08:50:00Z", None)


_PAST = """
    INSERT INTO service_interval (terminal_id, state, period)
    SELECT terminal.id, 'in_service', tstzrange(begin, begin + interval '1 hour')
    FROM terminal, generate_series(now() - interval '2000 h', now(), interval '1 hour') AS begin;
    ANALYZE service_interval, terminal, terminal_cell;
"""
_SCOPED = """
    SELECT set_config('role', 'tellergrid_scoped', true),
        set_config('tellergrid.scope', '{C001}', true)
"""
_LAST_HOUR = """
    FROM effective_interval(tstzrange(now() - interval '1 hour', now()),
        (SELECT array_agg(id) FROM generate_series(1, 100) AS id))
"""


@pytest.mark.parametrize("blind", [False, True])
async def test_of_a_technicians_terminals_only_what_is_asked_for_is_read(
    connection: Database, blind: bool
) -> None:
    """The last hour of two thousand that were recorded of each: of two terminals and no others."""
    async with connection.transaction():
        await connection.execute(_PAST.encode())
        if blind:  # the long way, on which what was claimed comes before what is recorded
            await connection.execute(
                "INSERT INTO blindness SELECT code, tstzrange(now() - interval '10 min', now()),"
                " 'broker' FROM region"
            )
        mine = await connection.execute("SELECT id FROM terminal WHERE code IN ('ATM-1', 'ATM-2')")
        expected = {key for (key,) in await mine.fetchall()}
        await connection.execute("SET LOCAL enable_seqscan = off")
        await connection.execute(_SCOPED)
        seen = await connection.execute(f"SELECT terminal_id {_LAST_HOUR}".encode())
        assert {key for (key,) in await seen.fetchall()} == expected
        explained = "EXPLAIN (ANALYZE, BUFFERS, FORMAT JSON) SELECT count(*)" + _LAST_HOUR
        [([top],)] = await (await connection.execute(explained.encode())).fetchall()
        assert top["Plan"]["Shared Hit Blocks"] + top["Plan"]["Shared Read Blocks"] < 500


async def test_who_logs_in_with_a_scopes_rights_sees_no_more_than_the_scope(
    connection: Database,
) -> None:
    """A role of the bank's own, that inherits and enters none, is no owner."""
    count = b"SELECT count(DISTINCT terminal_id)" + _LAST_HOUR.encode()
    async with connection.transaction(force_rollback=True):
        await connection.execute(_PAST.encode())
        [(everybody,)] = await (await connection.execute(count)).fetchall()
        await connection.execute("CREATE ROLE a_reader LOGIN IN ROLE tellergrid_scoped")
        await connection.execute("SET LOCAL SESSION AUTHORIZATION a_reader")
        assert await (await connection.execute(count)).fetchall() == [(0,)]
        await connection.execute("SELECT set_config('tellergrid.scope', '{C001}', true)")
        assert await (await connection.execute(count)).fetchall() == [(2,)]
        await connection.execute("RESET SESSION AUTHORIZATION")
    assert everybody > 2
