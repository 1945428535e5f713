"""The journal: in order, until acknowledged, and again when asked."""

from datetime import UTC, datetime

from fleet.telemetry import Event
from simulator.journal import Journal, key


def event(seq: int, boot: int = 1) -> Event:
    return Event(datetime(2026, 11, 23, tzinfo=UTC), boot, seq, "transaction")


def journal(*seqs: int, length: int = 100) -> Journal:
    made = Journal(length)
    for seq in seqs:
        made.append(event(seq))
    return made


def send_all(made: Journal) -> list[int]:
    sent = []
    while message := made.next():
        sent.append(message.seq)
    return sent


def test_a_new_connection_begins_with_what_was_not_acknowledged() -> None:
    """Three sent, the middle one acknowledged, the line breaks, two more are made."""
    made = journal(1, 2, 3)
    assert send_all(made) == [1, 2, 3]
    made.acknowledge((1, 2))
    made.append(event(4))
    made.rewind()
    assert send_all(made) == [1, 3, 4]
    assert made.unacknowledged == 3


def test_acknowledged_is_the_last_number_before_the_first_gap() -> None:
    """What must be stored, to the last message."""
    made = journal(1, 2, 3)
    send_all(made)
    made.acknowledge((1, 1))
    made.acknowledge((1, 3))
    assert made.acknowledged == {1: 1}
    made.acknowledge((1, 2))
    assert made.acknowledged == {1: 3}


def test_messages_are_sent_again_as_they_were() -> None:
    """The same boot and seq: the receiver drops what it has."""
    made = journal(1, 2, 3, 4)
    first = [made.next() for _ in range(4)]
    for message in first:
        assert message is not None
        made.acknowledge(key(message))
    assert made.resend(1, 2, 3) == (2, 0)
    assert [made.next(), made.next()] == first[1:3]
    assert made.next() is None


def test_what_is_under_way_is_not_doubled_by_a_request() -> None:
    """One sent, one waiting; a gap that closes by itself."""
    made = journal(1, 2)
    made.next()
    assert made.resend(1, 1, 2) == (2, 0)
    assert send_all(made) == [2]


def test_what_is_no_longer_kept_is_not_sent_again() -> None:
    """The answer says how many are missing."""
    made = journal(*range(1, 11), length=5)
    assert made.resend(1, 1, 7) == (2, 5)
    assert made.resend(9, 1, 7) == (0, 7)


def test_numbers_that_were_never_used_are_passed_over() -> None:
    """Asked what it said last in a boot that is over, a terminal sends what there is of it."""
    made = journal(*range(1, 11), length=5)
    made.append(event(1, boot=2))
    send_all(made)
    for seq in range(6, 11):
        made.acknowledge((1, seq))
    assert made.resend(1, 9, 508) == (2, 0)
    assert send_all(made) == [9, 10]
    assert made.resend(1, 11, 510) == (0, 0)


def test_a_line_down_for_days_loses_the_oldest_and_counts_them() -> None:
    """A bounded journal; the truth about it is told."""
    made = journal(*range(1, 9), length=5)
    assert made.dropped == 3
    assert send_all(made) == [4, 5, 6, 7, 8]
    for seq in range(4, 9):
        made.acknowledge((1, seq))
    assert made.acknowledged == {1: 0}


def test_boots_are_counted_apart() -> None:
    """A reset in the middle of the queue."""
    made = journal(1, 2)
    made.append(event(1, boot=2))
    send_all(made)
    made.acknowledge((2, 1))
    assert made.acknowledged == {1: 0, 2: 1}
    made.give_up((1, 1))
    assert made.dropped == 1
    made.rewind()
    assert send_all(made) == [2]
