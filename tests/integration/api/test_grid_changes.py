"""The map changed over HTTP: by operations alone, all or nothing, and never the past."""

import json
from datetime import UTC, datetime
from functools import partial
from typing import Any

import httpx
import pytest
from psycopg import AsyncConnection
from psycopg.rows import TupleRow

from tests.integration.api.conftest import SignIn
from tests.integration.api.test_scheduled import listening, tickets_are, until
from tests.integration.api.world import SomeFault, fire
from tests.unit.grid.squares import collection, feature, ring, square

Database = AsyncConnection[TupleRow]
GEOJSON = "application/geo+json"
HEAD = "code,kind,vendor,model,region,site,latitude,longitude,skills,schedule\n"


@pytest.fixture
async def ops(sign_in: SignIn, connection: Database) -> httpx.AsyncClient:
    """Operations, on a map of their own: S with W and E in it, a terminal in each of these."""
    client = await sign_in("ops")
    client.headers["Content-Type"] = GEOJSON
    await connection.execute(
        "UPDATE cell SET valid_to = now() WHERE code <> 'UNASSIGNED';"
        "UPDATE terminal SET decommissioned_at = now()"
    )
    await done(
        client.post(
            "/api/v1/grid",
            content=collection(
                feature(square(0, 0, 20, 10), code="S", people=["T01"]),
                feature(square(0, 0, 10, 10), code="W", parent="S", people=["T02"]),
                feature(square(10, 0, 20, 10), code="E", parent="S", people=["T03"]),
            ),
        )
    )
    await done(registry(client, row("A-1", 2, 5), row("A-2", 8, 5), row("A-3", 15, 5)))
    return client


def row(code: str, x: float, y: float, skills: str = "", schedule: str = "") -> str:
    place = f"{30 + y * 0.01},{120 + x * 0.01}"
    return f"{code},atm,v,m,region-01,s,{place},{skills},{schedule}\n"


async def registry(client: httpx.AsyncClient, *rows: str, **query: Any) -> httpx.Response:
    return await client.post(
        "/api/v1/terminals/import",
        content=HEAD + "".join(rows),
        headers={"Content-Type": "text/csv"},
        params=query,
    )


async def done(asked: Any, status: int = 200) -> dict[str, Any]:
    answer = await asked
    assert answer.status_code == status, answer.text
    body: dict[str, Any] = answer.json()
    return body


async def cells_of(client: httpx.AsyncClient, *codes: str) -> dict[str, str]:
    found = {}
    for code in codes:
        found[code] = (await done(client.get(f"/api/v1/terminals/{code}")))["cell"]
    return found


async def test_a_split_moves_terminals_and_keeps_the_past(
    ops: httpx.AsyncClient, connection: Database
) -> None:
    """W becomes two, each with its people; the cell that was has its history, and its figures."""
    asked = collection(
        feature(square(0, 0, 5, 10), code="W1"),
        feature(square(5, 0, 10, 10), code="W2", people=["T01"]),
    )
    tried = await done(ops.post("/api/v1/cells/W/split?dry_run=true", content=asked))
    assert await cells_of(ops, "A-1", "A-2") == {"A-1": "W", "A-2": "W"}
    split = await done(ops.post("/api/v1/cells/W/split", content=asked))
    assert (split["added"], split["ended"]) == (["W1", "W2"], ["W"])
    assert split | {"dry_run": True, "version": None} == tried
    assert await cells_of(ops, "A-1", "A-2") == {"A-1": "W1", "A-2": "W2"}
    first = await done(ops.get("/api/v1/cells/W1"))
    assert ([one["code"] for one in first["people"]], first["parent"]) == (["T02", "T01"], "S")
    [was] = (await done(ops.get("/api/v1/cells/W/versions")))["items"]
    assert (was["name"], was["to"] is None) == ("W", False)
    member = await (
        await connection.execute(
            "SELECT cell_code, method, version IS NOT NULL FROM terminal_cell JOIN terminal"
            " ON terminal.id = terminal_id WHERE code = 'A-1' ORDER BY valid"
        )
    ).fetchall()
    assert member == [("W", "polygon", True), ("W1", "polygon", True)]
    shown = await done(ops.get("/api/v1/terminals/A-1"))
    assert (shown["cell_method"], shown["map_version"]) == ("polygon", split["version"])


