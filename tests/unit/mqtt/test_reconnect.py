"""Coming back after a loss."""

import asyncio
import random
from contextlib import suppress
from itertools import islice

import mqtt5
import pytest

from fleet.mqtt import (
    Backoff,
    Connection,
    MqttError,
    Refused,
    TakenOver,
    Unreachable,
    connections,
)
from tests.machine import PATIENCE_S
from tests.unit.mqtt.wire_double import Peer, greeted


def quick() -> Backoff:
    return Backoff(random.Random(1), base_s=0.001, cap_s=0.01)


class Opener:
    """Opens what it is told to: errors are raised, None is a connection."""

    def __init__(self, *outcomes: MqttError | None) -> None:
        self.outcomes = list(outcomes)
        self.peers: list[Peer] = []

    async def __call__(self) -> Connection:
        outcome = self.outcomes.pop(0)
        if outcome is not None:
            raise outcome
        self.peers.append(await greeted())
        return self.peers[-1].connection


def test_the_waits_grow_to_a_cap_and_are_spread_over_all_of_it() -> None:
    """A fleet that lost its broker at one instant must not come back at one instant."""
    delays = list(islice(Backoff(random.Random(7), base_s=1, cap_s=8).delays(), 2000))
    assert all(0 <= delay <= 8 for delay in delays)
    assert [delay <= bound for delay, bound in zip(delays, (1, 2, 4), strict=False)] == [True] * 3
    late = delays[3:]
    assert min(late) < 0.1
    assert max(late) > 7.9
    assert 3.8 < sum(late) / len(late) < 4.2


def test_the_same_random_source_gives_the_same_waits() -> None:
    """A simulation repeats itself."""
    first, second = (list(islice(Backoff(random.Random(3)).delays(), 9)) for _ in range(2))
    assert first == second


async def test_a_lost_connection_is_followed_by_another() -> None:
    """Two failed attempts in between are told to whoever logs."""
    opener = Opener(None, Unreachable("no"), Unreachable("still no"), None)
    told: list[str] = []
    seen = 0
    async for connection in connections(opener, quick(), lambda error, _: told.append(str(error))):
        seen += 1
        if seen == 1:
            opener.peers[0].transport.lose(None)
        else:
            await connection.disconnect()
    assert seen == 2
    assert told == ["the broker hung up", "no", "still no"]


@pytest.mark.parametrize(
    "error",
    [Refused(mqtt5.ConnAckReasonCode.BAD_USER_NAME_OR_PASSWORD), TakenOver("taken")],
    ids=lambda error: type(error).__name__,
)
async def test_what_waiting_cannot_cure_is_raised(error: MqttError) -> None:
    """A wrong password stays wrong; fighting for a client id helps nobody."""
    with pytest.raises(type(error)):
        async for _ in connections(Opener(error), quick()):
            pass


async def test_being_taken_over_ends_the_row() -> None:
    """Coming back would throw the other out, which would come back."""
    opener = Opener(None)
    row = connections(opener, quick())
    await anext(row)
    code = mqtt5.DisconnectReasonCode.SESSION_TAKEN_OVER
    opener.peers[0].send(mqtt5.DisconnectPacket(reason_code=code))
    with pytest.raises(TakenOver):
        await anext(row)


@pytest.mark.parametrize("outcomes", [[Unreachable("no")] * 9, [None]], ids=["waiting", "holding"])
async def test_cancelling_stops_it_wherever_it_is(outcomes: list[MqttError | None]) -> None:
    """In the middle of a wait, or while a connection holds."""
    opener = Opener(*outcomes)

    async def run() -> None:
        async for _ in connections(opener, Backoff(random.Random(1), base_s=100, cap_s=100)):
            pass

    task = asyncio.create_task(run())
    for _ in range(5):
        await asyncio.sleep(0)
    task.cancel()
    with suppress(asyncio.CancelledError):
        await asyncio.wait_for(task, PATIENCE_S)
    assert task.cancelled()
    for peer in opener.peers:
        assert not peer.connection.closed.cancelled()
        peer.connection.abort()
        await peer.connection.closed
