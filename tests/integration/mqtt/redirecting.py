"""A small server of MQTT 5 that does what no broker can be told to do: it sends its clients on."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import mqtt5

from fleet.mqtt import Broker
from fleet.mqtt.receiving import ReceiveBuffer
from tellergrid.stack.ports import LOOPBACK

Greeting = Callable[[], mqtt5.ConnAckPacket]
LARGEST = 64 * 1024
DEADLINE_S = 60


@dataclass(slots=True)
class Server:
    """Answers each CONNECT with `greeting`, acknowledges what is published."""

    greeting: mqtt5.ConnAckPacket = field(default_factory=mqtt5.ConnAckPacket)
    connects: list[mqtt5.ConnectPacket] = field(default_factory=list)
    port: int = 0
    _writers: set[asyncio.StreamWriter] = field(default_factory=set)

    @property
    def broker(self) -> Broker:
        """Where it is, for an account."""
        return Broker(LOOPBACK, self.port, "ATM-0001", "a-secret-word")

    @property
    def reference(self) -> str:
        """What another server calls it."""
        return f"{LOOPBACK}:{self.port}"

    def dismiss(self, packet: mqtt5.DisconnectPacket) -> None:
        """Send everybody away."""
        for writer in self._writers:
            writer.write(packet.write())
            writer.close()

    async def gone(self) -> None:
        """Return when everybody is."""
        while self._writers:
            await asyncio.wait_for(next(iter(self._writers)).wait_closed(), DEADLINE_S)
            await asyncio.sleep(0)

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Talk to one client until it goes."""
        self._writers.add(writer)
        buffer = ReceiveBuffer(LARGEST)
        try:
            while data := await reader.read(1024):
                buffer.space()[: len(data)] = data
                for packet in buffer.received(len(data)):
                    self._answer(packet, writer)
        except OSError:
            pass
        finally:
            self._writers.discard(writer)
            writer.close()

    def _answer(self, packet: mqtt5.Packet, writer: asyncio.StreamWriter) -> None:
        if isinstance(packet, mqtt5.ConnectPacket):
            self.connects.append(packet)
            writer.write(self.greeting.write())
        elif isinstance(packet, mqtt5.PublishPacket) and packet.packet_id is not None:
            writer.write(mqtt5.PubAckPacket(packet.packet_id).write())


@asynccontextmanager
async def serving(greeting: mqtt5.ConnAckPacket | None = None) -> AsyncIterator[Server]:
    """A server on a free port of its own, inside the block."""
    server = Server(greeting or mqtt5.ConnAckPacket())
    listening = await asyncio.start_server(server.serve, LOOPBACK, 0)
    server.port = listening.sockets[0].getsockname()[1]
    try:
        yield server
    finally:
        listening.close()
        server.dismiss(mqtt5.DisconnectPacket())
        await server.gone()
