"""A line to an HTTP server: one request at a time, and of its answer only what load wants to know.

A protocol on the transport, without streams: what it costs is not to show in what it measures.
"""

import asyncio

_END = b"\r\n\r\n"
_LENGTH = b"\r\ncontent-length:"
_OK = b" 200 "


class HungUp(ConnectionResetError):
    """The server hung up before it said a byte of the answer."""


class Line(asyncio.Protocol):
    """Made by `to`; whoever made it closes it, also when an answer was not waited for."""

    def __init__(self) -> None:
        loop = asyncio.get_running_loop()
        self._ended: asyncio.Future[None] = loop.create_future()
        self._answer: asyncio.Future[bool] | None = None
        self._transport: asyncio.Transport | None = None
        self._received = b""

    @classmethod
    async def to(cls, host: str, port: int) -> "Line":
        """A line to a server; raises `OSError`."""
        _, line = await asyncio.get_running_loop().create_connection(cls, host, port)
        return line

    async def ask(self, request: bytes) -> bool:
        """Whether the answer is 200; raises `ConnectionError` or `ValueError` when none comes."""
        if self._transport is None or self._ended.done():
            raise HungUp("the line is closed")
        self._answer = asyncio.get_running_loop().create_future()
        self._transport.write(request)
        return await self._answer

    async def close(self) -> None:
        """Hang up at once, and wait until that is done."""
        if self._transport is not None:
            self._transport.abort()
            await self._ended

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Part of `asyncio.Protocol`."""
        assert isinstance(transport, asyncio.Transport)  # noqa: S101 - of TCP it is
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        """Part of `asyncio.Protocol`."""
        self._received += data
        head, end, body = self._received.partition(_END)
        if not end or self._answer is None or self._answer.done():
            return
        try:
            length = _length(head)
        except ValueError as error:
            self._answer.set_exception(error)
            return
        if len(body) >= length:
            self._received = b""
            self._answer.set_result(_OK in head.partition(b"\r\n")[0])

    def connection_lost(self, exc: Exception | None) -> None:
        """Part of `asyncio.Protocol`."""
        if self._answer is not None and not self._answer.done():
            broken = exc or ConnectionResetError("hung up in the middle of the answer")
            self._answer.set_exception(broken if self._received else HungUp("no answer"))
        self._ended.set_result(None)


def _length(head: bytes) -> int:
    """The length of the body, which an answer of the api says; raises `ValueError`."""
    return int(head.lower().partition(_LENGTH)[2].partition(b"\r\n")[0])
