"""Notifications over real HTTP: told once, through failures and the death of whoever tells."""

import asyncio
import base64
import email.policy
import io
import json
import signal
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any
from uuid import uuid4
from zoneinfo import ZoneInfo

import httpx
import pypdf
import pytest
import standardwebhooks
from fastapi import FastAPI
from psycopg import AsyncConnection
from psycopg.rows import TupleRow
from psycopg.types.json import Jsonb
from pydantic import SecretStr

from api import scheduled
from api.app import create_app
from api.metrics import Metrics
from api.notifications import monthly, senders
from api.notifications.channels import Channel, read
from api.notifications.delivery import Notifier
from api.notifications.monthly import report_month
from api.notifications.outbox import forget
from api.notifications.senders import Attachment, Delivery, SendFailed
from api.scope import as_api
from api.settings import Settings
from fleet.db.pool import open_pool
from fleet.notifications.words import Message
from tellergrid.stack.ports import free_port
from tests.integration.api.conftest import client_of, token
from tests.integration.api.test_process import ready, started
from tests.integration.api.test_scheduled import listening, tickets_are, until
from tests.integration.api.world import SomeFault, clear, fire
from tests.machine import PATIENCE_S
from tests.unit.notifications.test_notifications import FACTS

Database = AsyncConnection[TupleRow]
TOKEN_SECRET = "a secret of the tests, 32 bytes or more"
SECRET = "whsec_" + "c2VjcmV0IG9mIHRoZSB0ZXN0cywgbG9uZyBlbm91Z2g="


