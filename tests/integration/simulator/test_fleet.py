"""A simulated fleet on a real Mosquitto, seen by a subscriber that is not the collector."""

import asyncio
import random
from collections import defaultdict
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from functools import partial
from pathlib import Path

import msgspec
import pytest

from fleet import demo, telemetry, topics
from fleet.mqtt import Backoff, Broker, Connection, Filter, Message, Session, connect, connections
from fleet.telemetry import Event, Presence, Resend, Result, Telemetry
from fleet.topics import Channel
from simulator import scenario, state
from simulator.app import simulate
from simulator.control import STATE, Break, Control, Ping, Repair
from simulator.errors import OtherSimulatorError
from simulator.fleet import Fleet, Plan
from simulator.hands import NobodyThereError, ask
from tests.engines import BrokerServer
from tests.machine import PATIENCE_S

LIVELY = scenario.parse(
    b"{name: lively, about: a heartbeat every fifth of a second,"
    b" behaviour: {heartbeat_s: 0.2, faults_per_day: 0, stock_at_start: 0.9}}",
    "lively",
)


class Watcher:
    """Hears the whole fleet, remembers each message by terminal, boot and seq."""

    def __init__(self, broker: Broker) -> None:
        self.broker = broker
        self.seen: defaultdict[tuple[str, int], set[int]] = defaultdict(set)
        self.payloads: dict[tuple[str, int, int], set[bytes]] = defaultdict(set)
        self.presences: list[tuple[str, Presence]] = []
        self.results: list[Result] = []
        self.regions: dict[str, str] = {}
        self.visited: defaultdict[str, set[str]] = defaultdict(set)
        self.state: dict[str, object] = {}
        self.connection: Connection | None = None
        self.subscribed = asyncio.Event()
        self._news = asyncio.Event()

    async def run(self) -> None:
        async def dial() -> Connection:
            return await connect(self.broker, Session("watcher"), self._take)

        backoff = Backoff(random.Random(1), base_s=0.02, cap_s=0.2)
        async for connection in connections(dial, backoff):
            try:
                self.connection = connection
                await connection.subscribe([Filter("fleet/v1/#"), Filter(STATE)])
                self.subscribed.set()
                await asyncio.shield(connection.closed)
            finally:
                self.subscribed.clear()
                connection.abort()

    @property
    def online(self) -> set[str]:
        """The terminals that say they are there, and have not said or willed otherwise since."""
        return {code for code, presence in dict(self.presences).items() if presence.online}

    async def until(self, condition: Callable[[], bool]) -> None:
        async with asyncio.timeout(PATIENCE_S):
            while not condition():
                self._news.clear()
                await self._news.wait()

    def _take(self, connection: Connection, message: Message) -> None:
        if message.packet_id is not None:
            connection.acknowledge([message.packet_id])
        self._news.set()
        if message.topic == STATE:
            self.state = msgspec.json.decode(message.payload)
            return
        topic = topics.parse(message.topic)
        self.regions[topic.terminal] = topic.region
        self.visited[topic.terminal].add(topic.region)
        if topic.channel is Channel.COMMAND:
            return
        said = telemetry.decode(topic.channel, topic.terminal, message.payload)
        if isinstance(said, Telemetry | Event):
            self.seen[topic.terminal, said.boot].add(said.seq)
            self.payloads[topic.terminal, said.boot, said.seq].add(message.payload)
        elif isinstance(said, Presence):
            self.presences.append((topic.terminal, said))
        else:
            self.results.append(said)


@asynccontextmanager
async def watching(server: BrokerServer) -> AsyncIterator[Watcher]:
    watcher = Watcher(Broker.parse(server.url("tester")))
    task = asyncio.create_task(watcher.run())
    async with asyncio.timeout(PATIENCE_S):
        await watcher.subscribed.wait()
    try:
        yield watcher
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task


@asynccontextmanager
async def playing(
    server: BrokerServer, plan: Plan, fleet: Fleet | None = None
) -> AsyncIterator[Fleet]:
    """A fleet with its control; at the end it is stopped in order."""
    grid = demo.grid(plan.seed, plan.terminals, plan.cells)
    if not plan.multiplex:
        server.add_terminals(*(terminal.code for terminal in grid.terminals))
    broker = Broker.parse(server.url("simulator"))
    fleet = fleet or Fleet(plan, broker, server.terminal_secret)
    control = Control(fleet, broker)
    async with asyncio.TaskGroup() as tasks:
        serving = tasks.create_task(control.run())
        running = tasks.create_task(fleet.run())
        try:
            yield fleet
        finally:
            fleet.stop()
            await running
            await control.leave()
            serving.cancel()


def plan(folder: Path, terminals: int = 3, cells: int | None = None) -> Plan:
    return Plan(terminals, folder / "state.json", cells=cells, scenario=LIVELY)