async def test_what_is_to_do_goes_along_with_its_terminal(
    ops: httpx.AsyncClient, connection: Database, sign_in: SignIn
) -> None:
    """W is split while T02 works on A-1 and is asked about A-2: the one is theirs still, the other
    goes to T03, who has its part now; and what was promised for W holds."""
    await connection.execute(
        "INSERT INTO sla (severity, cell_code, calendar_code, response_minutes, arrival_minutes,"
        " restore_minutes) VALUES ('major', 'W', 'always', 7, 70, 700)"
    )
    technician = await sign_in("tech02")
    await listening(connection)
    for number, terminal in enumerate(("A-1", "A-2"), 1):
        await fire(connection, SomeFault(terminal=terminal, cell="W"))
        await until(partial(tickets_are, connection, *["ASSIGNED"] * number))
    path = "/api/v1/tickets/1/transitions"
    json = {"Content-Type": "application/json"}
    await done(technician.post(path, json={"event": "accept"}, headers=json))
    asked = collection(
        feature(square(0, 0, 5, 10), code="W1", people=["T02"]),
        feature(square(5, 0, 10, 10), code="W2", people=["T03"]),
    )
    await done(ops.post("/api/v1/cells/W/split", content=asked))
    mine = (await done(technician.get("/api/v1/me/tickets")))["items"]
    assert [(one["id"], one["cell"]) for one in mine if one["state"] == "ACCEPTED"] == [(1, "W1")]
    assert [one["target_minutes"] for one in mine[0]["clocks"]] == [7, 70, 700]
    await done(technician.post(path, json={"event": "depart"}, headers=json))
    await done(
        ops.post(
            "/api/v1/tickets/2/transitions",
            json={"event": "assign", "technician": "T03"},
            headers=json,
        )
    )
    other = await done((await sign_in("tech03")).get("/api/v1/tickets/2"))
    assert (other["cell"], other["technician"]) == ("W2", "T03")
    untold = SomeFault(terminal="A-2", cell="W", rule="of a collector that does not know yet")
    await fire(connection, untold)
    await until(partial(is_with, connection, 3, "T03"))


async def is_with(connection: Database, ticket: int, technician: str) -> bool:
    found = await connection.execute(
        "SELECT technician.code FROM ticket JOIN technician ON technician.id = technician_id"
        " WHERE ticket.id = %s",
        (ticket,),
    )
    return await found.fetchone() == (technician,)


async def test_work_that_somebody_accepted_stays_in_a_cell_that_stands(
    ops: httpx.AsyncClient, connection: Database, sign_in: SignIn
) -> None:
    """A-1 is set up in E while T02 is on the way to it: they do not lose it from their phone."""
    technician = await sign_in("tech02")
    await listening(connection)
    await fire(connection, SomeFault(terminal="A-1", cell="W"))
    await until(partial(tickets_are, connection, "ASSIGNED"))
    json = {"Content-Type": "application/json"}
    path = "/api/v1/tickets/1/transitions"
    await done(technician.post(path, json={"event": "accept"}, headers=json))
    await done(registry(ops, row("A-1", 15, 2)))
    assert (await done(technician.get("/api/v1/tickets/1")))["cell"] == "W"


