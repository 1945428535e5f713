"""All terminals of a run: made from the demo grid, driven by one clock, connected in their turn."""

import asyncio
import contextlib
import random
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from heapq import heapify, heappop, heappush
from pathlib import Path

from fleet import demo
from fleet.mqtt import Backoff, Broker, Session, connect
from fleet.mqtt.credentials import terminal_password
from simulator.certificates import Certificates
from simulator.device import Device, Origin
from simulator.errors import CertificateError
from simulator.figures import Figures, Summary
from simulator.limits import make_room, require_sources
from simulator.link import Link, OnCommand
from simulator.passage import Passage
from simulator.ramp import Ramp
from simulator.scenario import EVERYDAY, Scenario, Story, load
from simulator.state import Account, StateFile
from simulator.terminal import KEEP_ALIVE_S, Surroundings, Terminal
from simulator.trunk import Trunk
from simulator.truth import Run, Witness, write

LONGEST_NAP_S = 1.0
SAVE_EVERY_S = 5.0
FLUSH_S = 5.0
LEAVE_S = 10.0
BREATH = 100
CONNECTS_PER_S = 200.0


@dataclass(frozen=True, slots=True)
class Plan:
    """What is simulated. `rate` is how fast the world lives; heartbeats keep their pace.

    All chance follows from `seed`; the terminals are those of the demo grid of `grid_seed`, by
    default the same.
    """

    terminals: int
    state: Path
    cells: int | None = None
    seed: int = 1
    grid_seed: int | None = None
    rate: float = 1.0
    scenario: Scenario = field(default_factory=lambda: load(EVERYDAY))
    connects_per_s: float = CONNECTS_PER_S
    share: tuple[int, int] = (1, 1)
    """Which part of the fleet is played here, of how many: several processes share a fleet."""
    multiplex: int = 0
    """So many connections for all of them; 0: each its own."""
    sources: tuple[str, ...] = ()
    """Addresses to connect from, by turns."""
    certificates: Certificates | None = None
    """By which each terminal logs in, instead of a password."""
    keep_alive_s: int = KEEP_ALIVE_S
    """After once and a half of it the broker notices that nobody is at the other end."""
    truth: Path | None = None
    """Where the truth is written; by default `truth.jsonl` beside the state."""


def share(text: str) -> tuple[int, int]:
    """Read `2/4`, the second of four parts; raises ValueError."""
    part, _, parts = text.partition("/")
    if not (part.isdecimal() and parts.isdecimal() and 0 < int(part) <= int(parts)):
        raise ValueError(f"a share is K/N with K from 1 to N, not {text!r}")
    return int(part), int(parts)


