"""SUBSCRIBEs and UNSUBSCRIBEs under way, and what their answers mean."""

import asyncio
from collections.abc import Callable, Sequence

import mqtt5

from fleet.mqtt.errors import ProtocolViolation, SubscriptionRefused
from fleet.mqtt.sending import fail

FAILURE = 0x80

Codes = Sequence[mqtt5.SubAckReasonCode | mqtt5.UnsubAckReasonCode]


class Operations:
    """Who waits for which identifier's answer."""

    __slots__ = ("_waiting",)

    def __init__(self) -> None:
        self._waiting: dict[int, asyncio.Future[Codes]] = {}

    def expect(self, identifier: int) -> "asyncio.Future[Codes]":
        """Wait for the answer to a packet about to be sent."""
        answer: asyncio.Future[Codes] = asyncio.get_running_loop().create_future()
        self._waiting[identifier] = answer
        return answer

    def settle(self, identifier: int, codes: Codes) -> None:
        """Take an answer in; raises ProtocolViolation when nothing was asked."""
        answer = self._waiting.pop(identifier, None)
        if answer is None:
            raise ProtocolViolation(f"an answer to {identifier}, which asked nothing")
        if not answer.done():  # else whoever asked no longer waits
            answer.set_result(codes)

    def fail(self, error: Callable[[], Exception]) -> None:
        """End all waiting, each with an error of its own."""
        waiting, self._waiting = self._waiting, {}
        for answer in waiting.values():
            fail(answer, error())


def check_granted(asked: Sequence[tuple[str, int]], codes: Codes) -> None:
    """Compare an answer with the patterns and the least quality of service asked for each.

    Raises SubscriptionRefused naming what was granted less, ProtocolViolation for another count.
    """
    if len(codes) != len(asked):
        raise ProtocolViolation(f"{len(codes)} reason codes for {len(asked)} filters")
    answers = zip(asked, codes, strict=True)
    refused = {
        pattern: code for (pattern, least), code in answers if not least <= code.value < FAILURE
    }
    if refused:
        raise SubscriptionRefused(refused)
