"""What people add to a ticket, and finding tickets by their words."""

from functools import partial

import httpx
import pytest
from psycopg import AsyncConnection
from psycopg.rows import TupleRow

from api.remarks.store import MOST_ATTACHMENTS
from tests.integration.api.conftest import SignIn
from tests.integration.api.test_scheduled import listening, tickets_are, until
from tests.integration.api.world import SomeFault, elsewhere, fire

Database = AsyncConnection[TupleRow]
PNG = b"\x89PNG\r\n\x1a\n" + b"pixels" * 100
FILES = "/api/v1/tickets/1/attachments"
REMARKS = "/api/v1/tickets/1/remarks"


@pytest.fixture
async def technician(connection: Database, sign_in: SignIn) -> httpx.AsyncClient:
    """T01's phone; ticket 1 is theirs, 2 is of a foreign cell."""
    client = await sign_in("tech01")
    await listening(connection)
    for number, fault in enumerate((SomeFault(), elsewhere(SomeFault())), 1):
        await fire(connection, fault)
        await until(partial(tickets_are, connection, *["ASSIGNED"] * number))
    return client


async def attach(
    client: httpx.AsyncClient, content: bytes, media_type: str = "image/png", name: str = "a.png"
) -> httpx.Response:
    headers = {"Content-Type": media_type}
    return await client.post(FILES, params={"name": name}, content=content, headers=headers)


async def test_remarks_stay_in_order_and_as_they_are(
    technician: httpx.AsyncClient, sign_in: SignIn
) -> None:
    """A work note by the technician, a comment by operations; page after page."""
    note = {
        "kind": "work_note",
        "text": " Rollers smooth ",
        "device_at": "2026-11-23T16:31:00+08:00",
    }
    assert (await technician.post(REMARKS, json=note)).status_code == 200
    ops = await sign_in("ops")
    assert (await ops.post(REMARKS, json={"text": "The branch opens at nine"})).status_code == 200
    first = (await ops.get(REMARKS, params={"limit": 1})).json()
    rest = (await ops.get(REMARKS, params={"cursor": first["next"]})).json()
    [one], [other] = first["items"], rest["items"]
    assert (one["kind"], one["text"], one["author"]) == ("work_note", "Rollers smooth", "tech01")
    assert one["device_at"] == "2026-11-23T08:31:00Z"
    assert (other["kind"], other["author"]) == ("comment", "ops")


async def test_testers_read_and_add_nothing(technician: httpx.AsyncClient, sign_in: SignIn) -> None:
    """Whoever works on tickets writes to them."""
    assert technician.headers["Authorization"]
    tester = await sign_in("tester")
    assert (await tester.get(REMARKS)).status_code == 200
    assert (await tester.post(REMARKS, json={"text": "x"})).status_code == 403
    assert (await attach(tester, PNG)).status_code == 403


async def test_a_photo_comes_back_as_it_was_sent(
    technician: httpx.AsyncClient, connection: Database
) -> None:
    """To the byte, to be saved and never shown; sent twice with one key it is there once."""
    headers = {"Content-Type": "image/png", "Idempotency-Key": "photo"}
    for _ in range(2):
        sent = await technician.post(
            FILES, params={"name": "滚轮.png"}, content=PNG, headers=headers
        )
        assert (sent.status_code, sent.json()["size"]) == (200, len(PNG))
    [listed] = (await technician.get(FILES)).json()["items"]
    assert listed == sent.json()
    back = await technician.get(f"{FILES}/{listed['id']}")
    assert back.content == PNG
    assert back.headers["Content-Type"] == "image/png"
    assert back.headers["Content-Disposition"].startswith("attachment; filename*=UTF-8''%E6%BB%9A")
    assert back.headers["X-Content-Type-Options"] == "nosniff"
    cursor = await connection.execute(
        "SELECT after ->> 'content' FROM audit WHERE subject = 'ticket_attachment'"
    )
    assert await cursor.fetchall() == [("(not kept)",)]


@pytest.mark.parametrize(
    ("media_type", "content", "status"),
    [
        ("text/html", b"<script>", 422),
        ("image/svg+xml", b"<svg/>", 422),
        ("image/jpeg", PNG, 422),
        ("image/webp", b"RIFF0000WAVE", 422),
        ("image/png", b"", 422),
        ("image/png", PNG + b"0" * 5 * 1024 * 1024, 413),
        ("image/png", PNG + b"0" * 4 * 1024 * 1024, 200),
        ("application/pdf", b"%PDF-1.7", 200),
        ("image/webp", b"RIFF0000WEBP", 200),
    ],
)
async def test_only_what_it_says_it_is_and_not_too_much(
    technician: httpx.AsyncClient, media_type: str, content: bytes, status: int
) -> None:
    """The type must be one of four and true, the size at the most 5 MiB."""
    assert (await attach(technician, content, media_type)).status_code == status


