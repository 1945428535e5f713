"""What a terminal needs of a connection, whether it is its own or shared."""

import asyncio
from collections.abc import Callable, Iterable, Sequence
from typing import Protocol

from mqtt5 import PubAckReasonCode

from fleet.mqtt import Filter, Message, MqttError


class Link(Protocol):
    """A connection, or a share of one; as `fleet.mqtt.Connection`."""

    closed: asyncio.Future[MqttError | None]

    def publish(
        self,
        topic: str,
        payload: bytes,
        *,
        retain: bool = False,
        correlation_data: bytes | None = None,
    ) -> asyncio.Future[PubAckReasonCode]:
        """Publish; the future is done when the broker has acknowledged."""

    async def subscribe(self, filters: Sequence[Filter]) -> None:
        """Hear what is published there."""

    def acknowledge(self, packet_ids: Iterable[int]) -> None:
        """Acknowledge received messages."""

    async def disconnect(self) -> None:
        """Say good-bye: no last will."""

    def abort(self) -> None:
        """Drop the connection without a word: the last will is published."""

    def fall_silent(self) -> None:
        """Keep it and never speak on it again."""


OnCommand = Callable[[Link, Message], None]
