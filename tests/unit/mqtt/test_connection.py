"""One connection against a broker's end in memory."""

import asyncio
from datetime import UTC, datetime, timedelta
from itertools import count

import mqtt5
import pytest
from mqtt5 import DisconnectReasonCode as Reason

import fleet.mqtt.connection
from fleet.mqtt import (
    ConnectionLost,
    Filter,
    MessageRefused,
    ProtocolViolation,
    PublicationRefused,
    Refused,
    Session,
    SubscriptionRefused,
    TakenOver,
    WaitingLineFull,
    Will,
)
from tests.machine import PATIENCE_S, Pulse
from tests.unit.mqtt.wire_double import Peer, greeted, publication


def acknowledgement(identifier: int, **fields: object) -> mqtt5.PubAckPacket:
    return mqtt5.PubAckPacket(identifier, **fields)  # type: ignore[arg-type]  # fields of PUBACK


def payloads(packets: list[mqtt5.Packet]) -> list[bytes]:
    return [packet.payload for packet in packets if isinstance(packet, mqtt5.PublishPacket)]


async def test_a_message_says_when_it_was_read() -> None:
    """By the clock that the connection was given: what came with one read came at one time."""
    start = datetime(2026, 11, 23, tzinfo=UTC)
    minutes = (start + timedelta(minutes=passed) for passed in count())
    peer = Peer(Session("collector"), lambda: next(minutes))
    await peer.greet()
    peer.send(publication(1), publication(2))
    peer.send(publication(3))
    first, second, third = (each.at for each in peer.messages)
    assert first is second
    assert third - first == timedelta(minutes=1)


async def test_a_line_that_gathers_is_left_alone_for_a_while_after_each_read() -> None:
    """A broker writes each message by itself: a reader who waits a little reads many at once."""
    peer = await greeted(Session("collector", gather_s=0.001))
    async with asyncio.timeout(PATIENCE_S):
        await peer.transport.reading.wait()
        peer.send(publication(1))
        assert not peer.transport.reading.is_set()
        await peer.transport.reading.wait()


@pytest.mark.parametrize("silent", [False, True])
async def test_a_line_that_ends_while_it_gathers_is_not_read_again(*, silent: bool) -> None:
    """A transport that is closed takes no such call; one that fell silent is to stay so."""
    peer = await greeted(Session("collector", gather_s=0.001))
    async with asyncio.timeout(PATIENCE_S):
        await peer.transport.reading.wait()
        peer.send(publication(1))
        if silent:
            peer.connection.fall_silent()
        else:
            peer.transport.closed = True  # its end is known to the transport, and not to us yet
        later = asyncio.Event()
        asyncio.get_running_loop().call_later(0.002, later.set)
        await later.wait()
    assert not peer.transport.reading.is_set()


async def test_connect_says_what_the_session_asks_for() -> None:
    """A collector's terms: a session of days, a window, a bound, a will."""
    session = Session(
        "collector",
        clean_start=False,
        session_expiry_s=86_400,
        receive_maximum=500,
        keep_alive_s=20,
        will=Will("simulator/v1/state", b"{}"),
        maximum_packet_size=5000,
    )
    peer = Peer(session)
    handshake = asyncio.ensure_future(peer.connection.handshake(peer.broker))
    await asyncio.sleep(0)
    [packet] = await peer.received()
    peer.send(mqtt5.ConnAckPacket(session_present=True))
    await handshake
    assert isinstance(packet, mqtt5.ConnectPacket)
    assert (packet.client_id, packet.clean_start, packet.username) == (
        "collector",
        False,
        "ATM-0001",
    )
    assert (packet.session_expiry_interval, packet.receive_max) == (86_400, 500)
    assert (packet.keep_alive, packet.max_packet_size) == (20, 5000)
    assert packet.will is not None
    assert packet.will.retain
    assert peer.connection.session_present


async def test_a_refusal_names_the_brokers_reason_and_no_secret() -> None:
    """The operator reads the log: what is wrong must stand there, the password must not."""
    peer = Peer(Session("ATM-0001"))
    refusal = mqtt5.ConnAckPacket(reason_code=mqtt5.ConnAckReasonCode.NOT_AUTHORIZED)
    with pytest.raises(Refused, match="NOT_AUTHORIZED") as caught:
        await peer.greet(refusal)
    assert caught.value.permanent
    assert "a-secret-word" not in f"{caught.value} {peer.broker!r}"


