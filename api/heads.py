"""Heads of requests are bounded as their bodies are: the parser would gather one without an end.

It keeps what is not whole yet and copies all of it for each piece more, so one line of headers that
goes on and on took the memory of a process and held up everybody else.
"""

from http import HTTPStatus

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

LONGEST = 64 * 1024
_STATUS = HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE
_REFUSAL = (
    f"HTTP/1.1 {_STATUS.value} {_STATUS.phrase}\r\nconnection: close\r\ncontent-length: 0\r\n\r\n"
).encode()


class BoundedHeads(HttpToolsProtocol):
    """Uvicorn's protocol, which hangs up on whoever sends more than so much that is no body."""

    _unfinished = 0
    _got_on = False

    def data_received(self, data: bytes) -> None:
        """Parse what came; count it, where it made nothing whole: of a head, or behind a body."""
        self._got_on = False
        super().data_received(data)
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
