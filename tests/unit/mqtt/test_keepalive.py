"""When a silent broker is asked, and when it is given up."""

import pytest

from fleet.mqtt.keepalive import KeepAlive, Verdict


def test_an_idle_connection_is_asked_after_the_interval() -> None:
    """Nothing said, nothing heard."""
    keep_alive = KeepAlive(30, 10)
    assert keep_alive.decide(29, 0, 0) == (Verdict.WAIT, 30)
    assert keep_alive.decide(30, 0, 0) == (Verdict.PING, 40)


@pytest.mark.parametrize(("sent_at", "heard_at"), [(25, 0), (0, 25)])
def test_talk_in_one_direction_alone_does_not_replace_the_question(
    sent_at: float, heard_at: float
) -> None:
    """Writing into a half-open connection looks busy for a long time."""
    assert KeepAlive(30, 10).decide(30, sent_at, heard_at)[0] is Verdict.PING


def test_talk_in_both_directions_puts_the_question_off() -> None:
    """A busy connection is never asked."""
    assert KeepAlive(30, 10).decide(30, 28, 29) == (Verdict.WAIT, 58)


def test_no_answer_within_the_patience_is_death() -> None:
    """Not before it."""
    keep_alive = KeepAlive(30, 10)
    keep_alive.decide(30, 0, 0)
    assert keep_alive.decide(35, 30, 0) == (Verdict.WAIT, 40)
    assert keep_alive.decide(40, 30, 0) == (Verdict.DEAD, 40)


def test_anything_heard_counts_as_an_answer() -> None:
    """A PINGRESP may stand in line behind a queue of messages."""
    keep_alive = KeepAlive(30, 10)
    keep_alive.decide(30, 0, 0)
    assert keep_alive.decide(40, 30, 39) == (Verdict.WAIT, 60)
