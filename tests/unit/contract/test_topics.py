"""Topics: built and read, each wrong part named."""

import pytest

from fleet.topics import Channel, Topic, TopicError, build, parse, subscription


def test_a_topic_is_region_terminal_and_channel() -> None:
    """What is built is what is read."""
    topic = build("region-01", "ATM-0001", Channel.TELEMETRY)
    assert topic == "fleet/v1/region-01/ATM-0001/telemetry"
    assert parse(topic) == Topic("region-01", "ATM-0001", Channel.TELEMETRY)
    assert subscription("region-01", Channel.EVENT) == "fleet/v1/region-01/+/event"


@pytest.mark.parametrize(
    ("topic", "wrong"),
    [
        ("", "is not fleet/v1/"),
        ("fleet/v2/r/t/status", "is not fleet/v1/"),
        ("fleet/v1/r/t", "is not fleet/v1/"),
        ("fleet/v1/r/t/status/more", "is not fleet/v1/"),
        ("/fleet/v1/r/t/status", "is not fleet/v1/"),
        ("fleet/v1/r/t/stat", "channel 'stat'"),
        ("fleet/v1//t/status", "region ''"),
        ("fleet/v1/r/t 1/status", "terminal 't 1'"),
        ("fleet/v1/-r/t/status", "region '-r'"),
        (f"fleet/v1/r/{'t' * 65}/status", "terminal"),
        ("fleet/v1/r/t\n/status", "terminal 't\\n'"),
    ],
)
def test_a_wrong_topic_says_which_part_is_wrong(topic: str, wrong: str) -> None:
    """It ends in quarantine, where somebody reads it."""
    with pytest.raises(TopicError, match=wrong.replace("\\", "\\\\")):
        parse(topic)


@pytest.mark.parametrize("name", ["+", "#", "a/b", "", "é", " a", "a" * 65])
def test_a_name_that_cannot_stand_in_a_topic_is_refused(name: str) -> None:
    """Wildcards and separators would reach other terminals."""
    with pytest.raises(TopicError):
        build(name, "ATM-0001", Channel.STATUS)
    with pytest.raises(TopicError):
        build("region-01", name, Channel.STATUS)
    with pytest.raises(TopicError):
        subscription(name, Channel.STATUS)