async def test_a_broker_that_is_killed_costs_no_message(
    broker: BrokerServer, tmp_path: Path
) -> None:
    """Twenty terminals talk; the broker dies with what it had acknowledged, and comes back.

    The terminals come back by themselves and send what was not acknowledged. What had been
    acknowledged and died with the broker shows as a gap, and is had by asking for it.
    """
    async with watching(broker) as watcher:
        async with playing(broker, plan(tmp_path, 20)) as fleet:
            await watcher.until(lambda: sum(map(len, watcher.seen.values())) > 100)
            broker.kill()
            await asyncio.to_thread(broker.start)
            await watcher.until(lambda: fleet.figures.connected == 20)
            before = {key: max(seqs) for key, seqs in watcher.seen.items()}
            await watcher.until(
                lambda: all(max(watcher.seen[key]) > last + 3 for key, last in before.items())
            )
            await watcher.subscribed.wait()
            for (terminal, boot), seqs in watcher.seen.items():
                if missing := set(range(1, max(seqs))) - seqs:
                    topic = command_topic(fleet, terminal)
                    request = Resend(boot, min(missing), max(missing))
                    assert watcher.connection is not None
                    watcher.connection.publish(topic, telemetry.encode(request))
            await watcher.until(
                lambda: all(seqs == set(range(1, max(seqs) + 1)) for seqs in watcher.seen.values())
            )
        written = state.read(tmp_path / "state.json")
        await watcher.until(
            lambda: all(
                len(watcher.seen[code, each.boot]) == each.seq for code, each in written.items()
            )
        )
    assert len(written) == 20
    assert all(each.acknowledged == each.seq for each in written.values())
    assert all(len(versions) == 1 for versions in watcher.payloads.values()), "resent as it was"


def command_topic(fleet: Fleet, terminal: str) -> str:
    [each] = [t for t in demo.grid(1, len(fleet.terminals)).terminals if t.code == terminal]
    return topics.build(each.region, terminal, Channel.COMMAND)


async def test_a_stopped_fleet_leaves_no_will_and_a_killed_connection_does(
    broker: BrokerServer, tmp_path: Path
) -> None:
    """Stopping the tool is no event in the simulated world; a line that drops is."""
    async with watching(broker) as watcher:
        async with playing(broker, plan(tmp_path)) as fleet:
            await watcher.until(lambda: len(watcher.presences) == 3)
            code = next(iter(fleet.terminals))
            tester = Broker.parse(broker.url("tester"))
            answer = await ask(tester, Break(code, {"offline": True}))
            assert answer.ok
            await watcher.until(lambda: len(watcher.presences) == 4)
            terminal, presence = watcher.presences[-1]
            assert (terminal, presence.online) == (code, False)
            assert (await ask(tester, Repair(code))).ok
            await watcher.until(lambda: len(watcher.presences) == 5)
            assert watcher.presences[-1][1].online
            await watcher.until(
                lambda: len(watcher.seen[code, 1]) == fleet.terminals[code].device.seq
            )
        assert len(watcher.presences) == 5
        await watcher.until(lambda: watcher.state == {"online": False})


async def test_the_hands_break_and_repair_exactly_what_they_name(
    broker: BrokerServer, tmp_path: Path
) -> None:
    """A tester jams a card reader, misspells the next thing, and puts all in order again."""
    tester = Broker.parse(broker.url("tester"))
    with pytest.raises(NobodyThereError):
        await ask(tester, Ping())
    async with playing(broker, plan(tmp_path)) as fleet:
        async with asyncio.timeout(PATIENCE_S):
            while True:
                with suppress(NobodyThereError):
                    assert (await ask(tester, Ping())).ok
                    break
        code = next(iter(fleet.terminals))
        answer = await ask(tester, Break(code, {"cardReader.media": "jammed"}))
        assert answer.properties == {"cardReader.media": "jammed"}
        answer = await ask(tester, Break(code, {"cardReader.media": "jamed"}))
        assert answer.error is not None
        assert "did you mean 'jammed'?" in answer.error
        answer = await ask(tester, Break("ATM-9999", {"cardReader.media": "jammed"}))
        assert not answer.ok
        assert (await ask(tester, Repair(code))).ok
        assert fleet.terminals[code].device.properties()["cardReader.media"] == "notPresent"


async def test_a_reset_starts_the_terminal_in_its_next_boot(
    broker: BrokerServer, tmp_path: Path
) -> None:
    """A command is answered, then the machine goes down and comes up counting from one."""
    async with watching(broker) as watcher:
        async with playing(broker, plan(tmp_path)) as fleet:
            code = next(iter(fleet.terminals))
            await watcher.until(lambda: 2 in watcher.seen[code, 1])
            assert watcher.connection is not None
            watcher.connection.publish(command_topic(fleet, code), b'{"op":"dance"}')
            watcher.connection.publish(command_topic(fleet, code), b'{"op":"reset"}')
            await watcher.until(lambda: 2 in watcher.seen[code, 2])
            await watcher.until(lambda: (code, 2) in {(t, p.boot) for t, p in watcher.presences})
        assert [(result.op, result.ok) for result in watcher.results] == [
            ("unknown", False),
            ("reset", True),
        ]
    entry = state.read(tmp_path / "state.json")[code]
    assert entry.boot == 2
    assert entry.boots["1"] == max(watcher.seen[code, 1])


async def test_a_restarted_simulator_has_higher_boots(broker: BrokerServer, tmp_path: Path) -> None:
    """Its messages must not look like ones already seen."""
    async with watching(broker) as watcher:
        for seen in (3, 6):
            async with playing(broker, plan(tmp_path)):
                await watcher.until(partial(lambda seen: len(watcher.seen) == seen, seen))
    assert {boot for _, boot in watcher.seen} == {1, 2}


async def test_a_second_simulator_on_the_same_broker_is_refused(
    broker: BrokerServer, tmp_path: Path
) -> None:
    """They would throw each other's terminals out for ever."""
    async with watching(broker) as watcher, playing(broker, plan(tmp_path)) as fleet:
        await watcher.until(lambda: watcher.state.get("online") is True)
        with pytest.raises(OtherSimulatorError):
            await simulate(fleet, Broker.parse(broker.url("simulator")))
