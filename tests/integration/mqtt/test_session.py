"""The session against two real brokers that are nothing alike: Mosquitto and RabbitMQ."""

import asyncio
import random
import socket
from collections.abc import AsyncIterator, Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from fleet.mqtt import (
    Backoff,
    Broker,
    Connection,
    ConnectionLost,
    Filter,
    Message,
    PublicationRefused,
    Refused,
    Session,
    SubscriptionRefused,
    TakenOver,
    Unreachable,
    Will,
    connect,
    connections,
)
from tellergrid.engines.locate import MosquittoEngine
from tellergrid.stack.ports import free_port
from tests.engines import BrokerServer, own_broker
from tests.rabbitmq import RabbitServer, rabbitmq

__all__ = ["rabbitmq"]

DEADLINE_S = 60
TOPIC = "fleet/v1/r/T-1/telemetry"


@dataclass(slots=True)
class Listener:
    """Keeps what arrives; never acknowledges by itself."""

    messages: list[Message] = field(default_factory=list)
    _arrived: asyncio.Event = field(default_factory=asyncio.Event)

    def __call__(self, _connection: Connection, message: Message) -> None:
        self.messages.append(message)
        self._arrived.set()

    async def until(self, condition: Callable[[list[Message]], bool]) -> list[Message]:
        """Wait until what arrived satisfies the condition."""
        async with asyncio.timeout(DEADLINE_S):
            while not condition(self.messages):
                self._arrived.clear()
                await self._arrived.wait()
        return self.messages

    async def count(self, number: int) -> list[Message]:
        """Wait for so many messages."""
        return await self.until(lambda messages: len(messages) >= number)


AnyBroker = BrokerServer | RabbitServer


@pytest.fixture(params=["mosquitto", "rabbitmq"])
def broker(request: pytest.FixtureRequest) -> AnyBroker:
    """Each of them in turn: a Mosquitto of the test's own, the RabbitMQ of all, wiped."""
    if request.param == "mosquitto":
        own: BrokerServer = request.getfixturevalue("own_mosquitto")
        return own
    shared: RabbitServer = request.getfixturevalue("rabbitmq")
    shared.start()
    with ThreadPoolExecutor(1) as aside:  # the event loop of this thread is the test's
        aside.submit(asyncio.run, wipe(shared)).result()
    return shared


@pytest.fixture
def own_mosquitto(mosquitto_engine: MosquittoEngine, engine_folder: Path) -> Iterator[BrokerServer]:
    """Started only where it is asked for."""
    with own_broker(mosquitto_engine, engine_folder) as server:
        yield server


async def wipe(server: RabbitServer) -> None:
    """Forget the session and the retained messages that a test left behind."""
    address = Broker.parse(server.url("collector"))
    connection = await connect(address, Session("collector-r"), Listener())
    for terminal in ("T-1", "T-2"):
        await connection.publish(f"fleet/v1/r/{terminal}/status", b"", retain=True)
    await connection.disconnect()


@pytest.fixture
async def tester(broker: AnyBroker) -> AsyncIterator[Connection]:
    """A client that may publish as any terminal."""
    address = Broker.parse(broker.url("tester"))
    connection = await connect(address, Session("tester"), Listener())
    yield connection
    connection.abort()
    await connection.closed


async def test_what_was_not_acknowledged_comes_again_in_order(
    broker: AnyBroker, tester: Connection
) -> None:
    """A collector is killed with a batch in hand: the broker keeps it for the fixed client id."""
    address = Broker.parse(broker.url("collector"))
    session = Session("collector-r", clean_start=False, session_expiry_s=3600)
    first = Listener()
    connection = await connect(address, session, first)
    assert not connection.session_present
    await connection.subscribe([Filter("fleet/v1/r/+/telemetry")])
    for number in range(10):
        await tester.publish(TOPIC, str(number).encode())
    received = await first.count(10)
    connection.acknowledge([m.packet_id for m in received[:4] if m.packet_id is not None])
    # The broker answers in order: once this is granted, it has read the acknowledgements.
    await connection.subscribe([Filter("fleet/v1/r/+/status")])
    connection.abort()
    await tester.publish(TOPIC, b"10")

    second = Listener()
    connection = await connect(address, session, second)
    assert connection.session_present
    received = await second.count(7)
    assert [m.payload for m in received] == [str(number).encode() for number in range(4, 11)]
    # The last may have gone to the dead connection first: then it, too, is a duplicate.
    assert [m.duplicate for m in received[:6]] == [True] * 6
    await connection.disconnect()


