"""Topic aliases: a number in the place of a topic that was said before on the same connection.

Rules, after those of the specification:

- They go with the connection, and each direction has its own.
- Theirs: 1 up to what we announced in CONNECT; a PUBLISH with topic and alias sets it, one with an
  alias alone means what was set last.
- Ours: 1 up to what the broker announced in CONNACK, and no more than we care to keep. Who comes
  first gets one, for good: a terminal has a handful of topics and says each again and again.
"""

import mqtt5
from mqtt5 import DisconnectReasonCode

from fleet.mqtt.errors import ProtocolViolation


class Told:
    """The broker's aliases, at most `maximum` of them, as we announced."""

    __slots__ = ("_maximum", "_topics")

    def __init__(self, maximum: int) -> None:
        self._maximum = maximum
        self._topics: dict[int, str] = {}

    def topic(self, packet: mqtt5.PublishPacket) -> str:
        """Return what a PUBLISH with an alias, or without a topic, is about.

        Raises ProtocolViolation for an alias that may not be, and where both are missing.
        """
        topic, alias = packet.topic, packet.topic_alias
        if alias is None:
            raise ProtocolViolation("a message without a topic")
        if not 0 < alias <= self._maximum:
            text = f"topic alias {alias}, where {self._maximum} were announced as the most"
            raise ProtocolViolation(text, DisconnectReasonCode.TOPIC_ALIAS_INVALID)
        if topic:
            self._topics[alias] = topic
        elif alias not in self._topics:
            raise ProtocolViolation(f"topic alias {alias}, which was never set")
        return self._topics[alias]


class Given:
    """Our aliases, at most `maximum` of them, as the broker announced."""

    __slots__ = ("_aliases", "_maximum")

    def __init__(self, maximum: int) -> None:
        self._maximum = maximum
        self._aliases: dict[str, int] = {}

    def of(self, topic: str) -> int | None:
        """Return the alias that the broker knows for a topic."""
        return self._aliases.get(topic)

    def next(self) -> int | None:
        """Return an alias that is free; it stays so until `set`."""
        given = len(self._aliases)
        return given + 1 if given < self._maximum else None

    def set(self, topic: str, alias: int) -> None:
        """The broker is being told an alias with its topic."""
        self._aliases[topic] = alias
