"""The values that pass through a session: messages, wills, subscriptions, the terms of it."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime

import mqtt5
import msgspec

from fleet.mqtt.broker import Broker

MIB = 1024 * 1024

Clock = Callable[[], datetime]


def utc_now() -> datetime:
    """The time by this machine."""
    return datetime.now(UTC)


class Message(msgspec.Struct, frozen=True, gc=False):
    """One PUBLISH as it came in.

    `at` is when it was read from the line, by the clock that `connect` was given. `packet_id` is
    set for quality of service 1 and is what `Connection.acknowledge` takes.
    """

    topic: str
    payload: bytes
    at: datetime
    retain: bool = False
    qos: int = 0
    packet_id: int | None = None
    duplicate: bool = False
    response_topic: str | None = None
    correlation_data: bytes | None = None


@dataclass(frozen=True, slots=True)
class Will:
    """What the broker publishes for us when we vanish."""

    topic: str
    payload: bytes
    qos: int = 1
    retain: bool = True
    delay_s: int = 0

    def packet(self) -> mqtt5.Will:
        """Return the codec's form of it."""
        return mqtt5.Will(
            self.topic,
            payload=self.payload,
            qos=mqtt5.QoS(self.qos),
            retain=self.retain,
            will_delay_interval=self.delay_s,
        )


@dataclass(frozen=True, slots=True)
class Filter:
    """One topic filter to subscribe to, at most quality of service 1."""

    pattern: str
    qos: int = 1
    no_local: bool = False
    retained: bool = True
    """Whether the broker sends the retained messages that match when we subscribe anew: not where
    its session had the filter already."""

    def packet(self) -> mqtt5.TopicFilter:
        """Return the codec's form of it."""
        if self.qos not in (0, 1):
            raise ValueError("this session takes quality of service 0 and 1")
        handling = mqtt5.RetainHandling
        anew, never = handling.SEND_IF_SUBSCRIPTION_NOT_EXISTS, handling.SEND_NEVER
        return mqtt5.TopicFilter(
            self.pattern,
            max_qos=mqtt5.QoS(self.qos),
            no_local=self.no_local,
            # So that a retained message is told from one that is sent just now.
            retain_as_published=False,
            retain_handling=anew if self.retained else never,
        )


@dataclass(frozen=True, slots=True)
class Session:
    """The terms we ask a broker for, the same at every reconnect.

    `receive_maximum` is how many messages may be unacknowledged by us at once; acknowledge in
    batches well below it. `waiting_line` is how many of ours may wait beyond the broker's own
    receive maximum before `publish` raises. `maximum_packet_size` bounds our receive buffer; the
    broker silently drops for us what is larger. `topic_aliases` is how many topics may go by number
    to us, and from us where the broker takes as many. `gather_s` is how long what comes may wait to
    be read together with what comes after it: a line that carries much is read seldom then.
    """

    client_id: str
    clean_start: bool = True
    session_expiry_s: int = 0
    receive_maximum: int = 1000
    keep_alive_s: int = 60
    will: Will | None = field(default=None, repr=False)
    maximum_packet_size: int = 4 * MIB
    connect_timeout_s: float = 10.0
    waiting_line: int = 1000
    topic_aliases: int = 0
    gather_s: float = 0.0

    def packet(self, broker: Broker) -> mqtt5.ConnectPacket:
        """Return the CONNECT that asks a broker for it, under the broker's account."""
        return mqtt5.ConnectPacket(
            self.client_id,
            username=broker.username,
            password=None if broker.password is None else broker.password.encode(),
            clean_start=self.clean_start,
            will=None if self.will is None else self.will.packet(),
            keep_alive=self.keep_alive_s,
            session_expiry_interval=self.session_expiry_s,
            receive_max=self.receive_maximum,
            max_packet_size=self.maximum_packet_size,
            topic_alias_max=self.topic_aliases,
        )