async def test_the_queue_and_the_session_outlive_an_orderly_restart_of_the_broker(
    broker: AnyBroker, tester: Connection
) -> None:
    """Maintenance on the broker while the collector is away."""
    address = Broker.parse(broker.url("collector"))
    session = Session("collector-r", clean_start=False, session_expiry_s=3600)
    connection = await connect(address, session, Listener())
    await connection.subscribe([Filter("fleet/v1/r/+/telemetry")])
    await connection.disconnect()
    await tester.publish(TOPIC, b"kept")
    broker.stop()
    broker.start()
    listener = Listener()
    connection = await connect(address, session, listener)
    assert connection.session_present
    assert [m.payload for m in await listener.count(1)] == [b"kept"]
    await connection.disconnect()


async def test_what_is_retained_comes_with_a_new_subscription_and_not_with_an_old_one(
    broker: AnyBroker, tester: Connection
) -> None:
    """A collector dies between CONNECT and SUBSCRIBE: the session is there, and nothing in it."""
    address = Broker.parse(broker.url("collector"))
    session = Session("collector-r", clean_start=False, session_expiry_s=3600)
    (await connect(address, session, Listener())).abort()
    await tester.publish("fleet/v1/r/T-1/status", b"gone", retain=True)
    came = []
    for again in (False, True):
        listener = Listener()
        connection = await connect(address, session, listener)
        assert connection.session_present or not again  # to RabbitMQ it is what is subscribed to
        # By name: RabbitMQ looks up what it retains by that alone.
        names = ("fleet/v1/r/T-1/status", "fleet/v1/r/T-2/status")
        await connection.subscribe([Filter(each) for each in names])
        await tester.publish("fleet/v1/r/T-2/status", b"%d" % again)
        received = await listener.until(lambda all_: any(m.payload != b"gone" for m in all_))
        came.append([(m.payload, m.retain) for m in received])
        connection.acknowledge([m.packet_id for m in received if m.packet_id is not None])
        await connection.disconnect()
    assert came == [[(b"gone", True), (b"0", False)], [(b"1", False)]]


async def test_the_will_is_published_on_an_abort_and_not_on_a_good_bye(
    broker: AnyBroker,
) -> None:
    """A machine that loses power, and one that is shut down in order."""
    broker.add_terminals("T-1", "T-2")
    listener = Listener()
    watching = await connect(Broker.parse(broker.url("tester")), Session("watching"), listener)
    await watching.subscribe([Filter("fleet/v1/r/+/status")])
    for terminal in ("T-1", "T-2"):
        will = Will(f"fleet/v1/r/{terminal}/status", terminal.encode())
        session = Session(terminal, will=will)
        connection = await connect(Broker.parse(broker.url(terminal)), session, Listener())
        if terminal == "T-1":
            await connection.disconnect()
        else:
            connection.abort()
    [message] = await listener.count(1)
    assert (message.topic, message.payload) == ("fleet/v1/r/T-2/status", b"T-2")
    await watching.disconnect()


async def test_a_wrong_password_is_refused_naming_the_reason(broker: AnyBroker) -> None:
    """And neither password is told. The specification has two reasons to choose from."""
    right = Broker.parse(broker.url("collector"))
    wrong = right.account("collector", "a-wrong-word")
    with pytest.raises(Refused, match=r"NOT_AUTHORIZED|BAD_USER_NAME_OR_PASSWORD") as caught:
        await connect(wrong, Session("collector"), Listener())
    assert caught.value.permanent
    assert "a-wrong-word" not in str(caught.value)


