"""One MQTT 5 connection: the handshake, messages both ways, its end.

Rules, after those of the specification:

- CONNECT is answered by one CONNACK within the time-out, or `connect` fails. SUBSCRIBE is
  answered in time, or the connection ends: a broker that answers pings alone would hold its caller.
- PUBLISH of quality of service 1 stays unacknowledged until the caller says so; more of them than
  our receive maximum, or one under an identifier still unacknowledged, is a violation.
- What we publish goes out within the broker's receive maximum and waits its turn beyond it.
- The connection ends once; `closed` says why: None when we disconnected.
- Enhanced authentication and quality of service 2 are never asked for, so receiving one is a
  violation.
"""

import asyncio
from collections.abc import Callable, Iterable, Sequence

import mqtt5
from mqtt5 import ConnAckReasonCode, DisconnectReasonCode, PubAckReasonCode

from fleet.mqtt.broker import Broker
from fleet.mqtt.errors import (
    ConnectionLost,
    MqttError,
    ProtocolViolation,
    Refused,
    TakenOver,
)
from fleet.mqtt.inbox import Inbox
from fleet.mqtt.keepalive import KeepAlive, Verdict
from fleet.mqtt.message import Clock, Filter, Message, Session, utc_now
from fleet.mqtt.operations import Operations, check_granted
from fleet.mqtt.outbox import Outbox
from fleet.mqtt.protocol import WireProtocol
from fleet.mqtt.sending import fail

PING_PATIENCE_S = 10.0
ANSWER_PATIENCE_S = 30.0
CLOSE_PATIENCE_S = 2.0
KEEP_ALIVE_TIMEOUT = DisconnectReasonCode.KEEP_ALIVE_TIMEOUT

Codes = Sequence[mqtt5.SubAckReasonCode | mqtt5.UnsubAckReasonCode]


