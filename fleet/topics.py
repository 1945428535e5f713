"""Topic names of the wire contract: `fleet/v1/{region}/{terminal}/{channel}`."""

import re
from dataclasses import dataclass
from enum import StrEnum

ROOT = "fleet/v1"

# One level of a topic: what MQTT, SQL, a URL and a file name all take without quoting.
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,63}")


class Channel(StrEnum):
    """The last level of a topic: what kind of message it carries."""

    STATUS = "status"
    TELEMETRY = "telemetry"
    EVENT = "event"
    COMMAND = "command"
    RESULT = "result"


FROM_TERMINAL = (Channel.STATUS, Channel.TELEMETRY, Channel.EVENT, Channel.RESULT)


class TopicError(ValueError):
    """A topic or a name in it is not of the contract's form; says which part and why."""


@dataclass(frozen=True, slots=True)
class Topic:
    """A parsed topic."""

    region: str
    terminal: str
    channel: Channel

    def __str__(self) -> str:
        return f"{ROOT}/{self.region}/{self.terminal}/{self.channel}"


def check_name(what: str, name: str) -> str:
    """The name itself if it may stand in a topic; raises `TopicError` naming `what` otherwise."""
    if not _NAME.fullmatch(name):
        raise TopicError(
            f"{what} {name!r} cannot stand in a topic: 1 to 64 letters, digits, '_', '.', '-', "
            "beginning with a letter or digit"
        )
    return name


def build(region: str, terminal: str, channel: Channel) -> str:
    """The topic of a terminal's channel; raises `TopicError` on a name that cannot stand there."""
    return str(Topic(check_name("region", region), check_name("terminal", terminal), channel))


def parse(topic: str) -> Topic:
    """The parts of a topic; raises `TopicError` naming the part that is wrong."""
    levels = topic.split("/")
    if len(levels) != 5 or "/".join(levels[:2]) != ROOT:
        raise TopicError(f"topic {topic[:120]!r} is not {ROOT}/<region>/<terminal>/<channel>")
    region, terminal, channel = levels[2:]
    try:
        kind = Channel(channel)
    except ValueError:
        names = ", ".join(Channel)
        raise TopicError(f"channel {channel[:40]!r} is none of {names}") from None
    return Topic(check_name("region", region), check_name("terminal", terminal), kind)


def subscription(region: str, channel: Channel) -> str:
    """The filter that covers a channel of all terminals of a region."""
    return f"{ROOT}/{check_name('region', region)}/+/{channel}"