async def test_nobody_listening_is_unreachable_naming_the_address() -> None:
    """The operator sees which address was tried."""
    port = free_port()
    with pytest.raises(Unreachable, match=f"127.0.0.1:{port}"):
        await connect(Broker("127.0.0.1", port), Session("x"), Listener())


async def test_a_port_that_never_answers_is_unreachable_within_the_time_out() -> None:
    """Something takes the connection and says nothing."""
    session = Session("x", connect_timeout_s=0.1)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        address = Broker("127.0.0.1", silent.getsockname()[1])
        with pytest.raises(Unreachable, match="did not answer"):
            await connect(address, session, Listener())


async def test_ten_thousand_messages_pass_through_a_window_of_ten(
    broker: AnyBroker, tester: Connection
) -> None:
    """Flow control both ways: the receiver holds ten at most, the sender waits its turn."""
    held = 0
    most = 0
    done = asyncio.Event()
    payloads: list[bytes] = []
    batch: list[int] = []

    def take(connection: Connection, message: Message) -> None:
        nonlocal held, most
        assert message.packet_id is not None
        batch.append(message.packet_id)
        payloads.append(message.payload)
        held += 1
        most = max(most, held)
        if held == 10:
            connection.acknowledge(batch)
            held = 0
            batch.clear()
        if len(payloads) == 10_000:
            done.set()

    session = Session("slow", receive_maximum=10)
    receiver = await connect(Broker.parse(broker.url("collector")), session, take)
    await receiver.subscribe([Filter("fleet/v1/r/+/telemetry")])
    for start in range(0, 10_000, 500):
        futures = [tester.publish(TOPIC, str(n).encode()) for n in range(start, start + 500)]
        await asyncio.gather(*futures)
    await asyncio.wait_for(done.wait(), DEADLINE_S)
    assert payloads == [str(n).encode() for n in range(10_000)]
    assert most <= 10
    await receiver.disconnect()


async def test_a_topic_the_account_may_not_write_is_refused_by_name(broker: AnyBroker) -> None:
    """A terminal that speaks for another; its own topic it may write.

    Mosquitto refuses the message and says why; RabbitMQ hangs up, and the message fails with that.
    """
    broker.add_terminals("T-1")
    connection = await connect(Broker.parse(broker.url("T-1")), Session("T-1"), Listener())
    await connection.publish(TOPIC, b"{}")
    refusal = (
        pytest.raises(PublicationRefused, match="NOT_AUTHORIZED")
        if isinstance(broker, BrokerServer)
        else pytest.raises(ConnectionLost)
    )
    with refusal:
        await connection.publish("fleet/v1/r/T-2/telemetry", b"{}")
    connection.abort()
    await connection.closed


async def test_what_is_unsubscribed_comes_no_more(broker: AnyBroker, tester: Connection) -> None:
    """And to give up what one never had is no error."""
    listener = Listener()
    other = await connect(Broker.parse(broker.url("tester")), Session("other"), listener)
    await other.subscribe([Filter("fleet/v1/r/T-1/#"), Filter("fleet/v1/r/T-2/#", qos=0)])
    await other.unsubscribe(["fleet/v1/r/T-1/#", "fleet/v1/never/#"])
    for terminal in ("T-1", "T-2"):
        await tester.publish(f"fleet/v1/r/{terminal}/event", terminal.encode())
    [message] = await listener.count(1)
    assert (message.payload, message.qos, message.packet_id) == (b"T-2", 0, None)
    await other.disconnect()


