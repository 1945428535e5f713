"""What the broker delivered and we have not acknowledged yet."""

import struct
from collections.abc import Iterable
from datetime import datetime

import mqtt5
from mqtt5 import DisconnectReasonCode

from fleet.mqtt.aliases import Told
from fleet.mqtt.errors import ProtocolViolation
from fleet.mqtt.message import Message

# MQTT 5, 3.4: type 4 without flags and two bytes more, the identifier; that alone says success. The
# codec makes the same of it, one object each.
_PUBACK = 0x4002_0000
_AT_LEAST_ONCE = mqtt5.QoS.AT_LEAST_ONCE


class Inbox:
    """Keeps the identifiers under way; at most `receive_maximum` of them, as we announced."""

    __slots__ = ("_aliases", "_receive_maximum", "_unacknowledged")

    def __init__(self, receive_maximum: int, topic_aliases: int = 0) -> None:
        self._aliases = Told(topic_aliases)
        self._receive_maximum = receive_maximum
        self._unacknowledged: set[int] = set()

    def take(self, packet: mqtt5.PublishPacket, at: datetime) -> Message:
        """Return the message in a PUBLISH that was read `at` this time; raises ProtocolViolation
        for one that may not come."""
        identifier, topic, waiting = packet.packet_id, packet.topic, self._unacknowledged
        if identifier is None:
            qos = packet.qos.value
        else:
            if (
                packet.qos != _AT_LEAST_ONCE
                or identifier in waiting
                or len(waiting) >= self._receive_maximum
            ):
                raise self._violation(identifier, packet.qos)
            waiting.add(identifier)
            qos = 1
        if not topic or packet.topic_alias is not None:
            topic = self._aliases.topic(packet)
        return Message(
            topic,
            packet.payload,
            at,
            packet.retain,
            qos,
            identifier,
            packet.duplicate,
            packet.response_topic,
            packet.correlation_data,
        )

    def acknowledge(self, packet_ids: Iterable[int]) -> bytes:
        """Return the PUBACKs of those identifiers that are under way; they no longer are."""
        due = [each for each in packet_ids if each in self._unacknowledged]
        self._unacknowledged.difference_update(due)
        return struct.pack(f"!{len(due)}I", *[_PUBACK | each for each in due])

    def _violation(self, identifier: int, qos: mqtt5.QoS) -> ProtocolViolation:
        if qos != _AT_LEAST_ONCE:
            return ProtocolViolation("a message of quality of service 2")
        if identifier in self._unacknowledged:
            return ProtocolViolation(f"identifier {identifier} while it is unacknowledged")
        reason = DisconnectReasonCode.RECEIVE_MAX_EXCEEDED
        return ProtocolViolation("more messages than our receive maximum", reason)
