"""Heads of requests are bounded as their bodies are: the parser would gather one without an end.

It keeps what is not whole yet and copies all of it for each piece more, so one line of headers that
goes on and on took the memory of a process and held up everybody else.

Nor does anybody keep a connection with half a request, or with none: those of a process are few.
"""

import asyncio
from http import HTTPStatus

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol, RequestResponseCycle

LONGEST = 64 * 1024
_STATUS = HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE
_REFUSAL = (
    f"HTTP/1.1 {_STATUS.value} {_STATUS.phrase}\r\nconnection: close\r\ncontent-length: 0\r\n\r\n"
).encode()


class BoundedHeads(HttpToolsProtocol):
    """Uvicorn's protocol, which hangs up on whoever sends more than so much that is no body.

    And on whoever lets it wait for a whole head, or for more of a body, longer than a connection
    may lie idle: uvicorn's own patience ends between requests alone, and not before the first.
    """

    _unfinished = 0
    _got_on = False
    _patience: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Somebody is there, who owes a head."""
        super().connection_made(transport)
        self._have_patience()

    def connection_lost(self, exc: Exception | None) -> None:
        """Nobody is waited for any more."""
        self._wait_no_more()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Parse what came; count it, where it made nothing whole: of a head, or behind a body."""
        self._got_on = False
        super().data_received(data)
        if self._got_on:
            self._wait_no_more()
        if self._patience is None and self._is_owed_more():
            self._have_patience()
        self._unfinished = 0 if self._got_on else self._unfinished + len(data)
        if self._unfinished > LONGEST and not self.transport.is_closing():
            self.transport.write(_REFUSAL)
            self.transport.close()

    def on_headers_complete(self) -> None:
        """A head is whole."""
        self._got_on = True
        super().on_headers_complete()

    def on_body(self, body: bytes) -> None:
        """A piece of a body."""
        self._got_on = True
        super().on_body(body)

    def on_message_complete(self) -> None:
        """A request is whole."""
        self._got_on = True
        super().on_message_complete()

    def _is_owed_more(self) -> bool:
        """Whether it is for the client to go on: with a body, or with the next head."""
        cycle: RequestResponseCycle | None = self.cycle  # there is none before the first head
        return cycle is None or cycle.more_body or cycle.response_complete

    def _have_patience(self) -> None:
        self._patience = self.loop.call_later(
            self.timeout_keep_alive, self.timeout_keep_alive_handler
        )

    def _wait_no_more(self) -> None:
        if self._patience is not None:
            self._patience.cancel()
            self._patience = None
