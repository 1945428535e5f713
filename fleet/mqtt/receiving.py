"""Bytes in, packets out: a receive buffer that grows as needed and never past its bound.

Rules: it starts small (thousands of connections share a process), doubles when a read fills it,
and falls back to its usual size once a large packet has gone. A packet that announces more than
the limit is a violation before its body is received.
"""

from collections.abc import Iterator

from mqtt5 import DisconnectReasonCode, Packet, read

from fleet.mqtt.errors import ProtocolViolation

FIRST_SIZE = 2048
USUAL_SIZE = 256 * 1024
HEADER_SIZE = 5


class ReceiveBuffer:
    """The unread bytes of one connection; a packet may be as large as `limit` bytes."""

    __slots__ = ("_data", "_end", "_limit", "_start")

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._data = memoryview(bytearray(FIRST_SIZE))
        self._start = 0
        self._end = 0

    @property
    def capacity(self) -> int:
        """Bytes of memory held."""
        return len(self._data)

    @property
    def room(self) -> int:
        """How many bytes `space` takes."""
        return len(self._data) - self._end

    def space(self) -> memoryview:
        """Return where the next bytes go; never empty."""
        return self._data[self._end :]

    def received(self, count: int) -> Iterator[Packet]:
        """Take `count` bytes written into `space` and yield each packet that is whole.

        Raises ProtocolViolation at the first packet that is none, after the good ones before it.
        """
        self._end += count
        filled = self._end == len(self._data)
        unread, limit = self._data[self._start : self._end], self._limit
        while unread:
            try:
                packet, size = read(unread)
            except IndexError:
                self._expect_more(unread)
                break
            except ValueError as error:
                raise _malformed(error) from error
            except BaseException as error:  # the codec panics, outside Exception, on text not UTF-8
                if type(error).__name__ != "PanicException":
                    raise
                raise _malformed("text that is not UTF-8") from None
            if size > limit:
                raise _too_large(size, limit)
            self._start += size
            unread = unread[size:]
            yield packet
        self._make_room(filled=filled)

    def _expect_more(self, unread: memoryview) -> None:
        size = packet_size(unread)
        if size is None:
            return
        if size > self._limit:
            raise _too_large(size, self._limit)
        if size <= len(unread):
            raise _malformed("its fields are longer than it is")

    def _make_room(self, *, filled: bool) -> None:
        size, capacity = self._end - self._start, len(self._data)
        if filled and (size * 2 > capacity or capacity < USUAL_SIZE):
            capacity = min(capacity * 2, max(USUAL_SIZE, self._limit + HEADER_SIZE))
        elif capacity > USUAL_SIZE and size < USUAL_SIZE:
            capacity = USUAL_SIZE
        if capacity == len(self._data) and self._start == 0:
            return  # a large packet comes in many small reads: it is not copied at each
        rest = bytes(self._data[self._start : self._end])
        if capacity != len(self._data):
            self._data = memoryview(bytearray(capacity))
        self._data[:size] = rest
        self._start, self._end = 0, size


def packet_size(unread: memoryview) -> int | None:
    """Return the whole length the packet at the start announces; None while its header is short."""
    length = 0
    for place, byte in enumerate(unread[1:HEADER_SIZE]):
        length |= (byte & 0x7F) << (7 * place)
        if byte < 0x80:
            return 2 + place + length
    return None


def _malformed(why: object) -> ProtocolViolation:
    return ProtocolViolation(f"a malformed packet, {why}", DisconnectReasonCode.MALFORMED_PACKET)


def _too_large(size: int, limit: int) -> ProtocolViolation:
    text = f"a packet of {size} bytes where {limit} were announced as the most"
    return ProtocolViolation(text, DisconnectReasonCode.PACKET_TOO_LARGE)