async def test_work_goes_along_later_when_it_is_given_back_or_its_cell_ends(
    ops: httpx.AsyncClient, connection: Database, sign_in: SignIn
) -> None:
    """A-1 and A-2 are set up in E while T02 has accepted what is to do there. A-1's T02 declines:
    it is T03's, who has E. Then E takes in W with its people: T02 still sees what is theirs."""
    technician = await sign_in("tech02")
    await listening(connection)
    json = {"Content-Type": "application/json"}
    for number, terminal in enumerate(("A-1", "A-2"), 1):
        await fire(connection, SomeFault(terminal=terminal, cell="W"))
        await until(partial(is_with, connection, number, "T02"))
        path = f"/api/v1/tickets/{number}/transitions"
        await done(technician.post(path, json={"event": "accept"}, headers=json))
    await done(registry(ops, row("A-1", 15, 2), row("A-2", 15, 3)))
    await done(
        technician.post(
            "/api/v1/tickets/1/transitions",
            json={"event": "decline", "reason": "too far"},
            headers=json,
        )
    )
    await until(partial(is_with, connection, 1, "T03"))
    await done(ops.post("/api/v1/cells/E/merge", json={"cells": ["E", "W"]}, headers=json))

    async def follows() -> bool:
        answer = await technician.get("/api/v1/tickets/2")
        return answer.status_code == 200 and answer.json()["cell"] == "E"

    await until(follows)


async def test_people_answer_from_when_to_when(ops: httpx.AsyncClient) -> None:
    """W is split, then its parts are merged, then moved: each cell says who answered for it, and
    the map of any instant has the people of that instant. Who is named again never left."""

    async def people(at: str) -> dict[str, list[str]]:
        features = (await done(ops.get("/api/v1/grid", params={"at": at})))["features"]
        return {one["properties"]["code"]: one["properties"].get("people", []) for one in features}

    async def answered(code: str) -> list[tuple[str, bool]]:
        found = (await done(ops.get(f"/api/v1/cells/{code}/versions")))["people"]
        return [(one["technician"], one["to"] is None) for one in found]

    first = datetime.now(UTC).isoformat()
    parts = collection(
        feature(square(0, 0, 5, 10), code="W1"),
        feature(square(5, 0, 10, 10), code="W2", people=["T01"]),
    )
    await done(ops.post("/api/v1/cells/W/split", content=parts))
    second = datetime.now(UTC).isoformat()
    await done(ops.post("/api/v1/cells/W1/merge", json={"cells": ["W1", "W2"]}))
    third = datetime.now(UTC).isoformat()
    north = {"code": "N", "name": "North", "parent": None, "boundary": square(0, 20, 20, 30)}
    await done(ops.post("/api/v1/cells", json=north))
    moved = {"name": "W1", "parent": "N", "boundary": square(0, 0, 10, 10)}
    await done(ops.put("/api/v1/cells/W1", json=moved))
    await done(ops.put("/api/v1/cells/W1", json=moved | {"people": ["T02"]}))
    now = datetime.now(UTC).isoformat()

    assert await people(first) == {"S": ["T01"], "W": ["T02"], "E": ["T03"]}
    assert await people(second) == {"S": ["T01"], "W1": ["T02"], "W2": ["T01"], "E": ["T03"]}
    assert await people(third) == {"S": ["T01"], "W1": ["T01", "T02"], "E": ["T03"]}
    assert await people(now) == {"S": ["T01"], "W1": ["T02"], "E": ["T03"], "N": []}
    assert await answered("W") == [("T02", False)]
    assert await answered("W1") == [("T02", True), ("T01", False)]
    [since] = [
        one["from"]
        for one in (await done(ops.get("/api/v1/cells/W1/versions")))["people"]
        if one["technician"] == "T02"
    ]
    assert first < since < second, "who is named again has answered all the while"


async def test_hexagons_are_made_looked_at_and_imported(
    ops: httpx.AsyncClient, sign_in: SignIn
) -> None:
    """Seven around a place, with the cell above them; what is made is imported as it came."""
    asked = {"latitude": 31.2, "longitude": 121.5, "resolution": 8, "rings": 1}
    made = await ops.get("/api/v1/grid/hexagons", params=asked)
    assert made.status_code == 200, made.text
    codes = {one["properties"]["code"] for one in made.json()["features"]}
    assert len(codes) == 8
    changes = await done(ops.post("/api/v1/grid", content=made.content))
    assert set(changes["added"]) == codes
    await done(ops.get("/api/v1/grid/hexagons", params=asked | {"resolution": 16}), 422)
    await done((await sign_in("tech01")).get("/api/v1/grid/hexagons", params=asked), 403)