async def test_a_ticket_has_twenty_at_the_most(
    technician: httpx.AsyncClient, connection: Database
) -> None:
    """The next is refused."""
    await connection.execute(
        "INSERT INTO ticket_attachment (ticket_id, name, media_type, size, sha256, content, author)"
        " SELECT 1, 'x', 'image/png', 1, '', '', 'ops' FROM generate_series(1, %s)",
        (MOST_ATTACHMENTS - 1,),
    )
    assert (await attach(technician, PNG)).status_code == 200
    assert (await attach(technician, PNG)).status_code == 409


async def test_tickets_are_found_by_their_words(
    technician: httpx.AsyncClient, sign_in: SignIn, connection: Database
) -> None:
    """In what the rule says and in remarks, English and Chinese; nobody finds what is foreign."""
    await technician.post(REMARKS, json={"text": "Transport belt torn, 更换读卡器滚轮"})
    ops = await sign_in("ops")

    async def found(client: httpx.AsyncClient, q: str, **other: str) -> list[int]:
        answer = await client.get("/api/v1/tickets", params={"q": q} | other)
        return sorted(ticket["id"] for ticket in answer.json()["items"])

    assert await found(ops, "jammed card") == [1, 2]
    assert await found(ops, '"card reader" -belt ATM-4') == [2]
    assert await found(ops, "belt") == [1]
    assert await found(ops, "滚轮") == [1]
    assert await found(ops, "100%滚") == []
    assert await found(ops, "滚轮　belt") == await found(ops, '"卡器滚" 更换') == [1]
    assert await found(ops, "滚轮 cash") == await found(ops, '"belt 更换"') == []
    await connection.execute("UPDATE ticket SET title = '读卡器卡住' WHERE id = 2")
    assert await found(ops, "atm-4 卡") == await found(ops, "读卡器 card") == [2]
    assert await found(ops, "belt", sort="due") == [1]
    assert await found(technician, "jammed") == [1]
    assert await found(await sign_in("tech03"), "belt") == []


async def test_one_move_of_many_tickets(
    technician: httpx.AsyncClient, sign_in: SignIn, connection: Database
) -> None:
    """One is cancelled, one is not there, one has ended: each is said; technicians may not."""
    ops = await sign_in("ops")
    move = {"event": "cancel", "reason": "planned works"}
    body = {"ids": [2, 9, 1], "move": move}
    assert (await technician.post("/api/v1/tickets/bulk", json=body)).status_code == 403
    await ops.post("/api/v1/tickets/1/transitions", json=move)
    items = (await ops.post("/api/v1/tickets/bulk", json=body)).json()["items"]
    assert [(item["id"], item["moved"]) for item in items] == [(2, True), (9, False), (1, False)]
    assert items[1]["refused"] == "There is no ticket 9."
    cursor = await connection.execute("SELECT state FROM ticket ORDER BY id")
    assert await cursor.fetchall() == [("CANCELLED",), ("CANCELLED",)]


async def test_work_is_resolved_with_photos_of_that_ticket_alone(
    technician: httpx.AsyncClient, sign_in: SignIn
) -> None:
    """A photo of another ticket, or one that is not there, is refused and nothing is written."""
    mine = (await attach(technician, PNG)).json()["id"]
    ops = await sign_in("ops")
    foreign = await ops.post(
        "/api/v1/tickets/2/attachments",
        params={"name": "b.png"},
        content=PNG,
        headers={"Content-Type": "image/png"},
    )
    moves = "/api/v1/tickets/1/transitions"
    for event in ("accept", "depart", "arrive"):
        assert (await technician.post(moves, json={"event": event})).status_code == 200
    done = {"event": "resolve", "cause": "wear", "action": "replaced"}
    for photos in ([foreign.json()["id"]], [mine, 999]):
        refused = await technician.post(moves, json=done | {"photos": photos})
        assert refused.status_code == 422
        assert refused.json()["errors"][0]["field"] == "body.photos"
        assert str(photos[-1]) in refused.json()["detail"]
    resolved = await technician.post(moves, json=done | {"photos": [mine, mine]})
    assert resolved.status_code == 200
    assert resolved.json()["transitions"][-1]["photos"] == [mine]
    assert resolved.json()["transitions"][-2]["photos"] is None


async def test_a_bulk_action_moves_only_what_is_as_it_was_seen(
    technician: httpx.AsyncClient, sign_in: SignIn
) -> None:
    """The technician accepts ticket 1 meanwhile: that one is refused, the other is cancelled."""
    ops = await sign_in("ops")
    tags = {key: (await ops.get(f"/api/v1/tickets/{key}")).headers["ETag"] for key in ("1", "2")}
    await technician.post("/api/v1/tickets/1/transitions", json={"event": "accept"})
    body = {"ids": [1, 2], "move": {"event": "cancel", "reason": "works"}, "if_match": tags}
    items = (await ops.post("/api/v1/tickets/bulk", json=body)).json()["items"]
    assert [one["moved"] for one in items] == [False, True]
    assert "version" in items[0]["refused"]
    assert (await ops.get("/api/v1/tickets/1")).json()["state"] == "ACCEPTED"
    for wrong in ({"3": '"1"'}, {"1": "1"}):
        refused = await ops.post("/api/v1/tickets/bulk", json=body | {"if_match": wrong})
        assert refused.status_code == 422