async def test_a_busy_broker_is_worth_another_try() -> None:
    """Not every refusal is for good."""
    peer = Peer(Session("ATM-0001"))
    refusal = mqtt5.ConnAckPacket(reason_code=mqtt5.ConnAckReasonCode.SERVER_BUSY)
    with pytest.raises(Refused) as caught:
        await peer.greet(refusal)
    assert not caught.value.permanent


async def test_anything_but_connack_first_is_a_violation() -> None:
    """A port with something else behind it."""
    peer = Peer(Session("ATM-0001"))
    handshake = asyncio.ensure_future(peer.connection.handshake(peer.broker))
    await asyncio.sleep(0)
    peer.send(publication(1))
    with pytest.raises(ProtocolViolation):
        await handshake


async def test_a_batch_of_acknowledgements_is_one_write() -> None:
    """The collector acknowledges five hundred at once, after its commit."""
    peer = await greeted()
    peer.send(*(publication(n) for n in range(1, 501)))
    assert await peer.received() == []
    assert [message.packet_id for message in peer.messages] == list(range(1, 501))
    peer.connection.acknowledge(range(1, 501))
    await asyncio.sleep(0)
    assert len(peer.transport.writes) == 1
    acknowledged = await peer.received()
    assert [packet.packet_id for packet in acknowledged if isinstance(packet, mqtt5.PubAckPacket)]
    assert len(acknowledged) == 500


async def test_an_identifier_of_another_connection_is_not_acknowledged() -> None:
    """A batch that outlived its connection must not acknowledge what came anew under its number."""
    peer = await greeted()
    peer.send(publication(1))
    peer.connection.acknowledge([1, 2])
    peer.connection.acknowledge([1])
    assert [type(packet) for packet in await peer.received()] == [mqtt5.PubAckPacket]


async def test_messages_behind_connack_in_the_same_read_are_not_lost() -> None:
    """A resumed session: the broker's queue comes before `connect` could return."""
    peer = Peer(Session("collector", clean_start=False))
    handshake = asyncio.ensure_future(peer.connection.handshake(peer.broker))
    await asyncio.sleep(0)
    peer.send(mqtt5.ConnAckPacket(session_present=True), publication(1), publication(2))
    await handshake
    assert [message.packet_id for message in peer.messages] == [1, 2]


async def test_publications_keep_within_the_brokers_receive_maximum() -> None:
    """The broker takes two at a time; the third waits for the first answer, in order."""
    peer = await greeted(receive_max=2)
    futures = [peer.connection.publish("a", str(n).encode()) for n in range(4)]
    assert payloads(await peer.received()) == [b"0", b"1"]
    assert peer.connection.outstanding == 4
    peer.send(acknowledgement(1))
    assert payloads(await peer.received()) == [b"2"]
    peer.send(acknowledgement(2), acknowledgement(3))
    assert payloads(await peer.received()) == [b"3"]
    peer.send(acknowledgement(4))
    assert [future.done() for future in futures] == [True] * 4
    assert peer.connection.outstanding == 0


async def test_the_line_of_waiting_messages_ends_with_a_typed_error() -> None:
    """A publisher faster than its broker hears of it; memory stays bounded."""
    peer = await greeted(Session("ATM-0001", waiting_line=3), receive_max=1)
    for _ in range(4):
        peer.connection.publish("a", b"")
    with pytest.raises(WaitingLineFull) as caught:
        peer.connection.publish("a", b"")
    assert caught.value.bound == 3


async def test_a_cancelled_message_that_still_waits_is_never_sent() -> None:
    """Its place in the line goes to the next."""
    peer = await greeted(receive_max=1)
    peer.connection.publish("a", b"0")
    peer.connection.publish("a", b"1").cancel()
    peer.connection.publish("a", b"2")
    assert payloads(await peer.received()) == [b"0"]
    peer.send(acknowledgement(1))
    assert payloads(await peer.received()) == [b"2"]


