"""Everything that can go wrong between us and a broker, each case its own type.

What a caller decides by: `Unreachable`, `ConnectionLost` and a `Refused` that is not `permanent`
pass by waiting and trying again; a permanent `Refused`, `TakenOver` and `ProtocolViolation` do not.
"""

from collections.abc import Mapping

from mqtt5 import (
    ConnAckReasonCode,
    DisconnectReasonCode,
    PubAckReasonCode,
    SubAckReasonCode,
    UnsubAckReasonCode,
)

# The codec's codes look like enums of Python and are not: no hash, no order; hence `.name`.
_PASSING = frozenset(
    code.name
    for code in (
        ConnAckReasonCode.UNSPECIFIED_ERROR,
        ConnAckReasonCode.IMPLEMENTATION_SPECIFIC_ERROR,
        ConnAckReasonCode.SERVER_UNAVAILABLE,
        ConnAckReasonCode.SERVER_BUSY,
        ConnAckReasonCode.QUOTA_EXCEEDED,
        ConnAckReasonCode.USE_ANOTHER_SERVER,
        ConnAckReasonCode.CONNECTION_RATE_EXCEEDED,
    )
)


class MqttError(Exception):
    """Any failure of the MQTT session."""


class Unreachable(MqttError):
    """No answer to CONNECT: no TCP or TLS connection, no CONNACK in time."""


class Refused(MqttError):
    """The broker answered CONNECT with a refusal; `reason` says which."""

    def __init__(
        self, reason: ConnAckReasonCode, text: str | None = None, server: str | None = None
    ) -> None:
        super().__init__(_sentence("the broker refused the connection", reason.name, text, server))
        self.reason = reason
        self.server = server

    @property
    def permanent(self) -> bool:
        """Whether trying again unchanged is pointless."""
        return self.reason.name not in _PASSING


class ConnectionLost(MqttError):
    """An established connection ended; `reason` is the broker's own, where it gave one."""

    def __init__(
        self,
        text: str,
        reason: DisconnectReasonCode | None = None,
        server: str | None = None,
    ) -> None:
        super().__init__(_sentence(text, reason.name if reason is not None else None, None, server))
        self.reason = reason
        self.server = server


class TakenOver(ConnectionLost):
    """Another client connected with our client id; coming back would throw it out in turn."""


class ProtocolViolation(MqttError):
    """The broker sent what MQTT 5 forbids; `reason` is what we told it."""

    def __init__(
        self, text: str, reason: DisconnectReasonCode = DisconnectReasonCode.PROTOCOL_ERROR
    ) -> None:
        super().__init__(_sentence(text, reason.name, None, None))
        self.reason = reason


class SubscriptionRefused(MqttError):
    """The broker granted some filters of a SUBSCRIBE or UNSUBSCRIBE less than was asked."""

    def __init__(self, refused: Mapping[str, SubAckReasonCode | UnsubAckReasonCode]) -> None:
        listed = ", ".join(f"{pattern}: {code.name}" for pattern, code in refused.items())
        super().__init__(f"the broker refused {listed}")
        self.refused = dict(refused)


class PublicationRefused(MqttError):
    """The broker acknowledged a message with a refusal; `reason` says which."""

    def __init__(self, reason: PubAckReasonCode) -> None:
        super().__init__(_sentence("the broker refused the message", reason.name, None, None))
        self.reason = reason


class WaitingLineFull(MqttError):
    """More messages wait for the broker's acknowledgements than the session may hold."""

    def __init__(self, bound: int) -> None:
        super().__init__(f"{bound} messages already wait to be sent")
        self.bound = bound


class MessageRefused(MqttError):
    """A message this broker said it does not take (size, retain, quality of service)."""


def _sentence(text: str, reason: str | None, said: str | None, server: str | None) -> str:
    parts = [text]
    if reason is not None:
        parts.append(f": {reason}")
    if said:
        parts.append(f" ({said})")
    if server:
        parts.append(f", it names {server}")
    return "".join(parts)
