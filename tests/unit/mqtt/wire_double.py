"""A broker's end of a connection without a socket: what we wrote, and bytes to feed us."""

import asyncio
from collections.abc import Iterable

import mqtt5

from fleet.mqtt import Broker, Clock, Connection, Message, Session
from fleet.mqtt.message import utc_now


class MemoryTransport(asyncio.Transport):
    """Takes bytes into a list and tells the protocol, as asyncio would, when it is closed."""

    def __init__(self, protocol: asyncio.BaseProtocol) -> None:
        super().__init__()
        self.protocol = protocol
        self.writes: list[bytes] = []
        self.closed = False
        self.aborted = False
        self.reading = asyncio.Event()
        self.reading.set()

    def pause_reading(self) -> None:
        self.reading.clear()

    def resume_reading(self) -> None:
        self.reading.set()

    def write(self, data: bytes | bytearray | memoryview) -> None:
        assert not self.closed, "nothing may be written to a closed transport"
        self.writes.append(bytes(data))

    def is_closing(self) -> bool:
        return self.closed

    def close(self) -> None:
        self.lose(None)

    def abort(self) -> None:
        self.aborted = True
        self.lose(None)

    def lose(self, cause: Exception | None) -> None:
        if not self.closed:
            self.closed = True
            asyncio.get_running_loop().call_soon(self.protocol.connection_lost, cause)


class Peer:
    """The other side of one of our connections."""

    def __init__(self, session: Session, clock: Clock = utc_now) -> None:
        self.broker = Broker("broker.test", username="ATM-0001", password="a-secret-word")
        self.messages: list[Message] = []
        self.connection = Connection(session, lambda _, each: self.messages.append(each), clock)
        self.transport = MemoryTransport(self.connection.wire)
        self.connection.wire.connection_made(self.transport)

    async def greet(self, answer: mqtt5.ConnAckPacket | None = None) -> None:
        """Complete the handshake; raises what `handshake` raises."""
        handshake = asyncio.ensure_future(self.connection.handshake(self.broker))
        await asyncio.sleep(0)
        self.feed((answer or mqtt5.ConnAckPacket()).write())
        await handshake
        await asyncio.sleep(0)

    def feed(self, *chunks: bytes) -> None:
        """Give us bytes, each chunk as the reads a transport would make of it."""
        wire = self.connection.wire
        for chunk in chunks:
            rest = memoryview(chunk)
            while rest and not self.transport.closed:
                space = wire.get_buffer(-1)
                part = rest[: len(space)]
                space[: len(part)] = part
                wire.buffer_updated(len(part))
                rest = rest[len(part) :]

    def send(self, *packets: mqtt5.Packet) -> None:
        """Give us packets, all in one read."""
        self.feed(b"".join(packet.write() for packet in packets))

    async def received(self) -> list[mqtt5.Packet]:
        """Return the packets we wrote since last asked, after this turn's writes are out."""
        await asyncio.sleep(0)
        packets = list(parse(self.transport.writes))
        self.transport.writes.clear()
        return packets


def parse(writes: Iterable[bytes]) -> Iterable[mqtt5.Packet]:
    """Read packets off what was written."""
    rest = memoryview(b"".join(writes))
    while rest:
        packet, size = mqtt5.read(rest)
        yield packet
        rest = rest[size:]


def publication(identifier: int, payload: bytes = b"{}", topic: str = "a/b") -> mqtt5.PublishPacket:
    """Return a PUBLISH of quality of service 1 as a broker sends it."""
    return mqtt5.PublishPacket(topic, payload, qos=mqtt5.QoS.AT_LEAST_ONCE, packet_id=identifier)


async def greeted(session: Session | None = None, **answer: object) -> Peer:
    """Return a peer with the handshake done; `answer` is what its CONNACK grants."""
    peer = Peer(session or Session("ATM-0001"))
    await peer.greet(mqtt5.ConnAckPacket(**answer))  # type: ignore[arg-type]  # fields of CONNACK
    await peer.received()
    return peer
