"""Uptime by anything, over HTTP: parts, buckets of a clock, outages, CSV."""

import asyncio
import csv
import io
import json
import re
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlencode

import httpx
import pyarrow as pa
import pytest
from psycopg import AsyncConnection
from psycopg.rows import TupleRow
from pyarrow import parquet
from typer.testing import CliRunner

from api.tables import Media
from api.uptime.figures import MOST_BUCKETS
from fleet.buckets import buckets
from tellergrid.cli import app
from tests.integration.api.conftest import SignIn
from tests.integration.api.world import at_minute

Database = AsyncConnection[TupleRow]
MINUTE = 60_000_000
HOUR = {"from": at_minute(0).isoformat(), "to": at_minute(60).isoformat()}


@pytest.fixture
async def ops(sign_in: SignIn) -> httpx.AsyncClient:
    """Operations, signed in."""
    return await sign_in("ops")


async def was(
    connection: Database, terminal: str, *stretches: tuple[str, float, float | None, str]
) -> None:
    """A terminal was in states from minute to minute, because of a rule."""
    for state, begin, end, cause in stretches:
        await connection.execute(
            "INSERT INTO service_interval SELECT id, %s, tstzrange(%s, %s), %s FROM terminal"
            " WHERE code = %s",
            (
                state,
                at_minute(begin),
                None if end is None else at_minute(end),
                [cause] if cause else [],
                terminal,
            ),
        )


async def a_bad_hour(connection: Database) -> None:
    """ATM-1 is out, then offline, without a pause; later it has no cash. ATM-3 is well."""
    await was(
        connection,
        "ATM-1",
        ("in_service", 0, 10, ""),
        ("out_of_service", 10, 15, "card_reader_jammed"),
        ("offline", 15, 20, "silent"),
        ("in_service", 20, 50, ""),
        ("cash_out", 50, None, "cash_out"),
    )
    await was(connection, "ATM-3", ("in_service", 0, None, ""))


async def items(ops: httpx.AsyncClient, **query: Any) -> list[dict[str, Any]]:
    answer = await ops.get("/api/v1/uptime", params=HOUR | query)
    assert answer.status_code == 200, answer.text
    found: list[dict[str, Any]] = answer.json()["items"]
    return found


async def test_outages_and_their_causes(ops: httpx.AsyncClient, connection: Database) -> None:
    """Two states without a pause are one outage of ten minutes; without cash is another."""
    await a_bad_hour(connection)
    [one] = [one for one in await items(ops, by="terminal") if one["part"] == "ATM-1"]
    assert (one["outages"], one["longest_outage_us"]) == (2, 10 * MINUTE)
    assert (one["mtbf_us"], one["mttr_us"]) == (20 * MINUTE, 10 * MINUTE)
    assert one["cash_out_us"] == 10 * MINUTE
    assert one["down_by_cause_us"] == {
        "card_reader_jammed": 5 * MINUTE,
        "silent": 5 * MINUTE,
        "cash_out": 10 * MINUTE,
    }
    assert sum(one["down_by_component_us"].values()) == one["down_us"] == 20 * MINUTE


@pytest.mark.parametrize(
    ("query", "parts"),
    [
        ({"by": "fleet"}, {"fleet": 5}),
        ({"by": "cell"}, {"C001": 2, "C002": 1, "C003": 2}),
        ({"by": "cell", "cell": "D01"}, {"C001": 2, "C002": 1}),
        ({"by": "level"}, {"D01": 3, "D02": 2}),
        ({"by": "level", "level": 1, "cell": "D02"}, {"C003": 2}),
        ({"by": "region"}, {"region-01": 3, "region-02": 2}),
        ({"by": "kind"}, {"atm": 4, "kiosk": 1}),
        ({"by": "vendor"}, {"vendor-a": 5}),
        ({"by": "model"}, {"vendor-a A-100": 5}),
    ],
)
async def test_every_way_to_cut_the_fleet(
    ops: httpx.AsyncClient, query: dict[str, Any], parts: dict[str, int]
) -> None:
    """Each terminal counts once in each way."""
    assert {one["part"]: one["terminals"] for one in await items(ops, **query)} == parts


