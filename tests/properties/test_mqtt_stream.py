"""Any cut of the stream says the same; any bytes at all end in a violation or nothing."""

import asyncio
import contextlib

import mqtt5
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fleet.mqtt import MqttError, ProtocolViolation, Session
from fleet.mqtt.receiving import USUAL_SIZE, ReceiveBuffer
from tests.unit.mqtt.test_receiving import take
from tests.unit.mqtt.wire_double import greeted

LIMIT = 64 * 1024

# On text that is not UTF-8 the codec prints an exception nobody can catch beside the one it raises
pytestmark = pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")

payloads = st.lists(st.binary(max_size=5000), max_size=20)


@given(payloads=payloads, data=st.data())
def test_any_cut_of_the_stream_gives_the_same_messages(
    payloads: list[bytes], data: st.DataObject
) -> None:
    """A broker's messages, cut at random places, arrive as they were sent."""
    stream = b"".join(
        mqtt5.PublishPacket(f"t/{n}", payload, qos=mqtt5.QoS.AT_LEAST_ONCE, packet_id=n + 1).write()
        for n, payload in enumerate(payloads)
    )
    cuts = sorted(data.draw(st.lists(st.integers(0, len(stream)), max_size=30)))
    chunks = [stream[a:b] for a, b in zip([0, *cuts], [*cuts, len(stream)], strict=True)]

    async def receive() -> list[tuple[str, bytes]]:
        peer = await greeted()
        peer.feed(*chunks)
        return [(message.topic, message.payload) for message in peer.messages]

    received = asyncio.run(receive())
    assert received == [(f"t/{n}", payload) for n, payload in enumerate(payloads)]


def packets() -> st.SearchStrategy[bytes]:
    """Well-formed packets of every kind a broker sends."""
    text = st.text(max_size=20)
    return st.one_of(
        st.builds(
            lambda payload, n: mqtt5.PublishPacket(
                "a", payload, qos=mqtt5.QoS.AT_LEAST_ONCE, packet_id=n
            ).write(),
            st.binary(max_size=200),
            st.integers(1, 65535),
        ),
        st.builds(
            lambda topic, alias: mqtt5.PublishPacket(topic, b"{}", topic_alias=alias).write(),
            st.sampled_from(["", "a", "b"]),
            st.integers(1, 4),
        ),
        st.builds(lambda n: mqtt5.PubAckPacket(n).write(), st.integers(1, 65535)),
        st.builds(lambda t: mqtt5.DisconnectPacket(reason_str=t).write(), text),
        st.builds(lambda t: mqtt5.ConnAckPacket(reason_str=t).write(), text),
        st.just(mqtt5.PingRespPacket().write()),
        st.just(mqtt5.SubAckPacket(1, [mqtt5.SubAckReasonCode(1)]).write()),
    )


@st.composite
def nonsense(draw: st.DrawFn) -> bytes:
    """Packets with bytes changed, dropped and put in, or no packets at all."""
    stream = bytearray(b"".join(draw(st.lists(packets(), max_size=6))))
    for _ in range(draw(st.integers(0, 6))):
        place = draw(st.integers(0, len(stream)))
        stream[place : place + draw(st.integers(0, 2))] = draw(st.binary(max_size=3))
    return bytes(stream)


@given(stream=st.one_of(nonsense(), st.binary(max_size=400)))
@settings(max_examples=300)
def test_whatever_bytes_come_the_buffer_yields_packets_or_a_violation(stream: bytes) -> None:
    """Nothing else escapes, and the memory held stays bounded."""
    buffer = ReceiveBuffer(LIMIT)
    with contextlib.suppress(ProtocolViolation):
        take(buffer, stream)
    assert buffer.capacity <= USUAL_SIZE


@given(stream=st.one_of(nonsense(), st.binary(max_size=400)))
@settings(max_examples=200)
def test_whatever_bytes_come_a_connection_lives_on_or_ends_with_a_reason(stream: bytes) -> None:
    """A broker gone mad costs one connection: closed, everything waiting settled."""

    async def endure() -> None:
        peer = await greeted(Session("ATM-0001", receive_maximum=5, topic_aliases=2))
        published = peer.connection.publish("a", b"1")
        peer.feed(stream)
        peer.transport.lose(None)
        error = await peer.connection.closed
        assert isinstance(error, MqttError)
        assert all(message.topic for message in peer.messages)
        assert published.done()

    asyncio.run(endure())