class Receiver(ThreadingHTTPServer):
    """Takes what is posted; answers with the statuses it is given, then with 200."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.taken: list[tuple[dict[str, str], bytes]] = []
        self.statuses: list[int] = []

    @property
    def port(self) -> int:
        return int(self.server_address[1])

    @property
    def ids(self) -> list[str]:
        return [headers["webhook-id"] for headers, _ in self.taken]

    def verified(self) -> list[dict[str, Any]]:
        """The bodies, each as the reference implementation of Standard Webhooks accepts it."""
        webhook = standardwebhooks.Webhook(SECRET)
        return [webhook.verify(body, headers) for headers, body in self.taken]


class _Handler(BaseHTTPRequestHandler):
    server: Receiver

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        headers = {name.lower(): value for name, value in self.headers.items()}
        self.server.taken.append((headers, body))
        statuses = self.server.statuses
        self.send_response(statuses.pop(0) if statuses else 200)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with Receiver() as server:
        thread = Thread(target=server.serve_forever)
        thread.start()
        yield server
        server.shutdown()
        thread.join()


@pytest.fixture
def files(tmp_path: Path, receiver: Receiver) -> dict[str, Path]:
    """A file a channel: a signed webhook, the same address over Apprise, a webhook that gathers."""
    host = f"127.0.0.1:{receiver.port}"
    everybody = {"to": ["technicians", "operations", "admin"], "language": "en"}
    hook = everybody | {"url": f"http://{host}/a-secret-path/{{technician}}", "secret": SECRET}
    plain = everybody | {"url": f"json://{host}/a-secret-path"}
    found = {"hook": hook, "plain": plain, "digest": hook | {"digest_minutes": hours_away()}}
    found["chinese"] = plain | {"language": "zh"}
    for name, channel in found.items():
        file = tmp_path / f"{name}.yaml"
        file.write_text(json.dumps({"channels": {name: channel}}), encoding="utf-8")
    return {name: tmp_path / f"{name}.yaml" for name in found}


def hours_away() -> int:
    """The length of a digest, in minutes, of which hours are left whenever the test runs."""
    now = datetime.now(UTC)
    return 1440 if now.hour < 16 else 1000  # the second of these ends at 33:20


def settings(database_url: str, channels: Path) -> Settings:
    return Settings(
        database_url=database_url,
        token_secret=SecretStr(TOKEN_SECRET),
        poll_seconds=0.2,
        channels=channels,
    )


@asynccontextmanager
async def telling(database_url: str, channels: Path) -> AsyncIterator[FastAPI]:
    """An api that tells over the channels of a file."""
    app = create_app(settings(database_url, channels))
    async with app.router.lifespan_context(app):
        yield app


async def outbox(connection: Database) -> list[tuple[Any, ...]]:
    cursor = await connection.execute(
        "SELECT kind, recipient, state, attempts FROM notification ORDER BY id"
    )
    return await cursor.fetchall()


async def outbox_is(connection: Database, *states: str) -> bool:
    return [state for _, _, state, _ in await outbox(connection)] == list(states)


async def test_a_technician_is_told_of_their_ticket_and_the_chain_of_its_clocks(
    connection: Database, database_url: str, files: dict[str, Path], receiver: Receiver
) -> None:
    """Assigned: the technician. Breached: whom the chain says. Each once, signed, in words."""
    async with telling(database_url, files["hook"]):
        await listening(connection)
        await fire(connection, SomeFault())
        await until(lambda: outbox_is(connection, "sent"))
        for changed in (
            "ticket_transition SET at = at - interval '25 minutes'",
            "ticket SET created_at = created_at - interval '25 minutes', version = version + 1",
        ):
            await connection.execute(f"UPDATE {changed}".encode())
        await until(lambda: outbox_is(connection, "sent", "sent"))
    assert [row[:2] for row in await outbox(connection)] == [
        ("assigned", "T01"),
        ("warning", "operations"),
    ]
    first, second = receiver.verified()
    assert first["title"] == "Ticket 1: Card reader jammed"
    assert "ATM-1 Site C001" in first["body"]
    assert first["items"][0]["facts"]["cell"] == "C001"
    assert (second["to"], "running late" in second["title"]) == ("operations", True)
    assert len(set(receiver.ids)) == 2


@pytest.mark.parametrize(
    ("channel", "instant", "received", "state"),
    [
        ("hook", "gathering", 1, "sent"),
        ("hook", "handed over", 1, "sent"),
        ("plain", "claimed", 1, "sent"),
        ("plain", "handed over", 0, "uncertain"),
        ("hook", "sent", 2, "sent"),
        ("plain", "sent", 1, "uncertain"),
    ],
)
async def test_a_crash_between_commit_and_notification_is_one_notification(
    connection: Database,
    database_url: str,
    files: dict[str, Path],
    receiver: Receiver,
    channel: str,
    instant: str,
    received: int,
    state: str,
) -> None:
    """The ticket is committed; the process is killed before, while or after it tells.

    Another one goes on. A webhook that was sent may come twice, with one id: its receiver knows it.
    A channel without ids is never sent to twice: what had not begun to leave is sent, once; where
    nobody knows whether it arrived, that is what is kept.
    """
    port = free_port()
    environment = {
        "DATABASE_URL": database_url,
        "TOKEN_SECRET": TOKEN_SECRET,
        "API_PORT": str(port),
        "POLL_SECONDS": "0.2",
        "CHANNELS": str(files[channel]),
    }
    async with started("tests.integration.api.dying", **environment, DIE_AT=instant) as process:
        await ready(f"http://127.0.0.1:{port}")
        await listening(connection)
        await fire(connection, SomeFault())
        assert await process.wait() == -signal.SIGKILL
    assert await tickets_are(connection, "ASSIGNED")
    assert await outbox_is(connection, *([] if instant == "gathering" else ["sending"]))
    async with telling(database_url, files[channel]):
        await until(lambda: outbox_is(connection, state))
        # It tells of what comes after, so it is done with what was before.
        await fire(connection, SomeFault(terminal="ATM-2"))
        await until(lambda: outbox_is(connection, state, "sent"))
    assert len(receiver.taken) == received + 1
    if channel == "hook":
        assert len(set(receiver.ids[:received])) == 1
        assert receiver.verified()[0]["title"] == "Ticket 1: Card reader jammed"


async def test_a_technician_is_told_of_a_ticket_that_comes_back_to_them(
    connection: Database, database_url: str, files: dict[str, Path], receiver: Receiver
) -> None:
    """Resolved, its cause fires again: it is theirs anew, to accept in time."""
    async with telling(database_url, files["hook"]):
        await listening(connection)
        fault = await fire(connection, SomeFault())
        await until(lambda: outbox_is(connection, "sent"))
        await clear(connection, fault)
        await until(lambda: tickets_are(connection, "RESOLVED"))
        await fire(connection, SomeFault())
        await until(lambda: tickets_are(connection, "ASSIGNED"))
        await until(lambda: outbox_is(connection, *["sent"] * 3))
    assert [row[:2] for row in await outbox(connection)] == [
        ("assigned", "T01"),
        ("changed", "T01"),
        ("assigned", "T01"),
    ]
    assert len(set(receiver.ids)) == 3


async def test_who_was_asked_hears_that_somebody_else_goes(
    connection: Database, database_url: str, files: dict[str, Path], receiver: Receiver
) -> None:
    """T01 of what operations did, T02 not of their own decline."""
    async with telling(database_url, files["hook"]) as app, client_of(app) as client:
        await listening(connection)
        await fire(connection, SomeFault())
        await until(lambda: outbox_is(connection, "sent"))
        await moved(client, "ops", "assign", technician="T02")
        await until(lambda: outbox_is(connection, *["sent"] * 3))
        await moved(client, "tech02", "decline", reason="no tools")
        await until(lambda: outbox_is(connection, *["sent"] * 5))
    assert sorted(row[:2] for row in await outbox(connection)) == [
        ("assigned", "T01"),
        ("assigned", "T01"),
        ("assigned", "T02"),
        ("changed", "T01"),
        ("warning", "operations"),
    ]
    titles = [one["title"] for one in receiver.verified() if one["items"][0]["kind"] == "changed"]
    assert titles == ["Ticket 1 was given to T02 and is no longer yours"]


async def test_who_is_under_way_hears_at_once_that_they_go_in_vain(
    connection: Database, database_url: str, files: dict[str, Path], receiver: Receiver
) -> None:
    """Through a channel that gathers for hours: the fault is gone, is back, the ticket cancelled.
    What still waited to tell them that it is theirs goes with it."""
    async with telling(database_url, files["digest"]) as app, client_of(app) as client:
        await listening(connection)
        fault = await fire(connection, SomeFault())
        await until(lambda: outbox_is(connection, "waiting"))
        for event in ("accept", "depart"):
            await moved(client, "tech01", event)
        await clear(connection, fault)
        await until(lambda: outbox_is(connection, "waiting", "sent"))
        await fire(connection, SomeFault())
        await until(lambda: outbox_is(connection, "waiting", "sent", "sent"))
        await moved(client, "ops", "cancel", reason="a mistake")
        await until(lambda: outbox_is(connection, *["sent"] * 3))
    assert {row[:2] for row in await outbox(connection)} == {("under_way", "T01")}
    assert [one["title"].removeprefix("Before you go on: ") for one in receiver.verified()] == [
        "ticket 1 recovered by itself; ask whether to go on",
        "ticket 1 is needed again: the fault is back",
        "ticket 1 was cancelled",
    ]


async def test_what_was_taken_from_somebody_before_they_heard_of_it_they_never_hear_of(
    connection: Database, database_url: str, files: dict[str, Path]
) -> None:
    """In a digest that gathers for hours the ticket goes to T02, who alone is told of it."""
    async with telling(database_url, files["digest"]) as app, client_of(app) as client:
        await listening(connection)
        await fire(connection, SomeFault())
        await until(lambda: outbox_is(connection, "waiting"))
        await moved(client, "ops", "assign", technician="T02")

        async def to_the_other() -> bool:
            told = [row[:3] for row in await outbox(connection)]
            return told == [("assigned", "T02", "waiting")]

        await until(to_the_other)


async def moved(client: httpx.AsyncClient, who: str, event: str, **said: str) -> None:
    """Somebody makes a move with the first ticket."""
    headers = {"Authorization": f"Bearer {await token(client, who)}"}
    body = {"event": event, **said}
    answer = await client.post("/api/v1/tickets/1/transitions", json=body, headers=headers)
    assert answer.status_code == 200, answer.text


async def test_what_fails_is_tried_again_with_the_same_id(
    connection: Database,
    database_url: str,
    files: dict[str, Path],
    receiver: Receiver,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """The receiver is away, then refuses, then takes it; no log has its address or the secret."""
    receiver.statuses = [503, 401]
    async with telling(database_url, files["hook"]) as app:
        await listening(connection)
        await fire(connection, SomeFault())
        for attempt in (1, 2):
            await until(lambda: tried(connection, attempt))  # noqa: B023 - waited for at once
            await connection.execute("UPDATE notification SET due_at = now()")
        await until(lambda: outbox_is(connection, "sent"))
        text = app.state.services.metrics.exposition().decode()
    assert 'tellergrid_api_notifications_total{channel="hook",outcome="failed"} 2.0' in text
    assert 'tellergrid_api_notifications_total{channel="hook",outcome="sent"} 1.0' in text
    assert (len(receiver.taken), len(set(receiver.ids))) == (3, 1)
    assert len(receiver.verified()) == 3
    logged = capsys.readouterr()
    for secret in ("a-secret-path", SECRET, SECRET.removeprefix("whsec_")):
        assert secret not in logged.out + logged.err
    assert "answered with 503" in logged.out + logged.err


async def tried(connection: Database, times: int) -> bool:
    """That often or, where nobody looked for seconds, more often."""
    [(_, _, state, attempts)] = await outbox(connection) or [("", "", "", 0)]
    return bool(state != "sending" and attempts >= times)


async def test_a_digest_is_one_message_however_often_it_is_tried(
    connection: Database, database_url: str, files: dict[str, Path], receiver: Receiver
) -> None:
    """Two tickets wait for their digest's end; what comes after the first attempt is not in it."""
    receiver.statuses = [500]
    async with telling(database_url, files["digest"]):
        await listening(connection)
        await fire(connection, SomeFault())
        await until(lambda: outbox_is(connection, "waiting"))
        await fire(connection, SomeFault(terminal="ATM-2"))
        await until(lambda: outbox_is(connection, "waiting", "waiting"))
        assert receiver.taken == []
        await connection.execute("UPDATE notification SET recipient = 'T01', due_at = now()")
        await until(lambda: both_tried(connection))
        await connection.execute(
            "INSERT INTO notification (cause, kind, recipient, channel, facts, due_at)"
            " SELECT 'another', kind, recipient, channel, facts, now() + interval '1 day'"
            " FROM notification LIMIT 1"
        )
        await connection.execute("UPDATE notification SET due_at = now() WHERE attempts > 0")
        await until(lambda: outbox_is(connection, "sent", "sent", "waiting"))
    one, again = receiver.verified()
    assert one == again
    assert (one["title"], len(one["items"])) == ("2 messages", 2)