async def test_an_identifier_still_in_flight_is_not_given_out_again() -> None:
    """After 65,535 messages the numbers begin anew; the slow one keeps its own."""
    peer = await greeted()
    peer.connection.publish("a", b"slow")
    for _ in range(65_534):
        future = peer.connection.publish("a", b"")
        [packet] = [
            p for p in await peer.received() if isinstance(p, mqtt5.PublishPacket) and not p.payload
        ]
        assert packet.packet_id is not None
        peer.send(acknowledgement(packet.packet_id))
        assert future.done()
    peer.connection.publish("a", b"next")
    [packet] = [p for p in await peer.received() if isinstance(p, mqtt5.PublishPacket)]
    assert packet.packet_id == 2


async def test_a_full_transport_holds_publications_back_until_it_drains() -> None:
    """The broker does not read: nothing piles up in the transport's buffer."""
    peer = await greeted()
    peer.connection.wire.pause_writing()
    peer.connection.publish("a", b"0")
    with pytest.raises(WaitingLineFull):
        peer.connection.publish("a", b"", qos=0)
    assert payloads(await peer.received()) == []
    peer.connection.wire.resume_writing()
    assert payloads(await peer.received()) == [b"0"]


async def test_a_refused_message_fails_its_future_with_the_reason() -> None:
    """The access file does not let this account write there."""
    peer = await greeted()
    future = peer.connection.publish("forbidden", b"")
    await peer.received()
    peer.send(acknowledgement(1, reason_code=mqtt5.PubAckReasonCode.NOT_AUTHORIZED))
    with pytest.raises(PublicationRefused, match="NOT_AUTHORIZED"):
        await future


async def test_what_the_broker_ruled_out_is_refused_before_it_is_sent() -> None:
    """Sending it would cost the connection."""
    peer = await greeted(max_packet_size=100, retain_available=False)
    with pytest.raises(MessageRefused, match="the broker takes 100"):
        peer.connection.publish("a", b"x" * 100)
    with pytest.raises(MessageRefused, match="retained"):
        peer.connection.publish("a", b"", retain=True)
    with pytest.raises(ValueError, match="topic"):
        peer.connection.publish("a/#", b"")
    assert peer.connection.outstanding == 0
    assert await peer.received() == []


async def test_a_lost_connection_fails_what_waits_and_says_so_once() -> None:
    """Publications and a subscription under way when the cable is pulled."""
    peer = await greeted()
    published = peer.connection.publish("a", b"")
    subscribing = asyncio.ensure_future(peer.connection.subscribe([Filter("a/#")]))
    await peer.received()
    peer.transport.lose(ConnectionResetError())
    error = await peer.connection.closed
    assert isinstance(error, ConnectionLost)
    assert isinstance(error.__cause__, ConnectionResetError)
    for waiting in (published, subscribing, peer.connection.publish("a", b"")):
        with pytest.raises(ConnectionLost):
            await waiting


async def test_the_brokers_good_bye_is_told_with_its_reason() -> None:
    """Shut down, or taken over by another client of the same name."""
    peer = await greeted()
    peer.send(mqtt5.DisconnectPacket(reason_code=Reason.SERVER_SHUTTING_DOWN))
    error = await peer.connection.closed
    assert isinstance(error, ConnectionLost)
    assert error.reason is Reason.SERVER_SHUTTING_DOWN

    peer = await greeted()
    peer.send(mqtt5.DisconnectPacket(reason_code=Reason.SESSION_TAKEN_OVER))
    assert isinstance(await peer.connection.closed, TakenOver)


async def test_a_violation_is_answered_with_its_reason_and_ends_the_connection() -> None:
    """More messages than we announced to take: a broker with that bug would fill our memory."""
    peer = await greeted(Session("collector", receive_maximum=2))
    peer.send(publication(1), publication(2), publication(3), publication(4))
    error = await peer.connection.closed
    assert isinstance(error, ProtocolViolation)
    [said] = await peer.received()
    assert isinstance(said, mqtt5.DisconnectPacket)
    assert said.reason_code is Reason.RECEIVE_MAX_EXCEEDED
    assert len(peer.messages) == 2


