"""A fleet in virtual time: no network, no clock; what arrives, in order, as fast as it is made."""

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from operator import itemgetter

from fleet import demo
from fleet.demo import DemoTerminal
from simulator.behaviour import Behaviour
from simulator.device import Device, Origin
from simulator.passage import Passage
from simulator.scenario import Scenario, Story
from simulator.truth import Line, Run, Witness
from simulator.wire import Arrived, Wire

HEARTBEAT_S = 150.0
"""In virtual time terminals beat as slowly as silence allows: a heartbeat that says nothing new
costs as much as one that does."""
STEP_S = 120.0


@dataclass(frozen=True, slots=True)
class Course:
    """What is played: terminals of the demo grid, from `start` (epoch seconds) for `lasts_s`."""

    scenario: Scenario
    terminals: int
    start: float
    lasts_s: float
    seed: int = 1
    grid_seed: int | None = None
    cells: int | None = None
    heartbeat_s: float = HEARTBEAT_S
    """Where the scenario does not say another."""
    step_s: float = STEP_S
    """How long the pieces are that it is played in."""

    @property
    def end(self) -> float:
        """When it is over."""
        return self.start + self.lasts_s

    @property
    def world(self) -> Behaviour:
        """How its terminals behave."""
        return self.scenario.world(1, **{"heartbeat_s": self.heartbeat_s} | self.scenario.behaviour)

    def grid(self) -> demo.DemoGrid:
        """The grid that is played on."""
        seed = self.seed if self.grid_seed is None else self.grid_seed
        return demo.grid(seed, self.terminals, self.cells)


class VirtualFleet:
    """The terminals of some regions, or of all; `boots` are those they begin with, else 1."""

    def __init__(
        self,
        course: Course,
        regions: Collection[str] | None = None,
        boots: dict[str, int] | None = None,
    ) -> None:
        self._course = course
        grid = course.grid()
        self._story = Story(course.scenario, grid.terminals, course.seed, course.start)
        world = course.world
        self.terminals: dict[int, DemoTerminal] = {}
        self.wires: dict[int, Wire] = {}
        self._witnesses: list[Witness] = []
        for number, each in enumerate(grid.terminals, 1):
            if regions is not None and each.region not in regions:
                continue
            boot = (boots or {}).get(each.code, 1)
            origin = Origin(each.code, each.kind, course.seed, boot, course.start, each.vendor)
            witness = Witness(each.code, each.kind, course.start)
            device = Device(origin, world, self._story.turns(each.code), witness)
            passage = Passage(each.code, course.seed, world)
            self.terminals[number] = each
            self.wires[number] = Wire(number, device, passage, course.seed)
            self.wires[number].begin(course.start)
            self._witnesses.append(witness)
        self._later: list[Arrived] = []

    def absences(self) -> list[tuple[float, float]]:
        """When the broker is away, from and to."""
        found = []
        for begins_at, ends_at in self._story.absences():
            if begins_at >= self._course.end:
                break
            found.append((begins_at, ends_at))
        return found

    def steps(self) -> Iterator[tuple[float, list[Arrived], bool]]:
        """The whole course, piece by piece: until when, what arrived, whether the broker is away.

        A piece ends where the broker goes away or comes back.
        """
        turns = [turn for goes, comes in self.absences() for turn in ((goes, True), (comes, False))]
        now, away = self._course.start, False
        while now < self._course.end:
            until = min(now + self._course.step_s, self._course.end, *(at for at, _ in turns[:1]))
            yield until, self._play(until), away
            now = until
            while turns and turns[0][0] <= now:
                _, away = turns.pop(0)
                for wire in self.wires.values():
                    (wire.cut if away else wire.join)(now)

    def resend(self, terminal: int, boot: int, first: int, last: int, at: float) -> None:
        """Let a terminal answer the command `resend`."""
        self._later += self.wires[terminal].resend(boot, first, last, at)

    def told(self) -> list[Line]:
        """The truth about the course."""
        course = self._course
        run = Run(course.scenario.name, course.seed, course.terminals, course.start, course.end)
        return [run, *(line for witness in self._witnesses for line in witness.told())]

    def _play(self, until: float) -> list[Arrived]:
        arrived = self._later
        for wire in self.wires.values():
            if wire.next_at <= until:
                arrived += wire.play(until)
        arrived.sort(key=itemgetter(0))
        cut = len(arrived)
        while cut and arrived[cut - 1].at > until:
            cut -= 1
        self._later = arrived[cut:]
        return arrived[:cut]
