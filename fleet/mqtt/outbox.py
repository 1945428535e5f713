"""What we publish on one connection: as this broker takes it, in its window, by its aliases.

An alias is given to a topic by a packet that goes out at once: one that waits may never go.
"""

import asyncio
from collections.abc import Callable
from functools import partial

import mqtt5
from mqtt5 import PubAckReasonCode

from fleet.mqtt.aliases import Given
from fleet.mqtt.errors import PublicationRefused, WaitingLineFull
from fleet.mqtt.message import Session
from fleet.mqtt.operations import FAILURE
from fleet.mqtt.protocol import WireProtocol
from fleet.mqtt.sending import SendWindow, check_acceptable, encode

Acknowledged = asyncio.Future[PubAckReasonCode]


class Outbox:
    """The publications under way; nothing may be published before `open`."""

    __slots__ = ("_aliases", "_granted", "_window", "_wire")

    def __init__(self, wire: WireProtocol) -> None:
        self._wire = wire
        self._granted = mqtt5.ConnAckPacket(receive_max=1)
        self._window = SendWindow[PubAckReasonCode](0, 0)
        self._aliases = Given(0)

    def open(self, granted: mqtt5.ConnAckPacket, session: Session) -> None:
        """Go by what a CONNACK grants."""
        self._granted = granted
        self._window = SendWindow(granted.receive_max, session.waiting_line)
        self._aliases = Given(min(granted.topic_alias_max, session.topic_aliases))

    def __len__(self) -> int:
        """Messages in flight and waiting."""
        return len(self._window)

    def publish(
        self,
        topic: str,
        payload: bytes,
        future: Acknowledged,
        *,
        qos: int,
        retain: bool,
        response_topic: str | None,
        correlation_data: bytes | None,
        message_expiry_s: int | None,
    ) -> None:
        """Send a message or let it wait; raises what `Connection.publish` raises."""
        check_acceptable(self._granted, qos=qos, retain=retain)
        alias, fresh = self._aliases.of(topic), None
        if alias is None and self._goes_at_once(qos):
            fresh = self._aliases.next()
        packet = partial(
            encode,
            self._granted,
            topic if alias is None else "",
            payload,
            alias=fresh if alias is None else alias,
            qos=qos,
            retain=retain,
            response_topic=response_topic,
            correlation_data=correlation_data,
            message_expiry_interval=message_expiry_s,
        )
        if qos == 0:
            if not self._wire.writable:
                raise WaitingLineFull(0)
            self._wire.write(packet(None))
            future.set_result(PubAckReasonCode.SUCCESS)
        else:
            self._window.admit(packet, future)
            self.resume()
        if fresh is not None:
            self._aliases.set(topic, fresh)

    def resume(self) -> None:
        """Send what waits, as far as window and transport have room."""
        if self._wire.writable:
            for packet in self._window.due():
                self._wire.write(packet)

    def acknowledged(self, identifier: int, code: PubAckReasonCode) -> None:
        """Take a PUBACK in; one that answers nothing is passed over."""
        refused = PublicationRefused(code) if code.value >= FAILURE else None
        if self._window.settle(identifier, refused or code):
            self.resume()

    def reserve(self) -> int:
        """An identifier for a packet of another kind, until `release`."""
        return self._window.reserve()

    def release(self, identifier: int) -> None:
        """Give an identifier back."""
        self._window.release(identifier)

    def fail(self, error: Callable[[], Exception]) -> None:
        """Fail everything under way."""
        self._window.fail(error)

    def _goes_at_once(self, qos: int) -> bool:
        return self._wire.writable and (qos == 0 or self._window.open)