@pytest.mark.parametrize(
    "packet",
    [
        mqtt5.ConnAckPacket(),
        mqtt5.PublishPacket("a", b"", qos=mqtt5.QoS.EXACTLY_ONCE, packet_id=1),
        mqtt5.PublishPacket("a", b"", topic_alias=1),
        mqtt5.SubAckPacket(9, [mqtt5.SubAckReasonCode.GRANTED_QOS_AT_LEAST_ONCE]),
        mqtt5.PingReqPacket(),
        mqtt5.PubRelPacket(1),
    ],
    ids=lambda packet: type(packet).__name__,
)
async def test_what_was_never_asked_for_is_a_violation(packet: mqtt5.Packet) -> None:
    """Each is legal MQTT that this session ruled out, or legal only elsewhere."""
    peer = await greeted()
    peer.send(packet)
    assert isinstance(await peer.connection.closed, ProtocolViolation)


async def test_a_subscription_granted_less_than_asked_is_an_error() -> None:
    """Quality of service 0 for what must not be lost would lose it silently."""
    peer = await greeted()
    subscribing = asyncio.ensure_future(
        peer.connection.subscribe([Filter("a"), Filter("b"), Filter("c")])
    )
    await peer.received()
    code = mqtt5.SubAckReasonCode
    granted = [code.GRANTED_QOS_AT_LEAST_ONCE, code.GRANTED_QOS_AT_MOST_ONCE, code.NOT_AUTHORIZED]
    peer.send(mqtt5.SubAckPacket(1, granted))
    with pytest.raises(SubscriptionRefused, match="c: NOT_AUTHORIZED") as caught:
        await subscribing
    assert set(caught.value.refused) == {"b", "c"}


async def test_a_broker_that_answers_no_subscription_is_left(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Its access list hangs, and it answers our pings: we begin again, elsewhere maybe."""
    monkeypatch.setattr(fleet.mqtt.connection, "ANSWER_PATIENCE_S", 0.1)
    peer = await greeted()
    with pytest.raises(ConnectionLost):
        async with asyncio.timeout(PATIENCE_S):
            await peer.connection.subscribe([Filter("a")])
    error = await asyncio.wait_for(peer.connection.closed, PATIENCE_S)
    assert "does not answer" in str(error)


async def test_unsubscribing_waits_for_its_answer() -> None:
    """And counts a filter that was not there as gone."""
    peer = await greeted()
    unsubscribing = asyncio.ensure_future(peer.connection.unsubscribe(["a"]))
    await peer.received()
    peer.send(mqtt5.UnsubAckPacket(1, [mqtt5.UnsubAckReasonCode.NO_SUBSCRIPTION_EXISTED]))
    await unsubscribing


async def test_disconnecting_says_good_bye_after_what_is_written() -> None:
    """So that the broker publishes no will, and the last acknowledgements arrive."""
    peer = await greeted()
    peer.send(publication(1))
    peer.connection.acknowledge([1])
    await peer.connection.disconnect()
    kinds = [type(packet) for packet in await peer.received()]
    assert kinds == [mqtt5.PubAckPacket, mqtt5.DisconnectPacket]
    assert peer.connection.closed.result() is None


async def test_aborting_says_nothing() -> None:
    """As a machine that loses power: the broker publishes the will."""
    peer = await greeted()
    peer.connection.publish("a", b"")
    peer.connection.abort()
    assert isinstance(await peer.connection.closed, ConnectionLost)
    assert await peer.received() == []
    assert peer.transport.aborted


@pytest.mark.parametrize(("ours", "theirs"), [(600, 1), (1, None), (1, 0), (1, 600), (0, 1)])
async def test_the_shorter_keep_alive_counts_and_silence_ends_the_connection(
    ours: int, theirs: int | None
) -> None:
    """A half-open connection: our side believes in it, nobody answers. A broker that would rather
    be asked once in ten minutes does not make us wait for so long."""
    peer = await greeted(Session("ATM-0001", keep_alive_s=ours), server_keep_alive=theirs)
    loop = asyncio.get_running_loop()
    with Pulse() as pulse:
        began = loop.time()
        error = await asyncio.wait_for(peer.connection.closed, PATIENCE_S)
        took_s = loop.time() - began
    assert isinstance(error, ConnectionLost)
    assert error.reason is Reason.KEEP_ALIVE_TIMEOUT
    assert 1.9 < took_s < pulse.allows(5)
    assert [type(packet) for packet in await peer.received()] == [mqtt5.PingReqPacket]
