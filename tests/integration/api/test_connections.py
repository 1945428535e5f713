"""Connections that are opened and left, on the protocol that the api speaks, over real sockets."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from socket import TCP_USER_TIMEOUT

import pytest
import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route
from uvicorn.server import ServerState

from api import __main__ as process
from api.heads import BoundedHeads
from tests.integration.api.test_scheduled import until
from tests.machine import PATIENCE_S

_IDLE_S = 1
_HEAD = b"POST / HTTP/1.1\r\nHost: x\r\n"
_WHOLE = _HEAD + b"Content-Length: 2\r\n\r\nok"
_LARGE = 64 * 2**20


async def _echo(request: Request) -> Response:
    return PlainTextResponse(await request.body())


async def _slow(request: Request) -> Response:
    await asyncio.sleep(2.5 * _IDLE_S)
    return PlainTextResponse(await request.body())


async def _large(_: Request) -> Response:
    return PlainTextResponse(b"a" * _LARGE)


_ROUTES = [
    Route("/", _echo, methods=["POST"]),
    Route("/slow", _slow),
    Route("/large", _large),
]
_APP = Starlette(routes=_ROUTES)


@asynccontextmanager
async def served() -> AsyncIterator[tuple[int, ServerState]]:
    """An app behind our protocol, which keeps an idle connection for a second: port and state."""
    config = uvicorn.Config(_APP, lifespan="off", timeout_keep_alive=_IDLE_S, log_config=None)
    state = ServerState()
    server = await asyncio.get_running_loop().create_server(
        lambda: BoundedHeads(config, state, {}), "127.0.0.1", 0
    )
    try:
        yield server.sockets[0].getsockname()[1], state
    finally:
        server.close()
        for connection in [*state.connections]:
            connection.transport.abort()


@pytest.mark.parametrize(
    "sent",
    [
        b"",
        _HEAD,
        _HEAD + b"Content-Length: 9\r\n\r\nhalf",
        _HEAD + b"Transfer-Encoding: chunked\r\n\r\n",
        _WHOLE + _HEAD,
        _WHOLE + b"\r\n",
    ],
    ids=["nothing", "head", "body", "chunks", "second", "line"],
)
async def test_who_says_no_more_is_let_go(sent: bytes) -> None:
    """Whoever opened as many connections as a process may have, and left them, shut out everybody:
    such a connection was kept for as long as its other end was there."""
    async with served() as (port, state):
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        whole, half = (_WHOLE, sent[len(_WHOLE) :]) if sent.startswith(_WHOLE) else (b"", sent)
        if whole:
            writer.write(whole)
            assert (await reader.readuntil(b"\r\n\r\nok")).startswith(b"HTTP/1.1 200 ")
        writer.write(half)
        async with asyncio.timeout(PATIENCE_S):
            assert await reader.read() == b""
        assert not state.connections
        writer.close()


async def test_a_head_that_comes_letter_by_letter_is_let_go() -> None:
    """It gets on and never ends."""
    async with served() as (port, state):
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        async with asyncio.timeout(PATIENCE_S):
            writer.write(_HEAD + b"X: ")
            while not reader.at_eof():
                writer.write(b"a")
                await asyncio.sleep(_IDLE_S / 10)
        assert not state.connections
        writer.close()


async def test_who_goes_on_is_waited_for() -> None:
    """A photo over a poor line takes longer than an idle connection is kept, and is taken; so is
    what takes us longer to answer."""
    async with served() as (port, _):
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(_HEAD + b"Content-Length: 8\r\n\r\n")
        for _ in range(8):
            await asyncio.sleep(_IDLE_S / 3)
            writer.write(b"a")
        async with asyncio.timeout(PATIENCE_S):
            assert (await reader.readuntil(b"a" * 8)).startswith(b"HTTP/1.1 200 ")
            writer.write(b"GET /slow HTTP/1.1\r\nHost: x\r\n\r\n")
            assert (await reader.readuntil(b"\r\n\r\n")).startswith(b"HTTP/1.1 200 ")
        writer.close()


async def test_who_takes_nothing_of_an_answer_is_let_go(monkeypatch: pytest.MonkeyPatch) -> None:
    """A phone that is there and does not read: all of a file that it asked for was kept for it,
    for as long as it liked, and of every other file that it asked for beside it."""
    soon = [
        (level, option, 1000 if option == TCP_USER_TIMEOUT else value)
        for level, option, value in process._LET_GO
    ]
    monkeypatch.setattr(process, "_LET_GO", soon)
    config = uvicorn.Config(_APP, http=BoundedHeads, lifespan="off", port=0, log_config=None)
    config.load()
    server = process._Server(config, asyncio.Event())
    server.lifespan = config.lifespan_class(config)
    await server.startup()
    port = server.servers[0].sockets[0].getsockname()[1]
    _, phone = await asyncio.open_connection("127.0.0.1", port, limit=1024)
    try:
        phone.transport.pause_reading()  # type: ignore[attr-defined]
        phone.write(b"GET /large HTTP/1.1\r\nHost: x\r\n\r\n")
        await until(lambda: asyncio.sleep(0, bool(server.server_state.connections)), every_s=0.1)
        await until(lambda: asyncio.sleep(0, not server.server_state.connections), every_s=0.1)
    finally:
        phone.transport.abort()
        await server.shutdown()