class Connection:
    """An established session; made by `connect`."""

    def __init__(self, session: Session, on_message: "OnMessage", clock: Clock = utc_now) -> None:
        self._loop = asyncio.get_running_loop()
        self._session = session
        self._on_message = on_message
        self._wire = WireProtocol(
            self, session.maximum_packet_size, self._loop, clock, session.gather_s
        )
        self._accepted: asyncio.Future[None] = self._loop.create_future()
        self._granted = mqtt5.ConnAckPacket(receive_max=1)
        self._outbox = Outbox(self._wire)
        self._inbox = Inbox(session.receive_maximum, session.topic_aliases)
        self._operations = Operations()
        self._keep_alive: KeepAlive | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._disconnected = False
        self._error: MqttError | None = None
        self.closed: asyncio.Future[MqttError | None] = self._loop.create_future()

    @property
    def session_present(self) -> bool:
        """Whether the broker still held our session; if not, our subscriptions are gone."""
        return self._granted.session_present

    @property
    def session_expiry_s(self) -> int:
        """How long the broker keeps our session after we are gone, seconds."""
        granted = self._granted.session_expiry_interval
        return self._session.session_expiry_s if granted is None else granted

    @property
    def outstanding(self) -> int:
        """Messages of ours that the broker has not acknowledged, in flight or waiting."""
        return len(self._outbox)

    def acknowledge(self, packet_ids: Iterable[int]) -> None:
        """Acknowledge received messages, all in one write.

        Identifiers that this connection did not deliver are passed over: they belong to a
        connection that is gone, and the broker delivers their messages again.
        """
        self._wire.write(self._inbox.acknowledge(packet_ids))

    def publish(
        self,
        topic: str,
        payload: bytes,
        *,
        qos: int = 1,
        retain: bool = False,
        response_topic: str | None = None,
        correlation_data: bytes | None = None,
        message_expiry_s: int | None = None,
    ) -> asyncio.Future[PubAckReasonCode]:
        """Publish; the future is done when the broker has acknowledged.

        It fails with PublicationRefused, or with ConnectionLost when the connection ends first:
        then the message may or may not have arrived. Quality of service 0 is done when handed to
        the transport and never waits.
        Raises WaitingLineFull, MessageRefused, and ValueError for a topic that is none.
        """
        future: asyncio.Future[PubAckReasonCode] = self._loop.create_future()
        if self._wire.closing:
            fail(future, self._lost())
            return future
        self._outbox.publish(
            topic,
            payload,
            future,
            qos=qos,
            retain=retain,
            response_topic=response_topic,
            correlation_data=correlation_data,
            message_expiry_s=message_expiry_s,
        )
        return future

    async def subscribe(self, filters: Sequence[Filter]) -> None:
        """Subscribe; returns when every filter is granted as asked.

        Raises SubscriptionRefused naming those that are not, ConnectionLost.
        """
        packets = [each.packet() for each in filters]
        identifier = self._outbox.reserve()
        packet = mqtt5.SubscribePacket(identifier, packets)
        asked = [(each.pattern, each.qos) for each in filters]
        await self._operate(identifier, packet.write(), asked)

    async def unsubscribe(self, patterns: Sequence[str]) -> None:
        """Unsubscribe; raises SubscriptionRefused, ConnectionLost."""
        identifier = self._outbox.reserve()
        packet = mqtt5.UnsubscribePacket(identifier, list(patterns))
        await self._operate(identifier, packet.write(), [(pattern, 0) for pattern in patterns])

    async def disconnect(self) -> None:
        """Say good-bye after what is written, so that no will is published; returns when closed."""
        self._disconnected = not self._wire.closing or self._disconnected
        self._wire.close(mqtt5.DisconnectPacket().write())
        try:
            await asyncio.wait((self.closed,), timeout=CLOSE_PATIENCE_S)
        finally:
            self._wire.abort()
        await self.closed

    def abort(self) -> None:
        """Drop the connection without a word, as a machine that loses power does."""
        self._end(ConnectionLost("we dropped the connection"))

    def fall_silent(self) -> None:
        """Keep the connection and never speak on it again, as when a line is cut: half open.

        The broker believes in it until its keep-alive runs out. `abort` ends it on our side.
        """
        if self._timer is not None:
            self._timer.cancel()
        self._wire.fall_silent()

    async def handshake(self, broker: Broker) -> None:
        """Send CONNECT over a transport just made and wait for its answer.

        Raises Refused, ProtocolViolation, Unreachable when the transport ends first.
        """
        self._wire.write(self._session.packet(broker).write())
        await self._accepted

    @property
    def wire(self) -> WireProtocol:
        """The protocol to run over a transport; for whoever makes one."""
        return self._wire

    # Below: what the wire calls.

    def packet_received(self, packet: mqtt5.Packet) -> None:
        """Do what a packet asks; raises ProtocolViolation for one that may not come now."""
        if not self._accepted.done():
            self._answered(packet)
            return
        match packet:
            case mqtt5.PublishPacket():
                self._on_message(self, self._inbox.take(packet, self._wire.read_at))
            case mqtt5.PubAckPacket():
                self._outbox.acknowledged(packet.packet_id, packet.reason_code)
            case mqtt5.SubAckPacket() | mqtt5.UnsubAckPacket():
                self._operations.settle(packet.packet_id, packet.reason_codes)
                self._outbox.release(packet.packet_id)
            case mqtt5.PingRespPacket():
                pass  # that something was heard is all it says
            case mqtt5.DisconnectPacket():
                self._dismissed(packet)
            case _:
                raise ProtocolViolation(f"an unexpected {type(packet).__name__}")

    def violated(self, violation: ProtocolViolation) -> None:
        """End the connection and tell the other side why."""
        self._end(violation, mqtt5.DisconnectPacket(reason_code=violation.reason).write())

    def writing_resumed(self) -> None:
        """Send what waits, as far as window and transport have room."""
        self._outbox.resume()

    def connection_lost(self, cause: Exception | None) -> None:
        """Settle everything that waits."""
        if self._timer is not None:
            self._timer.cancel()
        if self._error is None and not self._disconnected:
            self._error = ConnectionLost("the connection broke" if cause else "the broker hung up")
            self._error.__cause__ = cause
        fail(self._accepted, self._error or ConnectionLost("we disconnected"))
        self._outbox.fail(self._lost)
        self._operations.fail(self._lost)
        if not self.closed.done():
            self.closed.set_result(self._error)

    def _answered(self, packet: mqtt5.Packet) -> None:
        if not isinstance(packet, mqtt5.ConnAckPacket):
            raise ProtocolViolation(f"a {type(packet).__name__} in answer to CONNECT")
        if packet.reason_code is not ConnAckReasonCode.SUCCESS:
            self._end(Refused(packet.reason_code, packet.reason_str, packet.server_reference))
            return
        if packet.receive_max == 0:
            raise ProtocolViolation("a receive maximum of 0")
        self._granted = packet
        self._outbox.open(packet, self._session)
        # The broker's own is how seldom we may speak; to ask more often is always allowed.
        asked = (self._session.keep_alive_s, packet.server_keep_alive or 0)
        if interval := min((each for each in asked if each), default=0):
            self._keep_alive = KeepAlive(interval, min(interval, PING_PATIENCE_S))
            self._tend(self._keep_alive)
        self._accepted.set_result(None)

    async def _operate(
        self, identifier: int, packet: bytes, asked: Sequence[tuple[str, int]]
    ) -> None:
        if self._wire.closing:
            raise self._lost()
        answer = self._operations.expect(identifier)
        self._wire.write(packet)
        try:
            async with asyncio.timeout(ANSWER_PATIENCE_S):
                codes = await answer
            check_granted(asked, codes)
        except TimeoutError:
            self._end(ConnectionLost("the broker does not answer what was asked"))
            raise self._lost() from None
        except ProtocolViolation as violation:
            self.violated(violation)
            raise

    def _dismissed(self, packet: mqtt5.DisconnectPacket) -> None:
        taken = packet.reason_code is DisconnectReasonCode.SESSION_TAKEN_OVER
        kind = TakenOver if taken else ConnectionLost
        text = "the broker ended the connection"
        self._end(kind(text, packet.reason_code, packet.server_reference))

    def _tend(self, keep_alive: KeepAlive) -> None:
        verdict, at = keep_alive.decide(self._loop.time(), self._wire.sent_at, self._wire.heard_at)
        if verdict is Verdict.DEAD:
            self._end(ConnectionLost("the broker does not answer", KEEP_ALIVE_TIMEOUT))
            return
        if verdict is Verdict.PING:
            self._wire.write(mqtt5.PingReqPacket().write())
        self._timer = self._loop.call_at(at, self._tend, keep_alive)

    def _end(self, error: MqttError, last: bytes = b"") -> None:
        if self._error is None and not self._disconnected:
            self._error = error
        self._wire.abort(last)

    def _lost(self) -> ConnectionLost:
        lost = ConnectionLost("the connection ended before the broker's acknowledgement")
        lost.__cause__ = self._error
        return lost


OnMessage = Callable[[Connection, Message], None]
