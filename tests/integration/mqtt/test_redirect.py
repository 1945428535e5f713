"""Servers that send their clients to others: while they connect, and later."""

import asyncio
import random

import mqtt5
import pytest

from fleet.mqtt import (
    Backoff,
    Broker,
    Connection,
    ConnectionLost,
    Message,
    MqttError,
    Refused,
    Route,
    Session,
    Unreachable,
    connect,
    connections,
)
from fleet.mqtt.route import HOPS
from tellergrid.stack.ports import LOOPBACK, free_port
from tests.integration.mqtt.redirecting import Server, serving

SESSION = Session("ATM-0001")
MOVED = mqtt5.ConnAckReasonCode.SERVER_MOVED
ELSEWHERE = mqtt5.ConnAckReasonCode.USE_ANOTHER_SERVER
DEADLINE_S = 60


def ignore(_connection: Connection, _message: Message) -> None:
    """Nothing is heard."""


def sends_to(place: str, why: mqtt5.ConnAckReasonCode = ELSEWHERE) -> mqtt5.ConnAckPacket:
    """A refusal that names another server."""
    return mqtt5.ConnAckPacket(reason_code=why, server_reference=place)


def goes_to(place: str, why: str) -> mqtt5.DisconnectPacket:
    """A good-bye that names another server."""
    code = getattr(mqtt5.DisconnectReasonCode, why)
    return mqtt5.DisconnectPacket(reason_code=code, server_reference=place)


async def lost(connection: Connection) -> MqttError | None:
    """Why a connection ended."""
    return await asyncio.wait_for(connection.closed, DEADLINE_S)


@pytest.mark.parametrize("why", [ELSEWHERE, MOVED], ids=lambda code: code.name)
async def test_a_client_goes_where_it_is_sent_under_the_same_account(
    why: mqtt5.ConnAckReasonCode,
) -> None:
    async with serving() as there, serving(sends_to(there.reference, why)) as here:
        connection = await connect(here.broker, SESSION, ignore)
        await connection.publish("a", b"{}")
        assert [(len(s.connects), s.connects[0].username) for s in (here, there)] == [
            (1, "ATM-0001"),
            (1, "ATM-0001"),
        ]
        await connection.disconnect()


async def test_a_refusal_that_names_nobody_is_a_refusal() -> None:
    """There is nowhere to go."""
    async with serving(mqtt5.ConnAckPacket(reason_code=MOVED)) as here:
        with pytest.raises(Refused, match="SERVER_MOVED") as caught:
            await connect(here.broker, SESSION, ignore)
        assert caught.value.permanent


async def test_a_circle_of_servers_is_left_after_a_few_rounds() -> None:
    """Each sends to the other; whoever comes again later begins at home."""
    async with serving() as one, serving(sends_to(one.reference)) as other:
        one.greeting = sends_to(other.reference)
        with pytest.raises(Unreachable, match="sent us on"):
            await connect(one.broker, SESSION, ignore)
        assert len(one.connects) + len(other.connects) == HOPS


async def test_use_another_server_is_for_once() -> None:
    """The first goes down for maintenance and comes back: so do we."""
    async with serving() as there, serving() as here:
        route = Route(here.broker)
        connection = await route.connect(SESSION, ignore)
        here.dismiss(goes_to(there.reference, "USE_ANOTHER_SERVER"))
        error = await lost(connection)
        assert isinstance(error, ConnectionLost)
        assert (error.reason, error.server) == (
            mqtt5.DisconnectReasonCode.USE_ANOTHER_SERVER,
            there.reference,
        )
        for server, count in ((there, 1), (here, 2)):
            connection = await route.connect(SESSION, ignore)
            assert len(server.connects) == count
            server.dismiss(mqtt5.DisconnectPacket())
            await lost(connection)


async def test_a_server_that_moved_is_looked_for_where_it_went() -> None:
    """Over any number of connections; and where it was, when it is not there either."""
    async with serving() as there, serving() as here:
        route = Route(here.broker)
        connection = await route.connect(SESSION, ignore)
        here.dismiss(goes_to(there.reference, "SERVER_MOVED"))
        await lost(connection)
        for count in (1, 2):
            connection = await route.connect(SESSION, ignore)
            assert len(there.connects) == count
            there.dismiss(mqtt5.DisconnectPacket())
            await lost(connection)
        connection = await route.connect(SESSION, ignore)
        there.dismiss(goes_to(f"{LOOPBACK}:{free_port()}", "SERVER_MOVED"))
        await lost(connection)
        with pytest.raises(Unreachable):
            await route.connect(SESSION, ignore)
        connection = await route.connect(SESSION, ignore)
        assert len(here.connects) == 2
        await connection.disconnect()


async def test_who_comes_back_by_itself_follows_too() -> None:
    """The loop that collector and simulator reconnect with."""
    seen: list[Server] = []
    async with serving() as there, serving() as here:
        route = Route(Broker(LOOPBACK, here.port))
        backoff = Backoff(random.Random(1), base_s=0.01)
        async with asyncio.timeout(DEADLINE_S):
            async for connection in connections(lambda: route.connect(SESSION, ignore), backoff):
                seen.append(here if len(here.connects) > len(seen) else there)
                if seen[-1] is there:
                    await connection.disconnect()
                    continue
                here.dismiss(goes_to(there.reference, "USE_ANOTHER_SERVER"))
    assert seen == [here, there]
