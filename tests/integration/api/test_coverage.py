"""Coverage over HTTP: what works in a cell now, and where the next working terminal is."""

import asyncio
import json
from typing import Any

import httpx
import pytest
from psycopg import AsyncConnection
from psycopg.rows import TupleRow
from typer.testing import CliRunner

from tellergrid.cli import app
from tests.integration.api.conftest import SignIn

Database = AsyncConnection[TupleRow]
PLACES = {
    "ATM-1": (120.030, 30.030),
    "ATM-2": (120.040, 30.030),
    "ATM-3": (120.060, 30.030),
    "ATM-4": (120.080, 30.030),
    "KSK-5": (123.0, 30.030),
}


@pytest.fixture
async def mapped(connection: Database) -> Database:
    """Terminals in a row, about a kilometre apart; the kiosk is far. All work but ATM-1."""
    for code, (longitude, latitude) in PLACES.items():
        await connection.execute(
            "UPDATE terminal SET longitude = %s, latitude = %s WHERE code = %s",
            (longitude, latitude, code),
        )
    await connection.execute(
        "INSERT INTO terminal_state (terminal_id, service_state) SELECT id,"
        " CASE code WHEN 'ATM-1' THEN 'offline' WHEN 'ATM-2' THEN 'degraded' ELSE 'in_service' END"
        " FROM terminal ON CONFLICT (terminal_id) DO UPDATE"
        " SET service_state = excluded.service_state"
    )
    return connection


async def asked(who: httpx.AsyncClient, cell: str, **query: Any) -> dict[str, Any]:
    answer = await who.get(f"/api/v1/cells/{cell}/coverage", params=query)
    assert answer.status_code == 200, answer.text
    body: dict[str, Any] = answer.json()
    return body


@pytest.mark.usefixtures("mapped")
async def test_where_a_customer_goes_next(sign_in: SignIn) -> None:
    """From the broken one to its neighbour, from that one past the broken one, over the border."""
    found = await asked(await sign_in("ops"), "C001")
    assert (found["terminals"], found["working"]) == (2, 1)
    assert [(one["terminal"], one["next"]["terminal"]) for one in found["next"]] == [
        ("ATM-2", "ATM-3"),
        ("ATM-1", "ATM-2"),
    ]
    assert [one["next"]["distance_m"] for one in found["next"]] == [1925, 963]
    assert (found["farthest_m"], found["without_next"]) == (1925, 0)


async def test_what_nobody_sees_is_not_known_to_work(sign_in: SignIn, mapped: Database) -> None:
    """The cell's own page says that its terminals' state is unknown; so nobody is sent to them."""
    ops = await sign_in("ops")
    await mapped.execute(
        "INSERT INTO region_service (region_code, collector, seen_until)"
        " VALUES ('region-01', 'c', now() - interval '1 minute')"
    )
    assert (await ops.get("/api/v1/cells/C001")).json()["by_state"] == {"unknown": 2}
    found = await asked(ops, "C001")
    assert (found["terminals"], found["working"], found["none_in_service"]) == (2, 0, ["C001"])
    assert {one["next"]["terminal"] for one in found["next"]} == {"ATM-4"}


async def test_cells_with_none_in_service(sign_in: SignIn, mapped: Database) -> None:
    """Of a district: its cells with terminals down or none at all; the rest is counted."""
    ops = await sign_in("ops")
    assert (await asked(ops, "D01"))["none_in_service"] == []
    await mapped.execute(
        "UPDATE terminal_state SET service_state = 'cash_out' FROM terminal"
        " WHERE terminal.id = terminal_id AND code = 'ATM-3'"
    )
    found = await asked(ops, "D01")
    assert found["none_in_service"] == ["C002"]
    assert [(one["cell"], one["terminals"], one["working"]) for one in found["by_cell"]] == [
        ("C001", 2, 1),
        ("C002", 1, 0),
    ]


@pytest.mark.usefixtures("mapped")
async def test_what_stands_within_a_distance(sign_in: SignIn) -> None:
    """From the middle of the cell's triangle, rings grow over its border; none does deposits."""
    found = await asked(await sign_in("ops"), "C002")
    assert found["middle"] == pytest.approx([120.0667, 30.0333], abs=1e-4)
    rings = {
        ring["within_m"]: (ring["terminals"], ring["working"]) for ring in found["by_distance"]
    }
    assert rings[1000] == (1, 1)
    assert rings[2000] == (2, 2)
    assert rings[5000] == (4, 3)
    reach = {one["capability"]: one["next"] for one in found["from_middle"]}
    assert reach["withdraw"]["terminal"] == "ATM-3"
    assert reach["deposit"] is None
    assert reach["service"]["terminal"] == "KSK-5"
    assert reach["service"]["distance_m"] == pytest.approx(282_000, rel=0.01)


@pytest.mark.usefixtures("mapped")
async def test_a_technician_is_told_of_their_own_cells(sign_in: SignIn) -> None:
    """The next one in a foreign cell is not theirs to see; a foreign cell is not there."""
    technician = await sign_in("tech01")
    found = await asked(technician, "C001")
    assert [
        (one["terminal"], one["next"] and one["next"]["terminal"]) for one in found["next"]
    ] == [
        ("ATM-2", None),
        ("ATM-1", "ATM-2"),
    ]
    assert found["without_next"] == 1
    assert (await technician.get("/api/v1/cells/C003/coverage")).status_code == 404


@pytest.mark.usefixtures("mapped")
async def test_the_shell_says_the_same(
    sign_in: SignIn, database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TELLERGRID_DATABASE_URL", database_url)

    async def shell(*arguments: str) -> Any:
        return await asyncio.to_thread(CliRunner().invoke, app, ["coverage", *arguments])

    shown = (await shell("C001")).output
    assert "1 of 2 terminals work in C001" in shown
    assert "ATM-1 (down): 963 m, ATM-2 in C001" in shown
    told = json.loads((await shell("C001", "--json")).output)
    over_http = await asked(await sign_in("ops"), "C001")
    assert told | {"at": None} == over_http | {"at": None}
    assert (await shell("NOWHERE")).exit_code == 1
