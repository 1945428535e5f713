"""Terminals that are not where the broker believes them to be: half open lines, other regions."""

import time
from dataclasses import replace
from pathlib import Path

from fleet import demo
from simulator import scenario
from tests.engines import BrokerServer
from tests.integration.simulator.test_fleet import plan, playing, watching

KEEP_ALIVE_S = 2
HALF_OPEN = scenario.parse(
    b"{name: half-open, about: every line that breaks is half open,"
    b" behaviour: {heartbeat_s: 0.2, faults_per_day: 0, stock_at_start: 0.9, half_open: 1.0}}",
    "half-open",
)


async def test_a_half_open_line_is_noticed_by_the_broker_s_keep_alive(
    broker: BrokerServer, tmp_path: Path
) -> None:
    """Nothing ends and nothing is said: for once and a half the keep-alive the broker sees no end.

    What was said meanwhile waits; it comes when the line is there again, and nothing is missing.
    """
    wanted = replace(plan(tmp_path), scenario=HALF_OPEN, keep_alive_s=KEEP_ALIVE_S)
    async with watching(broker) as watcher, playing(broker, wanted) as fleet:
        await watcher.until(lambda: len(watcher.seen) == len(watcher.online) == 3)
        code, other, *_ = fleet.terminals
        terminal = fleet.terminals[code]
        before = terminal.device.seq
        began = time.monotonic()
        terminal.take(terminal.device.set_by_hand({"offline": True}, fleet.now()))
        assert fleet.figures.connected == 3
        await watcher.until(lambda: code not in watcher.online)
        assert time.monotonic() - began > KEEP_ALIVE_S
        assert max(watcher.seen[code, 1]) <= before
        await watcher.until(lambda: other in watcher.online)
        terminal.take(terminal.device.repair(fleet.now()))
        await watcher.until(lambda: code in watcher.online)
        said = terminal.device.seq
        assert said > before
        await watcher.until(lambda: watcher.seen[code, 1] >= set(range(1, said + 1)))


async def test_a_half_open_line_that_is_back_before_the_broker_noticed_takes_over(
    broker: BrokerServer, tmp_path: Path
) -> None:
    """The session it left standing is ended by the one that takes its place: a will, a birth."""
    wanted = replace(plan(tmp_path), scenario=HALF_OPEN, keep_alive_s=600)
    async with watching(broker) as watcher, playing(broker, wanted) as fleet:
        await watcher.until(lambda: len(watcher.seen) == len(watcher.online) == 3)
        code, *_ = fleet.terminals
        terminal = fleet.terminals[code]
        terminal.take(terminal.device.set_by_hand({"offline": True}, fleet.now()))
        assert all(presence.online for _, presence in watcher.presences)
        terminal.take(terminal.device.repair(fleet.now()))
        mine = [True, False, True]
        await watcher.until(lambda: [p.online for c, p in watcher.presences if c == code] == mine)
        said = terminal.device.seq
        await watcher.until(lambda: watcher.seen[code, 1] >= set(range(1, said + 1)))


async def test_a_scenario_carries_terminals_to_another_region_and_back(
    broker: BrokerServer, tmp_path: Path
) -> None:
    """While they are away they speak on the other region's topics; what they said is all there."""
    grid = demo.grid(1, 20, 20)
    away = grid.regions[-1]
    story = scenario.parse(
        b"{name: carried, about: all are carried off to one region for a while,"
        b" behaviour: {heartbeat_s: 0.2, faults_per_day: 0, stock_at_start: 0.9},"
        b" story: [{set: {elsewhere: %b}, after: 2s, for: 3s}]}" % away.encode(),
        "carried",
    )
    homes = {each.code: each.region for each in grid.terminals}
    code = next(code for code, region in homes.items() if region != away)
    wanted = replace(plan(tmp_path, 20, cells=20), scenario=story)
    async with watching(broker) as watcher, playing(broker, wanted) as fleet:
        await watcher.until(lambda: away in watcher.visited[code])
        await watcher.until(lambda: watcher.regions[code] == homes[code])
        said = fleet.terminals[code].device.seq
        await watcher.until(lambda: watcher.seen[code, 1] >= set(range(1, said + 1)))
        online = [presence.online for each, presence in watcher.presences if each == code]
        assert False in online
        assert online[-1]
