"""The client of the api's benchmark, on servers that answer badly; an open line fails a test."""

import asyncio
import gc
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from typing import Any

import pytest

from tellergrid.bench import load
from tellergrid.bench.load import Ask, loaded

Serve = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Coroutine[Any, Any, None]]
_GOOD = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}"


@asynccontextmanager
async def serving(serve: Serve) -> AsyncIterator[list[Ask]]:
    """A server that treats each request so, and what asks it."""

    async def each(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while await reader.readuntil(b"\r\n\r\n"):
                await serve(reader, writer)
        except (EOFError, OSError):
            pass
        finally:
            writer.close()

    server = await asyncio.start_server(each, "127.0.0.1", 0)
    async with server:
        yield [Ask("route", server.sockets[0].getsockname()[1], "/", "token")]
    gc.collect()  # what was left open says so now


async def test_an_answer_that_comes_in_pieces_is_one_answer() -> None:
    async def serve(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        for byte in _GOOD:
            writer.write(bytes([byte]))
            await writer.drain()

    async with serving(serve) as asks:
        outcome = await loaded(asks, 50, 0.2)
    assert (outcome.answered, outcome.errors) == (10, 0)


async def test_an_answer_that_does_not_come_in_time_is_an_error_and_its_line_is_closed(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The server says nothing: each request is given up, and no line is left open."""
    monkeypatch.setattr(load, "_PATIENCE_S", 0.2)

    async def serve(_reader: asyncio.StreamReader, _writer: asyncio.StreamWriter) -> None:
        return

    async with serving(serve) as asks:
        outcome = await loaded(asks, 20, 0.2)
    assert (outcome.answered, outcome.errors) == (0, 4)


async def test_a_line_that_was_hung_up_while_idle_is_no_error() -> None:
    """The server hangs up after each answer, as one does with lines that lie idle too long."""

    async def serve(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(_GOOD)
        writer.close()

    async with serving(serve) as asks:
        outcome = await loaded(asks, 50, 0.2)
    assert (outcome.answered, outcome.errors) == (10, 0)


@pytest.mark.parametrize(
    "answer",
    [
        pytest.param(b"", id="hangs up"),
        pytest.param(b"HTTP/1.1 200 OK\r\nContent-Le", id="hangs up in the middle"),
        pytest.param(b"HTTP/1.1 200 OK\r\n\r\n", id="says no length"),
        pytest.param(b"HTTP/1.1 500 Oh\r\nContent-Length: 0\r\n\r\n", id="another status"),
    ],
)
async def test_a_bad_answer_is_an_error(answer: bytes) -> None:
    async def serve(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(answer)
        if not answer.endswith(b"\r\n\r\n"):
            writer.close()

    async with serving(serve) as asks:
        outcome = await loaded(asks, 20, 0.2)
    assert (outcome.answered, outcome.errors) == (0, 4)


async def test_load_that_is_broken_off_leaves_no_line_open() -> None:
    """Ctrl-C in the middle of a run, while requests are unanswered."""
    begun = asyncio.Event()

    async def serve(_reader: asyncio.StreamReader, _writer: asyncio.StreamWriter) -> None:
        begun.set()

    async with serving(serve) as asks:
        task = asyncio.create_task(loaded(asks, 20, 60))
        async with asyncio.timeout(60):
            await begun.wait()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