async def test_a_filter_the_account_may_not_read_brings_nothing(
    broker: AnyBroker, tester: Connection
) -> None:
    """RabbitMQ refuses it by name, and hangs up; Mosquitto delivers nothing that is not allowed."""
    broker.add_terminals("T-1")
    listener = Listener()
    connection = await connect(Broker.parse(broker.url("T-1")), Session("T-1"), listener)
    wanted = Filter("fleet/v1/r/T-2/command")
    if isinstance(broker, RabbitServer):
        with pytest.raises(SubscriptionRefused, match="T-2/command: NOT_AUTHORIZED"):
            await connection.subscribe([wanted])
    else:
        await connection.subscribe([wanted, Filter("fleet/v1/r/T-1/command")])
        for terminal in ("T-2", "T-1"):
            await tester.publish(f"fleet/v1/r/{terminal}/command", terminal.encode())
        assert [m.payload for m in await listener.count(1)] == [b"T-1"]
    connection.abort()
    await connection.closed


async def test_a_second_client_of_the_same_name_takes_over(
    broker: AnyBroker, tester: Connection
) -> None:
    """The first is told so, and does not come back by itself."""
    address = Broker.parse(broker.url("tester"))
    second = await connect(address, Session("tester"), Listener())
    assert isinstance(await asyncio.wait_for(tester.closed, DEADLINE_S), TakenOver)
    await second.disconnect()


async def test_response_topic_correlation_and_expiry_pass_through(
    broker: AnyBroker, tester: Connection
) -> None:
    """What commands are answered by."""
    listener = Listener()
    other = await connect(Broker.parse(broker.url("tester")), Session("other"), listener)
    await other.subscribe([Filter("fleet/v1/r/+/command")])
    await tester.publish(
        "fleet/v1/r/T-1/command",
        b"{}",
        response_topic="fleet/v1/r/T-1/result",
        correlation_data=b"\x00\x01",
        message_expiry_s=60,
    )
    [message] = await listener.count(1)
    assert message.response_topic == "fleet/v1/r/T-1/result"
    assert message.correlation_data == b"\x00\x01"
    await other.disconnect()


async def test_topics_go_by_number_both_ways(broker: AnyBroker) -> None:
    """Few topics, each said again and again: as many aliases as the broker takes and gives.

    RabbitMQ gives some to us, too; Mosquitto 2.0 gives none.
    """
    address = Broker.parse(broker.url("tester"))
    listener = Listener()
    hearing = await connect(address, Session("hearing", topic_aliases=2), listener)
    await hearing.subscribe([Filter("fleet/v1/r/+/telemetry")])
    saying = await connect(address, Session("saying", topic_aliases=3), Listener())
    topics = [f"fleet/v1/r/T-{n % 4}/telemetry" for n in range(40)]
    for topic in topics:
        await saying.publish(topic, topic.encode())
    messages = await listener.count(len(topics))
    assert [m.topic for m in messages] == topics
    assert [m.payload.decode() for m in messages] == topics
    assert len(saying._outbox._aliases._aliases) == 3
    given = len(hearing._inbox._aliases._topics)
    assert given == (2 if isinstance(broker, RabbitServer) else 0)
    await saying.disconnect()
    await hearing.disconnect()


async def test_a_session_comes_back_when_its_broker_does(broker: AnyBroker) -> None:
    """The broker is killed and started again on its port."""
    address = Broker.parse(broker.url("tester"))
    backoff = Backoff(random.Random(1), base_s=0.01, cap_s=0.1)
    failures = []
    rounds = 0

    async def open_session() -> Connection:
        return await connect(address, Session("steady"), Listener())

    async with asyncio.timeout(DEADLINE_S):
        async for connection in connections(
            open_session, backoff, lambda error, _: failures.append(error)
        ):
            rounds += 1
            await connection.publish(TOPIC, b"here")
            if rounds == 2:
                await connection.disconnect()
                continue
            broker.kill()
            await connection.closed
            broker.start()
    assert rounds == 2
    assert isinstance(failures[0], ConnectionLost)