async def test_a_level_below_a_cell_is_that_of_the_time(
    ops: httpx.AsyncClient, connection: Database
) -> None:
    """C002 stood below D01 for half an hour, then below D02: each district has its half of it, and
    its cells add up to the district."""
    await connection.execute("UPDATE cell SET parent_code = 'D02' WHERE code = 'C002'")
    await connection.execute(
        "UPDATE cell_version SET valid = CASE parent_code WHEN 'D01' THEN tstzrange(NULL, %(at)s)"
        " ELSE tstzrange(%(at)s, NULL) END WHERE cell_code = 'C002'",
        {"at": at_minute(30)},
    )
    for district, own in (("D01", "C001"), ("D02", "C003")):
        [whole] = await items(ops, by="fleet", cell=district)
        parts = await items(ops, by="level", level=1, cell=district)
        assert {one["part"]: one["scope_us"] for one in parts} == {
            own: 120 * MINUTE,
            "C002": 30 * MINUTE,
        }
        assert sum(one["scope_us"] for one in parts) == whole["scope_us"]


async def test_days_are_those_of_the_named_zone(
    ops: httpx.AsyncClient, connection: Database
) -> None:
    """The day on which Berlin's clocks go forward has 23 hours, and the days are the window."""
    began = datetime(2026, 3, 1, tzinfo=UTC)
    await connection.execute("UPDATE terminal SET commissioned_at = %s", (began,))
    await connection.execute("UPDATE terminal_cell SET valid = tstzrange(%s, NULL)", (began,))
    window = {"from": "2026-03-28T00:00:00+01:00", "to": "2026-03-31T00:00:00+02:00"}
    days = await items(ops, by="cell", cell="C002", bucket="day", tz="Europe/Berlin", **window)
    assert [one["scope_us"] // (60 * MINUTE) for one in days] == [24, 23, 24]
    [whole] = await items(ops, by="cell", cell="C002", **window)
    assert whole["scope_us"] == sum(one["scope_us"] for one in days)


async def test_a_spreadsheet_gets_its_table(ops: httpx.AsyncClient, connection: Database) -> None:
    """The same figures as CSV, asked for by content negotiation."""
    await a_bad_hour(connection)
    answer = await ops.get(
        "/api/v1/uptime", params=HOUR | {"by": "terminal"}, headers={"Accept": "text/csv"}
    )
    assert answer.headers["content-type"].startswith("text/csv")
    rows = {row["part"]: row for row in csv.DictReader(io.StringIO(answer.text))}
    assert rows["ATM-1"]["down_us"] == str(20 * MINUTE)
    assert rows["ATM-2"]["operational"] == ""
    browser = {"Accept": "application/json, text/csv;q=0.5"}
    assert (await ops.get("/api/v1/uptime", headers=browser)).json()["by"] == "cell"


async def test_outages_are_listed_whole_the_longest_first(
    ops: httpx.AsyncClient, connection: Database, sign_in: SignIn
) -> None:
    """One that touches the window is told from its beginning to its end."""
    await a_bad_hour(connection)
    window = {"from": at_minute(16).isoformat(), "to": at_minute(55).isoformat()}
    answer = await ops.get("/api/v1/cells/D01/outages", params=window)
    open_one, jam = answer.json()["items"]
    assert (open_one["terminal"], open_one["to"], open_one["causes"]) == (
        "ATM-1",
        None,
        ["cash_out"],
    )
    assert (jam["from"], jam["to"]) == ("2026-11-23T08:10:00Z", "2026-11-23T08:20:00Z")
    assert (jam["us"], jam["cell"]) == (10 * MINUTE, "C001")
    assert jam["states"] == ["out_of_service", "offline"]
    assert jam["causes"] == ["card_reader_jammed", "silent"]
    assert (await ops.get("/api/v1/cells/C002/outages", params=window)).json()["items"] == []
    foreign = await (await sign_in("tech01")).get("/api/v1/cells/C003/outages")
    assert foreign.status_code == 404


async def test_an_outage_is_over_when_its_terminal_leaves_the_fleet(
    ops: httpx.AsyncClient, connection: Database
) -> None:
    """ATM-1 was down when it was put up, and when it was taken away; its record goes on.

    Its outages end there and begin there, as its down time does.
    """
    await was(connection, "ATM-1", ("offline", 0, 12, "silent"), ("cash_out", 50, None, "cash_out"))
    await connection.execute(
        "UPDATE terminal SET commissioned_at = %s, decommissioned_at = %s WHERE code = 'ATM-1'",
        (at_minute(10), at_minute(54)),
    )
    for window in (HOUR, {"from": at_minute(11).isoformat(), "to": at_minute(52).isoformat()}):
        answer = await ops.get("/api/v1/cells/C001/outages", params=window)
        assert [(one["to"], one["us"]) for one in answer.json()["items"]] == [
            ("2026-11-23T08:54:00Z", 4 * MINUTE),
            ("2026-11-23T08:12:00Z", 2 * MINUTE),
        ]
    [figures] = [one for one in await items(ops, by="terminal") if one["part"] == "ATM-1"]
    assert (figures["down_us"], figures["longest_outage_us"]) == (6 * MINUTE, 4 * MINUTE)


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ({"tz": "Mars/Olympus"}, "query.tz"),
        ({"bucket": "hour", "from": "2020-01-01T00:00:00Z"}, "query.bucket"),
        ({"bucket": "minute"}, "query.bucket"),
    ],
)
async def test_what_cannot_be_answered_is_refused(
    ops: httpx.AsyncClient, query: dict[str, str], field: str
) -> None:
    """Zones that are none, more buckets than anybody reads."""
    answer = await ops.get("/api/v1/uptime", params=HOUR | query)
    assert (answer.status_code, answer.json()["errors"][0]["field"]) == (422, field)