async def test_a_merge_takes_all_ground_people_and_cells_below(ops: httpx.AsyncClient) -> None:
    """W and E become W; what was below E comes below it."""
    below = {"name": "Below", "parent": "E", "boundary": square(12, 1, 14, 9), "code": "E1"}
    assert (await done(ops.post("/api/v1/cells", json=below)))["added"] == ["E1"]
    merged = await done(
        ops.post("/api/v1/cells/W/merge", json={"cells": ["W", "E"], "name": "Both"})
    )
    assert (merged["changed"], merged["ended"]) == (["E1", "W"], ["E"])
    whole = await done(ops.get("/api/v1/cells/W"))
    assert whole["name"] == "Both"
    assert {one["code"] for one in whole["people"]} == {"T01", "T02", "T03"}
    assert (await done(ops.get("/api/v1/cells/E1")))["parent"] == "W"
    assert await cells_of(ops, "A-3") == {"A-3": "W"}


async def test_no_cell_is_drawn_in_the_place_of_others_while_it_stands(
    ops: httpx.AsyncClient,
) -> None:
    """A third one would lose its own ground, and who stands in it their cell."""
    other = {"name": "Other", "parent": "S", "boundary": square(0, 10, 20, 12), "code": "N"}
    await done(ops.post("/api/v1/cells", json=other))
    merged = await done(ops.post("/api/v1/cells/N/merge", json={"cells": ["W", "E"]}), 422)
    parts = collection(
        feature(square(0, 0, 5, 10), code="W"), feature(square(5, 0, 10, 10), code="N")
    )
    split = await done(ops.post("/api/v1/cells/W/split", content=parts), 422)
    for refused in (merged, split):
        assert [one["field"] for one in refused["errors"]] == ["N"]
        assert "stands elsewhere" in refused["detail"]


async def test_a_cell_is_renamed_redrawn_moved_and_ended(ops: httpx.AsyncClient) -> None:
    """Each is a version; an end leaves its terminals to the cell above."""
    west = {"name": "West", "parent": "S", "boundary": square(0, 0, 10, 4), "people": []}
    changed = await done(ops.put("/api/v1/cells/W", json=west))
    assert changed["changed"] == ["W"]
    assert {move["after"] for move in changed["moves"]} == {"S"}
    north = {"code": "N", "name": "North", "parent": None, "boundary": square(0, 20, 20, 30)}
    await done(ops.post("/api/v1/cells", json=north))
    await done(ops.put("/api/v1/cells/W", json=west | {"parent": "N"}))
    versions = (await done(ops.get("/api/v1/cells/W/versions")))["items"]
    assert [(one["name"], one["parent"]) for one in versions] == [
        ("W", "S"),
        ("West", "S"),
        ("West", "N"),
    ]
    ended = await done(ops.delete("/api/v1/cells/W"))
    assert (ended["ended"], ended["moves"]) == (["W"], [])
    again = await done(ops.put("/api/v1/cells/W", json=west), 404)
    assert "no cell W" in again["detail"]


async def test_what_is_wrong_is_said_all_at_once_and_nothing_is_changed(
    ops: httpx.AsyncClient,
) -> None:
    """Of a map, of a split that loses ground, of an end that leaves orphans, of a registry."""
    before = await done(ops.get("/api/v1/grid"))
    bad = collection(
        feature(square(1, 1, 9, 9), code="X", parent="S"),
        feature(square(30, 0, 31, 1), code="O", parent="nowhere"),
        feature({"type": "Point", "coordinates": [120, 30]}, code="P"),
    )
    refused = await done(ops.post("/api/v1/grid", content=bad), 422)
    assert {one["field"] for one in refused["errors"]} == {"O", "W", "feature 3 (P)"}
    half = collection(
        feature(square(0, 0, 5, 10), code="W1"), feature(square(5, 0, 9, 10), code="W2")
    )
    lost = await done(ops.post("/api/v1/cells/W/split", content=half), 422)
    assert "10.0% of its ground" in lost["detail"]
    orphans = await done(ops.delete("/api/v1/cells/S"), 422)
    assert {one["field"] for one in orphans["errors"]} == {"E", "W"}
    answer = await registry(ops, row("A-9", 1, 1, "", "nowhere"), "B-1,fridge,v,m,r,s,1,1,,\n")
    assert answer.status_code == 422
    assert {one["field"] for one in answer.json()["errors"]} == {"A-9", "line 3"}
    assert await done(ops.get("/api/v1/grid")) == before
    assert (await ops.get("/api/v1/terminals/A-9")).status_code == 404


