"""A fleet over shared connections, in shares, and within what the machine allows."""

from dataclasses import replace
from pathlib import Path

import pytest

from fleet import demo, telemetry, topics
from fleet.mqtt import Broker
from fleet.topics import Channel
from simulator.control import JumpClock, Move, Repair, Silence
from simulator.errors import LimitError
from simulator.fleet import Fleet
from simulator.hands import ask
from simulator.limits import make_room, require_sources
from tests.engines import BrokerServer
from tests.integration.simulator.test_fleet import plan, playing, watching


async def test_forty_terminals_share_two_connections(broker: BrokerServer, tmp_path: Path) -> None:
    """Each has its birth message, its will when its line is cut, and the commands meant for it."""
    wanted = replace(plan(tmp_path, 40), multiplex=2)
    tester = Broker.parse(broker.url("tester"))
    async with watching(broker) as watcher:
        fleet = Fleet(wanted, tester, None)
        async with playing(broker, wanted, fleet) as fleet:
            await watcher.until(lambda: fleet.figures.connected == 40)
            await watcher.until(lambda: len(watcher.seen) == 40)
            code = "ATM-0001" if "ATM-0001" in fleet.terminals else next(iter(fleet.terminals))
            device = fleet.terminals[code]
            device.take(device.device.set_by_hand({"offline": True}, fleet.now()))
            gone = (code, False)
            await watcher.until(lambda: gone in {(t, p.online) for t, p in watcher.presences})
            device.take(device.device.repair(fleet.now()))
            await watcher.until(lambda: code in watcher.online)
            [each] = [t for t in demo.grid(1, 40).terminals if t.code == code]
            assert watcher.connection is not None
            topic = topics.build(each.region, code, Channel.COMMAND)
            watcher.connection.publish(topic, b'{"op":"reset"}')
            await watcher.until(lambda: (code, 2) in watcher.seen)
            assert [(result.op, result.ok) for result in watcher.results] == [("reset", True)]


async def test_a_hand_silences_moves_and_jumps_the_clock(
    broker: BrokerServer, tmp_path: Path
) -> None:
    """Each shows on the wire as it would in life, and a repair ends it."""
    tester = Broker.parse(broker.url("tester"))
    wanted = plan(tmp_path, 20, cells=20)
    async with watching(broker) as watcher, playing(broker, wanted) as fleet:
        await watcher.until(lambda: watcher.state.get("online") is True)
        await watcher.until(lambda: len(watcher.seen) == 20)
        first, second, third, *_ = fleet.terminals
        assert (await ask(tester, Silence(first))).ok
        before = fleet.terminals[first].device.seq
        assert (await ask(tester, JumpClock(second, -7200))).ok
        last = max(watcher.seen[second, 1])
        await watcher.until(lambda: max(watcher.seen[second, 1]) > last + 2)
        newest = max(seq for code, _, seq in watcher.payloads if code == second)
        [payload] = watcher.payloads[second, 1, newest]
        said = telemetry.decode(Channel.TELEMETRY, second, payload)
        assert 7100 < fleet.now() - said.ts.timestamp() < 7300
        assert fleet.terminals[first].device.seq == before
        assert (await ask(tester, Repair(first))).ok
        await watcher.until(lambda: (first, 2) in watcher.seen)
        answer = await ask(tester, Move(third))
        assert answer.properties == {"common.devicePosition": "notInPosition"}
        refused = await ask(tester, Move(third, "region-99"))
        assert refused.error is not None
        assert "there is region-01" in refused.error
        home = watcher.regions[third]
        away = next(region for region in fleet.regions if region != home)
        assert (await ask(tester, Move(third, away))).ok
        await watcher.until(lambda: watcher.regions[third] == away)
        refused = await ask(tester, Move(third, home))
        assert "repair brings it back" in str(refused.error)
        assert (await ask(tester, Repair(third))).ok
        await watcher.until(lambda: watcher.regions[third] == home)


async def test_two_processes_share_a_fleet_and_each_answers_for_its_own(
    broker: BrokerServer, tmp_path: Path
) -> None:
    """Half of the terminals here, half there; a hand reaches whichever has the terminal."""
    tester = Broker.parse(broker.url("tester"))
    halves = [replace(plan(tmp_path / str(part), 6), share=(part, 2)) for part in (1, 2)]
    async with (
        watching(broker) as watcher,
        playing(broker, halves[0]) as one,
        playing(broker, halves[1]) as other,
    ):
        await watcher.until(lambda: len(watcher.seen) == 6)
        assert not set(one.terminals) & set(other.terminals)
        for code in (*one.terminals, *other.terminals):
            assert (await ask(tester, Silence(code))).terminal == code


def test_more_connections_than_the_machine_allows_are_refused_with_advice() -> None:
    """Before the first one is made; what can be raised is raised."""
    make_room(100, 0)
    with pytest.raises(LimitError, match=r"ulimit -Hn.*--share.*--multiplex"):
        make_room(2**31, 0)
    with pytest.raises(LimitError, match=r"--source-address|ulimit"):
        make_room(100_000, 1)


@pytest.mark.parametrize("address", ["192.0.2.7", "2001:db8::7", "no such host"])
def test_an_address_of_another_machine_is_refused_before_the_first_connection(address: str) -> None:
    """Every terminal tried again and again, and one line said why."""
    require_sources(["127.0.0.1"])
    with pytest.raises(LimitError, match=f"--source-address {address}: "):
        require_sources(["127.0.0.1", address])