async def both_tried(connection: Database) -> bool:
    return [row[3] > 0 for row in await outbox(connection)] == [True, True]


async def test_the_monthly_report_is_made_and_told_once(
    connection: Database, database_url: str, files: dict[str, Path], receiver: Receiver
) -> None:
    """Over Apprise with the document itself; looked for again, it is there and was told."""
    began = datetime.now(UTC) - timedelta(days=90)
    await connection.execute("UPDATE terminal SET commissioned_at = %s", (began,))
    await connection.execute("UPDATE terminal_cell SET valid = tstzrange(%s, NULL)", (began,))
    channels = read(files["plain"])
    for _ in range(2):
        async with connection.transaction():
            await report_month(connection, ZoneInfo("Asia/Shanghai"), channels)
    async with telling(database_url, files["plain"]):
        await until(lambda: outbox_is(connection, "sent"))
    [(_, body)] = receiver.taken
    told = json.loads(body)
    assert told["title"].startswith("Uptime of ")
    assert told["attachments"][0]["filename"].endswith(".pdf")
    [(count,)] = await (
        await connection.execute("SELECT count(*) FROM published_figure WHERE name = 'report'")
    ).fetchall()
    assert count == 1


async def test_a_report_that_nobody_is_told_of_is_made_and_not_read_again(
    connection: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A large fleet's takes the processor for half a second, and it is looked for every hour."""
    began = datetime.now(UTC) - timedelta(days=90)
    await connection.execute("UPDATE terminal SET commissioned_at = %s", (began,))
    await connection.execute("UPDATE terminal_cell SET valid = tstzrange(%s, NULL)", (began,))
    await report_month(connection, ZoneInfo("Asia/Shanghai"), {})
    cursor = await connection.execute("SELECT name, version FROM published_figure")
    assert await cursor.fetchall() == [("report", 1)]

    async def read_again(*_: object) -> None:
        raise AssertionError

    monkeypatch.setattr(monthly, "kept", read_again)
    await report_month(connection, ZoneInfo("Asia/Shanghai"), {})


async def test_the_scheduled_report_of_last_month_is_sent_once_by_one_of_many(
    connection: Database,
    database_url: str,
    files: dict[str, Path],
    receiver: Receiver,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Nobody asks for it: of three apis one's schedule makes it, one sends it, once, in Chinese,
    with the document. What is due every hour is done soon after the start, not an hour later.
    """
    monkeypatch.setattr(scheduled, "FIRST_AFTER_S", 0.2)
    began = datetime.now(UTC) - timedelta(days=90)
    await connection.execute("UPDATE terminal SET commissioned_at = %s", (began,))
    await connection.execute("UPDATE terminal_cell SET valid = tstzrange(%s, NULL)", (began,))
    asked = settings(database_url, files["chinese"]).model_copy(
        update={"time_zone": "Asia/Shanghai"}
    )
    async with AsyncExitStack() as stack:
        apps = [create_app(asked) for _ in range(3)]
        for app in apps:
            await stack.enter_async_context(app.router.lifespan_context(app))
        await until(lambda: outbox_is(connection, "sent"))

        async def all_looked() -> bool:
            told = [app.state.services.metrics.exposition().decode() for app in apps]
            return all('work="report_month"' in one for one in told)

        await until(all_looked)
    [(_, body)] = receiver.taken
    told = json.loads(body)
    assert told["title"].endswith("可用率报告")
    document = pypdf.PdfReader(io.BytesIO(base64.b64decode(told["attachments"][0]["base64"])))
    assert "可用率报告" in "".join(document.pages[0].extract_text().split())
    zones = await connection.execute("SELECT zone, version FROM published_figure")
    assert await zones.fetchall() == [("Asia/Shanghai", 1)]


async def test_without_channels_nobody_is_told_and_nothing_piles_up(
    connection: Database, database_url: str, files: dict[str, Path], receiver: Receiver
) -> None:
    """Channels that come later do not tell of what was long ago."""
    app = create_app(
        Settings(database_url=database_url, token_secret=SecretStr(TOKEN_SECRET), poll_seconds=0.2)
    )
    async with app.router.lifespan_context(app):
        await listening(connection)
        await fire(connection, SomeFault())
        await until(lambda: tickets_are(connection, "ASSIGNED"))
        await until(lambda: passed(connection))
    async with telling(database_url, files["hook"]):
        await listening(connection)
        await fire(connection, SomeFault(terminal="ATM-2"))
        await until(lambda: outbox_is(connection, "sent"))
    assert [one["title"] for one in receiver.verified()] == ["Ticket 2: Card reader jammed"]


async def passed(connection: Database) -> bool:
    cursor = await connection.execute(
        "SELECT (SELECT tx FROM notification_place) > max(tx) FROM ticket_transition"
    )
    return await cursor.fetchone() == (True,)


async def test_operations_see_what_is_told_to_whom(
    connection: Database, database_url: str, files: dict[str, Path], receiver: Receiver
) -> None:
    """The outbox, the latest first, by state and recipient; no technician sees it."""
    receiver.statuses = [503] * 100
    async with telling(database_url, files["hook"]) as app, client_of(app) as client:
        await listening(connection)
        await fire(connection, SomeFault())
        await until(lambda: tried(connection, 1))
        await connection.execute(
            "INSERT INTO notification (cause, kind, recipient, channel, facts, due_at, state)"
            " VALUES ('report/2026-10/UTC', 'report', 'operations', 'desk', '{}', now(), 'sent')"
        )

        async def asked(who: str, query: str) -> httpx.Response:
            headers = {"Authorization": f"Bearer {await token(client, who)}"}
            return await client.get(f"/api/v1/notifications{query}", headers=headers)

        everything = await asked("ops", "")
        waiting = (await asked("ops", "?state=waiting&recipient=T01")).json()["items"]
        assert (await asked("ops", "?channel=none")).json()["items"] == []
        assert (await asked("tech01", "")).status_code == 403
    assert [one["recipient"] for one in everything.json()["items"]] == ["operations", "T01"]
    [one] = waiting
    assert (one["channel"], one["facts"]["ticket"]) == ("hook", 1)
    assert one["attempts"] > 0
    assert one["error"] == "answered with 503"
    assert "a-secret-path" not in everything.text


async def test_what_ended_long_ago_is_forgotten(connection: Database) -> None:
    """After 400 days; what still waits is not, however old."""
    await connection.execute(
        "INSERT INTO notification (cause, kind, recipient, channel, facts, due_at, state, ended_at)"
        " VALUES ('1', 'warning', 'operations', 'x', '{}', now(), 'sent', now() - interval '401d'),"
        " ('2', 'warning', 'operations', 'x', '{}', now(), 'sent', now() - interval '399d'),"
        " ('3', 'warning', 'operations', 'x', '{}', now() - interval '500 d', 'waiting', NULL)"
    )
    await forget(connection)
    cursor = await connection.execute("SELECT cause FROM notification ORDER BY id")
    assert await cursor.fetchall() == [("2",), ("3",)]


def _delivery(body: str = "") -> Delivery:
    return Delivery(uuid4(), "operations", Message("Temperature <5", body), datetime.now(UTC), [])


async def test_a_receiver_that_never_ends_its_answer_holds_up_nobody(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """It says 200, and goes on talking: that is enough. One that goes on before that is in vain."""
    monkeypatch.setattr("api.notifications.senders._PATIENCE_S", 2)

    async def talking(begin: bytes) -> str:
        over = asyncio.Event()

        async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            with suppress(ConnectionError, asyncio.IncompleteReadError):
                await reader.readuntil(b"\r\n\r\n")
                writer.write(begin)
                while True:
                    writer.write(b"X: y\r\n")
                    await writer.drain()
                    await asyncio.sleep(0.1)
            writer.close()
            with suppress(ConnectionError):
                await writer.wait_closed()
            over.set()

        async with await asyncio.start_server(talk, "127.0.0.1", 0) as server:
            host, port = server.sockets[0].getsockname()
            channel = Channel(to=["operations"], url=f"http://{host}:{port}/", secret=SECRET)
            try:
                async with asyncio.timeout(PATIENCE_S):
                    await senders.send(channel, _delivery(), [])
            except SendFailed as failure:
                return str(failure)
            else:
                return "sent"
            finally:
                await over.wait()

    assert await talking(b"HTTP/1.1 200 OK\r\nContent-Length: 1000000\r\n\r\n") == "sent"
    assert await talking(b"HTTP/1.1 200 OK\r\n") == "TimeoutError"


@pytest.fixture
def mails(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What is handed to a mail server."""
    sent: list[str] = []

    class Server:
        def __init__(self, *_: object, **__: object) -> None: ...

        def __getattr__(self, name: str) -> Any:
            return lambda *said, **_: sent.append(said[2]) if name == "sendmail" else None

    monkeypatch.setattr("smtplib.SMTP", Server)
    monkeypatch.setattr("smtplib.SMTP_SSL", Server)
    return sent


MAIL = Channel(to=["operations"], url="mailtos://user:password@mail.example?to=a@b.example")


async def test_mail_has_no_markup_and_keeps_its_lines(mails: list[str]) -> None:
    """What stands in a title is shown, not obeyed."""
    body = "<a href='https://elsewhere.example'>one</a>\ntwo"
    await senders.send(MAIL, _delivery(body), [])
    message = email.message_from_string(mails[0], policy=email.policy.default)
    html, plain = (message.get_body((kind,)) for kind in ("html", "plain"))
    assert html is None or "<a href" not in html.get_content()
    assert plain is not None
    assert plain.get_content().strip() == body


@pytest.mark.parametrize("letter", ["卡", "💳", "x"])
async def test_a_long_title_makes_no_mail_that_servers_refuse(
    mails: list[str], letter: str
) -> None:
    """A line has 998 bytes at the most. What of the title is left out stands above the body."""
    title = f"工单 7：{letter * 400}"
    delivery = replace(_delivery("body"), message=Message(title, "body"))
    await senders.send(MAIL, delivery, [])
    assert max(len(line) for line in mails[0].encode().splitlines()) <= 998
    message = email.message_from_string(mails[0], policy=email.policy.default)
    assert str(message["Subject"]).startswith(f"工单 7：{letter * 70}")
    assert str(message["Subject"]).endswith("…")
    plain = message.get_body(("plain",))
    assert plain is not None
    assert plain.get_content().split() == [*title.split(), "body"]


async def waiting(connection: Database, kind: str, channel: str) -> None:
    """Something that is to be told over a channel since a minute ago."""
    await connection.execute(
        "INSERT INTO notification (cause, kind, recipient, channel, facts, due_at)"
        " VALUES (%s, %s, 'operations', %s, %s, now() - interval '1 minute')",
        (f"of {kind}", kind, channel, Jsonb(FACTS)),
    )


async def test_a_process_that_slept_does_not_send_what_another_has_taken_over(
    connection: Database, database_url: str, files: dict[str, Path], receiver: Receiver
) -> None:
    """It had taken a notification up and not begun to hand it over. Awake again, it goes on."""
    await waiting(connection, "warning", "plain")
    channels = read(files["plain"])

    async with open_pool(as_api(database_url), name="test") as pool:
        other = Notifier(channels, pool, Metrics())

        class Slept(Notifier):
            async def _attachments(self, *_: object) -> list[Attachment]:
                await other.deliver(connection)
                return []

        await Slept(channels, pool, Metrics()).deliver(connection)
    assert len(receiver.taken) == 1
    assert await outbox_is(connection, "sent")


async def test_what_is_late_disturbs_nobody_in_quiet_hours(
    connection: Database, database_url: str, files: dict[str, Path], receiver: Receiver
) -> None:
    """It was due before they began: nobody ran then, or it is tried again. A breach is told."""
    for kind in ("warning", "breached"):
        await waiting(connection, kind, "plain")
    told = read(files["plain"])["plain"]
    channels = {"plain": now_quiet(told)}
    async with open_pool(as_api(database_url), name="test") as pool:
        await Notifier(channels, pool, Metrics()).deliver(connection)
        assert await outbox_is(connection, "waiting", "sent")
        await Notifier({"plain": told}, pool, Metrics()).deliver(connection)
    assert await outbox_is(connection, "sent", "sent")
    assert len(receiver.taken) == 2


async def test_whom_a_ticket_is_given_to_at_night_hears_of_it_at_night(
    connection: Database, database_url: str, receiver: Receiver, tmp_path: Path
) -> None:
    """They are on shift, and the time to accept it runs."""
    begin, end = hours_around_now()
    hook = {"to": ["technicians"], "url": f"http://127.0.0.1:{receiver.port}", "secret": SECRET}
    quiet = hook | {"quiet": f"{begin}-{end}", "time_zone": "UTC"}
    file = tmp_path / "quiet.yaml"
    file.write_text(json.dumps({"channels": {"hook": quiet}}), encoding="utf-8")
    async with telling(database_url, file):
        await listening(connection)
        await fire(connection, SomeFault())
        await until(lambda: outbox_is(connection, "sent"))
    assert [row[:2] for row in await outbox(connection)] == [("assigned", "T01")]


async def test_nothing_else_comes_along_with_it_at_night(
    connection: Database, database_url: str, files: dict[str, Path], receiver: Receiver
) -> None:
    """Over a channel that gathers: what became of another ticket waits for the morning."""
    for kind in ("changed", "assigned"):
        await waiting(connection, kind, "hook")
    gathering = now_quiet(read(files["hook"])["hook"]).model_copy(update={"digest_minutes": 5})
    async with open_pool(as_api(database_url), name="test") as pool:
        await Notifier({"hook": gathering}, pool, Metrics()).deliver(connection)
    assert await outbox_is(connection, "waiting", "sent")
    [one] = receiver.verified()
    assert [item["kind"] for item in one["items"]] == ["assigned"]


def now_quiet(channel: Channel) -> Channel:
    """The channel, with quiet hours that began an hour ago and last another."""
    begin, end = hours_around_now()
    return channel.model_copy(update={"quiet": f"{begin}-{end}", "time_zone": "UTC"})


def hours_around_now() -> tuple[str, str]:
    hour = timedelta(hours=1)
    begin, end = (f"{datetime.now(UTC) + by:%H:%M}" for by in (-hour, hour))
    return begin, end