class Fleet:
    """A run of a plan against a broker.

    With a `secret`, each terminal has an account of its own, its password derived; with the plan's
    certificates, each its own; without either all of them use the account in `broker`.
    """

    def __init__(
        self,
        plan: Plan,
        broker: Broker,
        secret: str | None,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._broker = broker
        self._secret = secret
        self._clock = clock
        self._ramp = Ramp(plan.connects_per_s)
        self._state = StateFile(plan.state)
        self._stopping = asyncio.Event()
        self._plan = plan
        self._start = self._clock()
        self._witnesses: dict[str, Witness] = {}
        self._story: Story
        self.figures = Figures(plan.terminals)
        self._trunk: Trunk | None = None
        self.terminals = self._make(plan)
        self.figures.terminals = len(self.terminals)

    def check(self) -> None:
        """Raise SimulatorError, with advice, for what cannot be connected; raises our own limit."""
        plan = self._plan
        if plan.certificates is not None:
            if plan.multiplex:
                text = "a shared connection has no terminal's certificate: leave out --multiplex"
                raise CertificateError(text)
            plan.certificates.require(self.terminals)
        require_sources(plan.sources)
        if not plan.multiplex:
            make_room(len(self.terminals), len(plan.sources))

    async def run(self) -> None:
        """Play until `stop`; then every terminal says what it still has to and disconnects.

        Stopping the simulator is no event in the simulated world: no last will fires.
        """
        plan = self._plan
        if plan.multiplex:
            name = f"simulator-{plan.share[0]}-trunk"
            self._trunk = Trunk(self._broker, plan.multiplex, name)
        try:
            async with asyncio.TaskGroup() as tasks:
                trunk = tasks.create_task(self._trunk.run() if self._trunk else asyncio.sleep(0))
                playing = [
                    tasks.create_task(terminal.run(), name=code)
                    for code, terminal in self.terminals.items()
                ]
                keeping = tasks.create_task(self._keep_state())
                cutting = tasks.create_task(self._keep_absences())
                await self._live()
                await self._leave()
                if self._trunk is not None:
                    await self._trunk.close()
                for task in (*playing, keeping, cutting, trunk):
                    task.cancel()
        finally:
            self._state.save(self._progress())
            self._tell_truth(self._clock())

    def stop(self) -> None:
        """Let `run` come to its end."""
        self._stopping.set()

    def summary(self) -> Summary:
        """The figures now."""
        journals = [terminal.journal for terminal in self.terminals.values()]
        unacknowledged = sum(journal.unacknowledged for journal in journals)
        witnesses = self._witnesses.values()
        return self.figures.summary(
            unacknowledged,
            sum(journal.dropped for journal in journals),
            sum(witness.troubles for witness in witnesses),
            sum(witness.wrong_now for witness in witnesses),
        )

    @property
    def share(self) -> tuple[int, int]:
        """Which part of the fleet this is, of how many."""
        return self._plan.share

    def now(self) -> float:
        """The fleet's clock, epoch seconds."""
        return self._clock()

    def _make(self, plan: Plan) -> dict[str, Terminal]:
        grid_seed = plan.seed if plan.grid_seed is None else plan.grid_seed
        grid = demo.grid(grid_seed, plan.terminals, plan.cells)
        self.regions = grid.regions
        part, parts = plan.share
        played = grid.terminals[part - 1 :: parts]
        boots = self._state.begin([terminal.code for terminal in played])
        self._story = Story(plan.scenario, grid.terminals, plan.seed, self._start, plan.rate)
        world = plan.scenario.world(plan.rate)
        # Spreads reconnecting; the terminals' stories have chances of their own.
        backoff = Backoff(random.Random(plan.seed))  # noqa: S311
        around = Surroundings(
            self._dial,
            backoff,
            self.figures,
            self._state.booting,
            plan.keep_alive_s,
            self._clock,
        )
        made = {}
        for each in played:
            boot, start = boots[each.code], self._start
            stock = self._state.stock(each.code)
            origin = Origin(each.code, each.kind, plan.seed, boot, start, each.vendor, stock)
            witness = self._witnesses[each.code] = Witness(each.code, each.kind, start)
            device = Device(origin, world, self._story.turns(each.code), witness)
            passage = Passage(each.code, plan.seed, world)
            made[each.code] = Terminal(device, each.region, passage, around)
        return made

    async def _dial(self, session: Session, on_message: OnCommand) -> Link:
        if self._trunk is not None:
            self._state.settle()
            return await self._trunk.open(session, on_message)
        code = session.client_id
        broker = self._broker
        if self._plan.certificates is not None:
            broker = self._plan.certificates.of(code, broker)
        elif self._secret is not None:
            broker = broker.account(code, terminal_password(self._secret, code))
        if sources := self._plan.sources:
            broker = replace(broker, source=sources[self.figures.connects % len(sources)])
        async with self._ramp:
            self._state.settle()
            connection = await connect(broker, session, on_message)
        self.figures.connects += 1
        return connection

    async def _live(self) -> None:
        """Advance every device when it is due, until stopped."""
        due = [(each.device.next_at, code) for code, each in self.terminals.items()]
        heapify(due)
        while not self._stopping.is_set():
            now = self._clock()
            for _ in range(BREATH):
                if due[0][0] > now:
                    break
                _, code = heappop(due)
                terminal = self.terminals[code]
                terminal.advance(now)
                heappush(due, (terminal.device.next_at, code))
            await self._nap(due[0][0])

    async def _nap(self, until: float) -> None:
        seconds = min(max(0.0, until - self._clock()), LONGEST_NAP_S)
        if not seconds:
            await asyncio.sleep(0)
            return
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._stopping.wait(), seconds)

    async def _leave(self) -> None:
        leaving = [asyncio.create_task(each.leave(FLUSH_S)) for each in self.terminals.values()]
        _, late = await asyncio.wait(leaving, timeout=LEAVE_S)
        for task in late:
            task.cancel()

    async def _keep_state(self) -> None:
        while True:
            await asyncio.sleep(SAVE_EVERY_S)
            self._state.save(self._progress())

    async def _keep_absences(self) -> None:
        """While the scenario has the broker away, nobody gets through to it."""
        for begins_at, ends_at in self._story.absences():
            for until, off in ((begins_at, True), (ends_at, False)):
                await asyncio.sleep(max(0.0, until - self._clock()))
                for terminal in self.terminals.values():
                    terminal.cut(off=off)

    def _tell_truth(self, now: float) -> None:
        plan = self._plan
        run = Run(plan.scenario.name, plan.seed, plan.terminals, self._start, now, plan.rate)
        told = (line for witness in self._witnesses.values() for line in witness.told())
        write(plan.truth or plan.state.with_name("truth.jsonl"), [run, *told])

    def _progress(self) -> Iterable[Account]:
        for code, terminal in self.terminals.items():
            device = terminal.device
            yield code, device.boot, device.seq, terminal.journal.acknowledged, device.stock