async def test_more_buckets_than_are_answered_are_not_even_made(
    ops: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of hours eight thousand years have seventy million: making them held up everybody."""
    made = 0

    def counted(*asked: Any) -> Iterator[tuple[datetime, datetime]]:
        nonlocal made
        for one in buckets(*asked):
            made += 1
            assert made <= 2 * MOST_BUCKETS
            yield one

    monkeypatch.setattr("api.uptime.routes.buckets", counted)
    answer = await ops.get("/api/v1/uptime?bucket=hour&from=0002-01-01T00:00:00Z")
    assert (answer.status_code, answer.json()["errors"][0]["field"]) == (422, "query.bucket")


async def test_the_shell_shows_the_same(
    connection: Database, database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A table, bars and causes of the last hours; an unknown cell is an error."""
    monkeypatch.setenv("TELLERGRID_DATABASE_URL", database_url)
    await connection.execute(
        "INSERT INTO service_interval SELECT id, 'offline', tstzrange(now() - interval '1 hour',"
        " NULL), '{silent}' FROM terminal WHERE code = 'ATM-3'"
    )
    await connection.execute("UPDATE terminal SET commissioned_at = now() - interval '9 days'")
    await connection.execute(
        "UPDATE terminal_cell SET valid = tstzrange(now() - interval '9 days', NULL)"
    )

    def shell(*arguments: str) -> Any:
        return CliRunner().invoke(app, ["uptime", *arguments])

    shown = await asyncio.to_thread(shell, "C002", "--last", "2d", "--tz", "Asia/Shanghai")
    assert shown.exit_code == 0, shown.output
    assert "silent" in shown.output
    assert "▁" in shown.output
    told = json.loads((await asyncio.to_thread(shell, "C002", "--json")).output)
    assert told["whole"][0]["outages"] == 1
    assert (told["target"], told["whole"][0]["budget_us"]) == (None, None)
    aimed = ("C002", "--last", "2d", "--target", "0.995")
    shown = await asyncio.to_thread(shell, *aimed)
    assert re.search(r"error budget -\d:\d\d:\d\d left of \d:\d\d:\d\d", shown.output)
    [whole] = json.loads((await asyncio.to_thread(shell, *aimed, "--json")).output)["whole"]
    known = whole["up_us"] + whole["down_us"]
    assert whole["budget_us"] == known * 5 // 1000
    assert whole["budget_left_us"] == whole["budget_us"] - whole["down_us"] < 0
    assert (await asyncio.to_thread(shell, "C002", "--target", "99.5")).exit_code == 2
    assert (await asyncio.to_thread(shell, "NOWHERE")).exit_code == 1
    assert (await asyncio.to_thread(shell, "C002", "--last", "soon")).exit_code == 2
    endless = await asyncio.to_thread(shell, "C002", "--last", "52w", "--bucket", "hour")
    assert endless.exit_code == 2
    said = " ".join(endless.output.replace("│", " ").split())
    assert "--bucket: gives more than 1000 rows: take a longer one" in said


async def test_the_shell_rounds_nothing_up_to_all(
    connection: Database, database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Down for three tenths of a second in a day is not 100 %, as in the report."""
    monkeypatch.setenv("TELLERGRID_DATABASE_URL", database_url)
    for begin, end, state in ((86_400, 30, "in_service"), (30, 29.7, "offline")):
        await connection.execute(
            "INSERT INTO service_interval SELECT id, %s, tstzrange(now() - %s * interval '1 s',"
            " now() - %s * interval '1 s'), '{}' FROM terminal WHERE code = 'ATM-3'",
            (state, begin, end),
        )
    await connection.execute("UPDATE terminal SET commissioned_at = now() - interval '1 day'")
    await connection.execute("UPDATE terminal_cell SET valid = tstzrange('-infinity', NULL)")
    command = ["uptime", "C002", "--last", "24h", "--bucket", "month"]
    shown = await asyncio.to_thread(CliRunner().invoke, app, command)
    assert "99.9996 %" in shown.output
    assert "100.0" not in shown.output


@pytest.mark.parametrize(
    ("path", "key", "rows"),
    [
        ("uptime?by=terminal", "part", ["ATM-1", "ATM-2", "ATM-3", "ATM-4", "KSK-5"]),
        ("cells/D01/uptime?detail=true", "terminal", [None, "ATM-1", "ATM-2", "ATM-3"]),
        ("cells/C001/outages?limit=5", "terminal", ["ATM-1", "ATM-1"]),
        ("terminals/ATM-3/timeline?", "kind", ["state"]),
    ],
)
async def test_parquet_and_csv_say_what_json_says(
    ops: httpx.AsyncClient, connection: Database, path: str, key: str, rows: list[str | None]
) -> None:
    """Each of the four answers as a table of either kind, row for row."""
    await a_bad_hour(connection)

    async def as_(media: Media) -> httpx.Response:
        url = f"/api/v1/{path}&{urlencode(HOUR)}"
        answer = await ops.get(url, headers={"Accept": media})
        assert answer.status_code == 200, answer.text
        assert answer.headers["content-type"].split(";")[0] == media
        assert answer.headers["vary"] == "Accept"
        return answer

    table = parquet.read_table(pa.BufferReader((await as_(Media.PARQUET)).content)).to_pylist()
    sheet = list(csv.DictReader(io.StringIO((await as_(Media.CSV)).text)))
    assert [row[key] for row in table] == rows
    assert [row[key] or None for row in sheet] == rows
    body = (await as_(Media.JSON)).json()
    told = [body, *body["detail"]] if "detail" in body else body["items"]
    numbers = {name for name in told[0] if name.endswith("_us") and "by" not in name}
    for row, plain, one in zip(table, sheet, told, strict=True):
        assert {name: row[name] for name in numbers} == {name: one[name] for name in numbers}
        assert {name: plain[name] for name in numbers} == {
            name: "" if one[name] is None else str(one[name]) for name in numbers
        }


async def test_more_figures_than_fit_in_memory_are_not_asked_for(
    ops: httpx.AsyncClient, sign_in: SignIn, connection: Database
) -> None:
    """A hundred terminals over a thousand hours are answered, a few more are not: a fleet's were
    gigabytes, of which the process died. Larger parts, longer buckets or one cell are answered."""
    await connection.execute(
        "INSERT INTO terminal (code, kind, vendor, model, region_code, site, latitude, longitude,"
        " commissioned_at) SELECT 'T' || number, 'atm', 'v', 'm', 'region-01', 's', 30, 120, %s"
        " FROM generate_series(1, 100) AS number",
        (at_minute(0),),
    )
    await connection.execute(
        "INSERT INTO terminal_cell (terminal_id, cell_code, valid, method)"
        " SELECT id, 'C001', tstzrange(%s, NULL), 'override' FROM terminal WHERE code LIKE 'T%%'",
        (at_minute(0),),
    )
    month = {"from": at_minute(-59 * 1000).isoformat(), "to": at_minute(60).isoformat()}

    async def status(client: httpx.AsyncClient = ops, **query: str | int) -> int:
        asked = month | {"bucket": "hour", "by": "terminal"} | query
        answer = await client.get("/api/v1/uptime", params=asked)
        if answer.status_code == 422:
            assert answer.json()["errors"][0]["field"] == "query.bucket"
        return answer.status_code

    assert await status() == 422
    assert await status(cell="D01") == 422
    assert await status(cell="C002") == 200
    assert await status(await sign_in("tech03")) == 200
    assert await status(bucket="day") == 200
    for by in ("cell", "level", "kind", "model", "fleet"):
        assert await status(by=by, level=1) == 200
