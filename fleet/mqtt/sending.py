"""Our publications: encoded as this broker takes them, within its window, in a bounded line.

Rules: at most `size` messages of quality of service 1 are unacknowledged at once (the broker's
receive maximum); what comes beyond waits in order, at most `line` of it; an identifier is in use
from `admit` until its acknowledgement, so that none is ever reused too early.
"""

import asyncio
from collections import deque
from collections.abc import Callable
from typing import Generic, TypeVar

import mqtt5

from fleet.mqtt.errors import MessageRefused, WaitingLineFull

LAST_IDENTIFIER = 65535
LARGEST_PACKET = 256 * 1024 * 1024 - 1
PROPERTIES_AT_MOST = 4 * 65535  # header, topic, response topic, correlation data

Encode = Callable[[int | None], bytes]

Result = TypeVar("Result")


class SendWindow(Generic[Result]):
    """What was published and not yet acknowledged; the futures' result is the acknowledgement."""

    __slots__ = ("_in_flight", "_last", "_line", "_reserved", "_size", "_waiting")

    def __init__(self, size: int, line: int) -> None:
        self._size = size
        self._line = line
        self._in_flight: dict[int, asyncio.Future[Result]] = {}
        self._waiting: deque[tuple[int, bytes, asyncio.Future[Result]]] = deque()
        self._reserved: set[int] = set()
        self._last = 0

    def __len__(self) -> int:
        """Messages in flight and waiting."""
        return len(self._in_flight) + len(self._waiting)

    @property
    def open(self) -> bool:
        """Whether the next message admitted is due at once."""
        return not self._waiting and len(self._in_flight) < self._size

    def reserve(self) -> int:
        """Return an identifier nothing under way uses, and keep it until `release`.

        Raises WaitingLineFull when all of them are in use.
        """
        if len(self._reserved) == LAST_IDENTIFIER:
            raise WaitingLineFull(LAST_IDENTIFIER)
        identifier = self._last
        while True:
            identifier = identifier % LAST_IDENTIFIER + 1
            if identifier not in self._reserved:
                break
        self._last = identifier
        self._reserved.add(identifier)
        return identifier

    def release(self, identifier: int) -> None:
        """Give an identifier back."""
        self._reserved.discard(identifier)

    def admit(self, encode: Callable[[int], bytes], future: asyncio.Future[Result]) -> None:
        """Take a message into the line; `due` gives it out when its turn has come.

        Raises WaitingLineFull, or what `encode` raises, with nothing taken.
        """
        if len(self) >= self._size + self._line:
            raise WaitingLineFull(self._line)
        identifier = self.reserve()
        try:
            packet = encode(identifier)
        except BaseException:
            self.release(identifier)
            raise
        self._waiting.append((identifier, packet, future))

    def due(self) -> list[bytes]:
        """Return the packets the window has room for; they count as in flight from now."""
        packets = []
        while self._waiting and len(self._in_flight) < self._size:
            identifier, packet, future = self._waiting.popleft()
            if future.done():  # cancelled while it waited: never sent
                self.release(identifier)
                continue
            self._in_flight[identifier] = future
            packets.append(packet)
        return packets

    def settle(self, identifier: int, result: Result | Exception) -> bool:
        """Settle one message; False when nothing in flight has that identifier."""
        future = self._in_flight.pop(identifier, None)
        if future is None:
            return False
        self.release(identifier)
        if isinstance(result, Exception):
            fail(future, result)
        elif not future.done():
            future.set_result(result)
        return True

    def fail(self, error: Callable[[], Exception]) -> None:
        """Fail everything under way, each future with an error of its own."""
        futures = [*self._in_flight.values(), *(future for _, _, future in self._waiting)]
        self._in_flight.clear()
        self._waiting.clear()
        self._reserved.clear()
        for future in futures:
            fail(future, error())


def fail(future: asyncio.Future[Result], error: Exception) -> None:
    """Fail a future that nobody may be waiting for, without a warning if nobody is."""
    if not future.done():
        future.set_exception(error)
        future.exception()


def check_acceptable(granted: mqtt5.ConnAckPacket, *, qos: int, retain: bool) -> None:
    """Raise MessageRefused for what the broker's CONNACK ruled out, ValueError for QoS 2."""
    if qos not in (0, 1):
        raise ValueError("this session publishes with quality of service 0 or 1")
    if qos > granted.max_qos.value:
        raise MessageRefused("the broker takes quality of service 0 only")
    if retain and not granted.retain_available:
        raise MessageRefused("the broker keeps no retained messages")


def encode(
    granted: mqtt5.ConnAckPacket,
    topic: str,
    payload: bytes,
    identifier: int | None,
    *,
    alias: int | None,
    qos: int,
    retain: bool,
    response_topic: str | None,
    correlation_data: bytes | None,
    message_expiry_interval: int | None,
) -> bytes:
    """Return the PUBLISH; raises MessageRefused when it is larger than the broker takes."""
    largest = granted.max_packet_size or LARGEST_PACKET
    if len(payload) > LARGEST_PACKET - PROPERTIES_AT_MOST:  # the codec panics on such a length
        raise MessageRefused(f"a payload of {len(payload)} bytes is more than MQTT can carry")
    packet = mqtt5.PublishPacket(
        topic,
        payload,
        qos=mqtt5.QoS(qos),
        retain=retain,
        packet_id=identifier,
        topic_alias=alias,
        response_topic=response_topic,
        correlation_data=correlation_data,
        message_expiry_interval=message_expiry_interval,
    ).write()
    if len(packet) > largest:
        raise MessageRefused(f"a packet of {len(packet)} bytes, the broker takes {largest}")
    return packet