async def test_the_map_is_given_back_as_it_is_and_as_it_was(ops: httpx.AsyncClient) -> None:
    """What is read can be sent back, and changes nothing."""
    now = datetime.now(UTC).isoformat()
    before = await done(ops.get("/api/v1/grid"))
    again = await done(ops.post("/api/v1/grid?complete=true", content=json.dumps(before)))
    assert (again["unchanged"], again["version"], again["moves"]) == (3, None, [])
    await done(ops.delete("/api/v1/cells/W"))
    assert len((await done(ops.get("/api/v1/grid")))["features"]) == 2
    was = await done(ops.get("/api/v1/grid", params={"at": now}))
    assert {one["properties"]["code"] for one in was["features"]} == {"S", "W", "E"}


async def test_a_map_of_any_size_a_bank_has_is_taken(ops: httpx.AsyncClient) -> None:
    """Three thousand cells, some 700 KB, in one request; other routes keep their small limit."""
    cells = [
        feature(square(x, 100 + y, x + 1, 101 + y), code=f"M{x}-{y}", name=f"网格 {x}-{y}")
        for x in range(60)
        for y in range(50)
    ]
    taken = await done(ops.post("/api/v1/grid", content=collection(*cells)))
    assert len(taken["added"]) == 3000
    large = {"username": "ops", "password": "x" * 100_000}
    form = {"Content-Type": "application/x-www-form-urlencoded"}
    assert (await ops.post("/api/v1/token", data=large, headers=form)).status_code == 413


async def test_terminals_come_change_and_go(ops: httpx.AsyncClient, connection: Database) -> None:
    """With the schedule they serve by and the skills that they take; none is sent without them."""
    await done(
        ops.post(
            "/api/v1/schedules",
            json={
                "code": "branch",
                "name": "Branches",
                "time_zone": "Asia/Shanghai",
                "week": {"1": ["09:00-17:00"]},
            },
        )
    )
    added = await registry(ops, row("A-4", 3, 3, "vault; cash", "branch"))
    assert (await done(_given(added)))["added"] == ["A-4"]
    shown = await done(ops.get("/api/v1/terminals/A-4"))
    assert (shown["skills"], shown["cell"]) == (["cash", "vault"], "W")
    uses = (await done(ops.get("/api/v1/schedules/branch")))["uses"]
    assert [(one["terminal"], one["to"]) for one in uses] == [("A-4", None)]
    body = {
        "kind": "recycler",
        "vendor": "v",
        "model": "m",
        "region": "region-01",
        "site": "s",
        "latitude": 30.03,
        "longitude": 120.15,
    }
    changed = await done(ops.put("/api/v1/terminals/A-4", json=body))
    assert [(one["terminal"], one["after"]) for one in changed["moves"]] == [("A-4", "E")]
    assert (await done(ops.get("/api/v1/terminals/A-4")))["skills"] == ["cash", "vault"]
    await done(ops.put("/api/v1/terminals/A-4", json=body | {"schedule": ""}))
    [(serving,)] = await (
        await connection.execute(
            "SELECT count(*) FROM service_schedule_use WHERE valid @> now() + interval '1 s'"
        )
    ).fetchall()
    assert serving == 0
    gone = await done(ops.delete("/api/v1/terminals/A-4"))
    assert gone["decommissioned_at"] is not None
    assert await done(ops.delete("/api/v1/terminals/A-4")) == gone
    assert (await ops.delete("/api/v1/terminals/Z-9")).status_code == 404
    for asked in (
        ops.post("/api/v1/terminals", json=body | {"id": "A-4"}),
        ops.put("/api/v1/terminals/A-4", json=body),
    ):
        told = await done(asked, 409)
        assert (told["title"], "out of the fleet" in told["detail"]) == ("In the way", True)
    listed = await done(registry(ops, row("A-4", 1, 1), row("A-6", 1, 1)))
    assert (listed["added"], listed["changed"], listed["out_of_fleet"]) == (["A-6"], [], ["A-4"])
    assert await done(ops.delete("/api/v1/terminals/A-4")) == gone
    assert (await done(ops.post("/api/v1/terminals", json=body | {"id": "A-6"}), 422))["errors"]


