"""Bytes to packets and back over one asyncio transport; what packets mean is not known here.

Writes of one turn of the event loop leave as one: a batch of acknowledgements, or of publications,
costs one system call. Reads can be gathered as well: a broker writes each message by itself, and
whoever reads at once is woken for each.
"""

import asyncio
from typing import Protocol, cast

from mqtt5 import Packet

from fleet.mqtt.errors import ProtocolViolation
from fleet.mqtt.message import Clock
from fleet.mqtt.receiving import ReceiveBuffer


class Owner(Protocol):
    """Who understands the packets."""

    def packet_received(self, packet: Packet) -> None:
        """Take one packet; may raise ProtocolViolation."""

    def violated(self, violation: ProtocolViolation) -> None:
        """End the connection: the other side broke the protocol."""

    def writing_resumed(self) -> None:
        """Go on: the transport takes bytes again."""

    def connection_lost(self, cause: Exception | None) -> None:
        """Take note: the transport is gone."""


class WireProtocol(asyncio.BufferedProtocol):
    """One connection's bytes; `limit` bounds a received packet.

    With `gather_s` the line is left alone for so long after a read, but for one that left bytes
    behind for want of room.
    """

    def __init__(
        self,
        owner: Owner,
        limit: int,
        loop: asyncio.AbstractEventLoop,
        clock: Clock,
        gather_s: float = 0.0,
    ) -> None:
        self._owner = owner
        self._loop = loop
        self._clock = clock
        self._gather_s = gather_s
        self._buffer = ReceiveBuffer(limit)
        self._transport: asyncio.Transport | None = None
        self._outgoing: list[bytes] = []
        self._closing = False
        self._silent = False
        self.writable = True
        self.sent_at = self.heard_at = loop.time()
        self.read_at = clock()
        """When the last bytes came: what came with one read came at one time."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep the transport."""
        self._transport = cast("asyncio.Transport", transport)
        self.sent_at = self.heard_at = self._loop.time()

    def get_buffer(self, sizehint: int) -> memoryview:  # noqa: ARG002 - asyncio's signature
        """Return where the transport may put what it reads."""
        return self._buffer.space()

    def buffer_updated(self, nbytes: int) -> None:
        """Hand out the packets that are whole."""
        self.heard_at = self._loop.time()
        self.read_at = self._clock()
        if self._gather_s and nbytes < self._buffer.room and self._transport is not None:
            self._transport.pause_reading()
            self._loop.call_later(self._gather_s, self._read_on)
        try:
            for packet in self._buffer.received(nbytes):
                self._owner.packet_received(packet)
                if self._closing:
                    return
        except ProtocolViolation as violation:
            self._owner.violated(violation)

    def eof_received(self) -> bool:
        """Close: MQTT knows no half-closed connection."""
        return False

    def pause_writing(self) -> None:
        """Hold publications back: the other side does not read."""
        self.writable = False

    def resume_writing(self) -> None:
        """Let publications go again."""
        self.writable = True
        if not self._closing:
            self._owner.writing_resumed()

    def connection_lost(self, exc: Exception | None) -> None:
        """Tell the owner, once, whoever ended it."""
        self._closing = True
        self._transport = None
        self._outgoing.clear()
        self._owner.connection_lost(exc)

    @property
    def closing(self) -> bool:
        """Whether nothing more can be sent."""
        return self._closing or self._transport is None or self._transport.is_closing()

    def write(self, packet: bytes) -> None:
        """Send at the end of this turn of the event loop; nothing happens once closing."""
        if self.closing or self._silent or not packet:
            return
        if not self._outgoing:
            self._loop.call_soon(self._flush)
        self._outgoing.append(packet)

    def fall_silent(self) -> None:
        """Write nothing more and read nothing more; the connection stands."""
        self._silent = True
        self._outgoing.clear()
        if self._transport is not None:
            self._transport.pause_reading()

    def close(self, last: bytes = b"") -> None:
        """Send what is written, then `last`, then close when the other side has taken it all."""
        if self._transport is None or self._closing:
            return
        if last:
            self._outgoing.append(last)
        self._flush()
        self._closing = True
        self._transport.close()

    def abort(self, last: bytes = b"") -> None:
        """Try to send `last` and drop the connection now, whatever was still to be sent."""
        if self._transport is None:
            return
        self._outgoing.clear()
        if last and not self._closing:
            self._transport.write(last)
        self._closing = True
        self._transport.abort()

    def _read_on(self) -> None:
        if self._transport is not None and not self.closing and not self._silent:
            self._transport.resume_reading()

    def _flush(self) -> None:
        transport = self._transport
        if transport is not None and self._outgoing and not self.closing:
            transport.write(b"".join(self._outgoing))
            self.sent_at = self._loop.time()
        self._outgoing.clear()
