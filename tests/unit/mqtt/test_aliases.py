"""Topic aliases, theirs and ours, on a connection without a socket."""

import mqtt5
import pytest

from fleet.mqtt import MessageRefused, ProtocolViolation, Session
from tests.unit.mqtt.wire_double import Peer, greeted, publication

ALIASED = Session("ATM-0001", topic_aliases=2)


def said(topic: str, alias: int | None) -> mqtt5.PublishPacket:
    """A message of quality of service 0."""
    return mqtt5.PublishPacket(topic, b"{}", topic_alias=alias)


async def sent(peer: Peer) -> list[tuple[str, int | None]]:
    """Topic and alias of each PUBLISH since last asked."""
    packets = await peer.received()
    return [(p.topic, p.topic_alias) for p in packets if isinstance(p, mqtt5.PublishPacket)]


async def test_what_we_take_is_announced() -> None:
    """None, unless somebody asks for it."""
    for session, announced in ((Session("ATM-0001"), 0), (ALIASED, 2)):
        peer = Peer(session)
        await peer.greet()
        [packet, *_] = await peer.received()
        assert isinstance(packet, mqtt5.ConnectPacket)
        assert packet.topic_alias_max == announced


async def test_an_alias_stands_for_the_topic_said_with_it_last() -> None:
    """Set, used, set anew, used; another one beside it."""
    peer = await greeted(ALIASED)
    peer.send(said("a", 1), said("b", 2), said("", 1), said("c", 1), said("", 1), said("", 2))
    assert [m.topic for m in peer.messages] == ["a", "b", "a", "c", "c", "b"]


@pytest.mark.parametrize(
    ("packets", "code"),
    [
        ([said("a", 3)], "TOPIC_ALIAS_INVALID"),
        ([said("a", 1), said("", 2)], "PROTOCOL_ERROR"),
    ],
    ids=["beyond what we announced", "never set"],
)
async def test_an_alias_that_means_nothing_ends_the_connection(
    packets: list[mqtt5.PublishPacket], code: str
) -> None:
    peer = await greeted(ALIASED)
    peer.send(*packets)
    error = await peer.connection.closed
    assert isinstance(error, ProtocolViolation)
    assert error.reason.name == code


@pytest.mark.parametrize(
    "packet",
    [bytes((0x30, 7, 0, 1, 0x61, 3, 0x23, 0, 0)), bytes((0x30, 3, 0, 0, 0))],
    ids=["alias 0", "neither topic nor alias"],
)
async def test_what_names_no_topic_in_any_way_ends_the_connection(packet: bytes) -> None:
    """Written byte by byte: the codec makes no such thing."""
    peer = await greeted(ALIASED)
    peer.feed(packet)
    assert isinstance(await peer.connection.closed, ProtocolViolation)


async def test_our_topics_go_by_number_as_far_as_the_broker_takes_it() -> None:
    """It takes two: who comes first has them; the third goes by its name."""
    peer = await greeted(Session("ATM-0001", topic_aliases=5), topic_alias_max=2)
    for topic in ("a", "b", "c", "a", "b", "c"):
        peer.connection.publish(topic, b"{}")
    assert await sent(peer) == [("a", 1), ("b", 2), ("c", None), ("", 1), ("", 2), ("c", None)]


@pytest.mark.parametrize(("ours", "theirs"), [(0, 9), (9, 0)])
async def test_nobody_is_sent_an_alias_who_did_not_announce_any(ours: int, theirs: int) -> None:
    """Nor when we do not care for them."""
    peer = await greeted(Session("ATM-0001", topic_aliases=ours), topic_alias_max=theirs)
    for _ in range(2):
        peer.connection.publish("a", b"{}", qos=0)
    assert await sent(peer) == [("a", None), ("a", None)]


async def test_a_message_that_waits_gives_no_alias_for_it_may_never_go() -> None:
    """The window is full; what waits is given up. Nothing sent later refers to it."""
    peer = await greeted(ALIASED, topic_alias_max=2, receive_max=1)
    peer.connection.publish("a", b"1")
    peer.connection.publish("b", b"2").cancel()
    peer.connection.publish("b", b"3")
    assert await sent(peer) == [("a", 1)]
    peer.send(mqtt5.PubAckPacket(1))
    assert await sent(peer) == [("b", None)]


async def test_a_message_too_large_gives_no_alias() -> None:
    """It is refused before anything is sent."""
    peer = await greeted(ALIASED, topic_alias_max=2, max_packet_size=64)
    with pytest.raises(MessageRefused):
        peer.connection.publish("a", b"x" * 100)
    peer.connection.publish("a", b"{}")
    assert await sent(peer) == [("a", 1)]


async def test_what_was_acknowledged_by_number_is_one_message_like_others() -> None:
    """Aliases and quality of service 1 do not touch one another."""
    peer = await greeted(ALIASED)
    peer.send(said("a", 1), publication(7, topic="a"))
    peer.connection.acknowledge([7])
    assert [type(p).__name__ for p in await peer.received()] == ["PubAckPacket"]