async def _given(answer: httpx.Response) -> httpx.Response:
    return answer


async def test_coordinates_come_in_their_datum(ops: httpx.AsyncClient) -> None:
    """GCJ-02 of a point of W: converted, it stands there and not half a kilometre beside."""
    from fleet.grid.datum import Datum, from_wgs84

    longitude, latitude = from_wgs84((120.05, 30.05), Datum.GCJ02)
    body = {
        "id": "A-5",
        "kind": "atm",
        "vendor": "v",
        "model": "m",
        "region": "region-01",
        "site": "s",
        "latitude": latitude,
        "longitude": longitude,
        "datum": "gcj02",
    }
    await done(ops.post("/api/v1/terminals", json=body))
    shown = await done(ops.get("/api/v1/terminals/A-5"))
    assert (shown["latitude"], shown["longitude"]) == pytest.approx((30.05, 120.05), abs=1e-9)
    shifted = [list(from_wgs84((x, y), Datum.GCJ02)) for x, y in ring(30, 0, 31, 1)]
    boundary = {"type": "Polygon", "coordinates": [shifted]}
    cell = {"code": "G", "name": "G", "parent": None, "boundary": boundary}
    await done(ops.post("/api/v1/cells?datum=gcj02", json=cell))
    drawn = (await done(ops.get("/api/v1/cells/G")))["boundary"]["coordinates"][0]
    assert drawn[0] == pytest.approx(ring(30, 0, 31, 1)[0], abs=1e-9)


@pytest.mark.usefixtures("ops")
@pytest.mark.parametrize("username", ["tech01", "tester"])
async def test_others_change_nothing(sign_in: SignIn, username: str) -> None:
    """Not even in a dry run; but the cells one sees may be read as a map."""
    client = await sign_in(username)
    client.headers["Content-Type"] = GEOJSON
    body = {"name": "x", "parent": None, "boundary": square(0, 0, 1, 1)}
    whole = collection(feature(square(0, 0, 1, 1), code="Z"))
    csv = {"Content-Type": "text/csv"}
    terminal = dict.fromkeys(("vendor", "model", "region", "site"), "x")
    terminal |= {"kind": "atm", "latitude": "1", "longitude": "1"}
    for asked in (
        client.post("/api/v1/grid?dry_run=true", content=whole),
        client.post("/api/v1/cells", json=body | {"code": "Z"}),
        client.put("/api/v1/cells/W", json=body),
        client.delete("/api/v1/cells/W"),
        client.post("/api/v1/cells/W/split", content=whole),
        client.post("/api/v1/cells/W/merge", json={"cells": ["W", "E"]}),
        client.post("/api/v1/terminals/import", content=HEAD, headers=csv),
        client.post("/api/v1/terminals", json=terminal | {"id": "Z-1"}),
        client.put("/api/v1/terminals/A-1", json=terminal),
        client.delete("/api/v1/terminals/A-1"),
    ):
        await done(asked, 403)
    codes = {
        one["properties"]["code"] for one in (await done(client.get("/api/v1/grid")))["features"]
    }
    assert codes == ({"S", "W", "E"} if username == "tester" else {"S", "W", "E"} & codes)
