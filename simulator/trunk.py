"""A few connections that a whole fleet shares, where connections are not the point.

What a connection of its own does for a terminal is done for it here: its last will is published
when it drops, its commands are handed to it. Its account must be allowed to speak for all of them.
"""

import asyncio
import random
from collections.abc import Iterable, Sequence
from zlib import crc32

from mqtt5 import PubAckReasonCode

from fleet.mqtt import (
    Backoff,
    Broker,
    Connection,
    ConnectionLost,
    Filter,
    Message,
    MqttError,
    Session,
    connect,
    connections,
)
from simulator.link import OnCommand

_COMMANDS = "fleet/v1/+/+/command"
_LINE = 200_000


class Share:
    """One terminal's share of a connection; used as if it were its own."""

    def __init__(self, connection: Connection, session: Session) -> None:
        self._connection = connection
        self._session = session
        self._silent = False
        self.closed: asyncio.Future[MqttError | None] = connection.closed.get_loop().create_future()

    def publish(
        self,
        topic: str,
        payload: bytes,
        *,
        retain: bool = False,
        correlation_data: bytes | None = None,
    ) -> asyncio.Future[PubAckReasonCode]:
        """Publish; what a closed or silent share says is lost."""
        if self._silent or self.closed.done():
            lost: asyncio.Future[PubAckReasonCode] = self.closed.get_loop().create_future()
            if self.closed.done():
                lost.set_exception(ConnectionLost("the share was given up"))
                lost.exception()
            return lost
        return self._connection.publish(
            topic, payload, retain=retain, correlation_data=correlation_data
        )

    async def subscribe(self, filters: Sequence[Filter]) -> None:
        """Do nothing: the trunk hears everybody's commands."""

    def acknowledge(self, packet_ids: Iterable[int]) -> None:
        """Do nothing: the trunk acknowledges."""

    async def disconnect(self) -> None:
        """Give the share up, without a will."""
        self.end(None)

    def abort(self) -> None:
        """Give the share up; the last will is published."""
        if not self.closed.done():
            will = self._session.will
            if will is not None and not self._connection.closed.done():
                sent = self._connection.publish(will.topic, will.payload, retain=True)
                sent.add_done_callback(lambda each: each.cancelled() or each.exception())
            self.end(ConnectionLost("we dropped the connection"))

    def fall_silent(self) -> None:
        """Say nothing any more."""
        self._silent = True

    def end(self, error: MqttError | None) -> None:
        """Let it be closed, for this reason."""
        if not self.closed.done():
            self.closed.set_result(error)


class Trunk:
    """The shared connections; `run` keeps them, `open` gives shares of them."""

    def __init__(self, broker: Broker, count: int, name: str = "simulator-trunk") -> None:
        self._broker = broker
        self._name = name
        self._lines: list[Connection | None] = [None] * count
        self._there = [asyncio.Event() for _ in range(count)]
        self._shares: list[dict[str, tuple[Share, OnCommand]]] = [{} for _ in range(count)]

    async def run(self) -> None:
        """Stay connected until cancelled; raises what waiting does not cure."""
        async with asyncio.TaskGroup() as tasks:
            for number in range(len(self._lines)):
                tasks.create_task(self._keep(number))

    async def open(self, session: Session, on_command: OnCommand) -> Share:
        """Give a terminal its share, when its line is there."""
        code = session.client_id
        number = crc32(code.encode()) % len(self._lines)
        while (connection := self._lines[number]) is None:
            await self._there[number].wait()
        share = Share(connection, session)
        self._shares[number][code] = share, on_command
        return share

    async def close(self) -> None:
        """Disconnect in good order."""
        for connection in self._lines:
            if connection is not None:
                await connection.disconnect()

    async def _keep(self, number: int) -> None:
        async def dial() -> Connection:
            session = Session(f"{self._name}-{number}", waiting_line=_LINE)
            return await connect(self._broker, session, self._heard)

        async for connection in connections(dial, Backoff(random.Random(number))):  # noqa: S311
            try:
                if number == 0:  # the commands of all come once
                    await connection.subscribe([Filter(_COMMANDS)])
                self._lines[number] = connection
                self._there[number].set()
                await asyncio.shield(connection.closed)
            except ConnectionLost:
                pass
            finally:
                self._lines[number] = None
                self._there[number].clear()
                shares, self._shares[number] = self._shares[number], {}
                for share, _ in shares.values():
                    share.end(ConnectionLost("the shared connection ended"))
                connection.abort()

    def _heard(self, connection: Connection, message: Message) -> None:
        if message.packet_id is not None:
            connection.acknowledge([message.packet_id])
        code = message.topic.split("/")[-2]
        number = crc32(code.encode()) % len(self._lines)
        if code in self._shares[number]:
            share, on_command = self._shares[number][code]
            if not share.closed.done():
                on_command(share, message)
