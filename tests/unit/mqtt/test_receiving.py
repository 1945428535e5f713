"""The receive buffer: packets out of any cut of the stream, in bounded memory."""

import tracemalloc

import mqtt5
import pytest

from fleet.mqtt import ProtocolViolation
from fleet.mqtt.receiving import FIRST_SIZE, USUAL_SIZE, ReceiveBuffer, packet_size
from tests.unit.mqtt.wire_double import publication

LIMIT = 1024 * 1024


def take(buffer: ReceiveBuffer, data: bytes) -> list[mqtt5.Packet]:
    """Put bytes in, as many reads as the buffer's space makes of them."""
    packets: list[mqtt5.Packet] = []
    rest = memoryview(data)
    while rest:
        space = buffer.space()
        part = rest[: len(space)]
        space[: len(part)] = part
        packets += buffer.received(len(part))
        rest = rest[len(part) :]
    return packets


def test_several_packets_of_one_read_come_out_in_order() -> None:
    """The broker coalesces; we must not wait for the next read to see the second packet."""
    data = b"".join(publication(n).write() for n in (1, 2, 3))
    identifiers = [p.packet_id for p in take(ReceiveBuffer(LIMIT), data) if hasattr(p, "packet_id")]
    assert identifiers == [1, 2, 3]


def test_a_packet_cut_anywhere_waits_for_its_rest() -> None:
    """TCP cuts where it likes, in the middle of a length too."""
    data = publication(7, b"x" * 300).write()
    for cut in range(1, len(data)):
        buffer = ReceiveBuffer(LIMIT)
        assert take(buffer, data[:cut]) == []
        assert len(take(buffer, data[cut:])) == 1


def test_a_large_packet_grows_the_buffer_and_its_going_shrinks_it_again() -> None:
    """Thousands of connections share a process: none keeps the room of its largest packet."""
    buffer = ReceiveBuffer(LIMIT)
    assert buffer.capacity == FIRST_SIZE
    large = publication(1, b"x" * 900_000).write()
    take(buffer, large[:-1])
    assert buffer.capacity >= len(large)
    assert len(take(buffer, large[-1:])) == 1
    assert buffer.capacity <= USUAL_SIZE


def test_a_large_packet_that_comes_in_small_pieces_is_not_copied_at_each() -> None:
    """A slow line brings megabytes 1,448 bytes at a time: half a second for each packet."""
    buffer = ReceiveBuffer(LIMIT)
    large = publication(1, b"x" * 900_000).write()
    take(buffer, large[:800_000])
    tracemalloc.start()
    take(buffer, large[800_000:801_448])
    _, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert most < 100_000
    assert len(take(buffer, large[801_448:])) == 1


def test_a_packet_that_announces_too_much_is_refused_before_its_body_comes() -> None:
    """Five bytes may claim 256 MiB; they must cost nothing."""
    buffer = ReceiveBuffer(LIMIT)
    with pytest.raises(ProtocolViolation, match="PACKET_TOO_LARGE"):
        take(buffer, b"\x30\xff\xff\xff\x7f")
    assert buffer.capacity == FIRST_SIZE


def test_a_whole_packet_over_the_limit_is_refused_too() -> None:
    """The limit is ours, whatever the buffer could hold."""
    with pytest.raises(ProtocolViolation, match="PACKET_TOO_LARGE"):
        take(ReceiveBuffer(100), publication(1, b"x" * 200).write())


# On text that is not UTF-8 the codec prints an exception nobody can catch beside the one it raises
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
@pytest.mark.parametrize(
    ("data", "why"),
    [
        (b"\x00\x00", "packet type 0"),
        (b"\x30\xff\xff\xff\xff\x7f", "a length of five bytes"),
        (b"\x20\x02\x00\x00", "CONNACK without properties"),
        (b"\x30\x03\x00\x09a", "a topic longer than its packet"),
        (b"\x30\x05\x00\x02\xff\xfe\x00", "a topic that is not UTF-8"),
        (b"\xd0\x01\x00", "PINGRESP with a body"),
    ],
)
def test_malformed_bytes_are_a_violation(data: bytes, why: str) -> None:
    """Each of these made the codec raise something of its own."""
    with pytest.raises(ProtocolViolation, match="MALFORMED_PACKET"):
        take(ReceiveBuffer(LIMIT), data)
    assert why


def test_good_packets_before_a_bad_one_are_still_handed_out() -> None:
    """What was well said before the nonsense was said."""
    buffer = ReceiveBuffer(LIMIT)
    data = publication(1).write() + b"\x00\x00"
    buffer.space()[: len(data)] = data
    packets = buffer.received(len(data))
    assert isinstance(next(packets), mqtt5.PublishPacket)
    with pytest.raises(ProtocolViolation):
        next(packets)


def test_the_size_of_a_packet_is_known_from_its_header_alone() -> None:
    """So that a partial packet can be judged."""
    packet = publication(1, b"x" * 20_000).write()
    assert packet_size(memoryview(packet[:1])) is None
    assert packet_size(memoryview(packet[:2])) is None
    assert packet_size(memoryview(packet[:5])) == len(packet)
