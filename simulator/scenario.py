"""Scenarios: a world's behaviour and a story of what happens in it, in YAML.

    name: cell-outage
    about: Every ten minutes another cell loses two fifths of its terminals for three minutes.
    behaviour: {faults_per_day: 0}
    story:
      - set: {offline: true}
        where: {cells: 1, share: 0.4}
        after: 1m
        for: 3m
        every: 10m

`behaviour` overrides fields of `simulator.behaviour.Behaviour`. In an act, `set` takes what
`tellergrid break` takes, `offline`, `silent` and `elsewhere: region-02` included; beside it or
instead of it

    clock: 30m              the terminal's clock is so much ahead, or with -2h behind
    restart: true           its software starts anew when the act begins
    errors: {cardReader: 6} so many errors of a component are told an hour
    leak: 40                so many notes an hour go that nobody was paid
    garbage: 120            so much rubbish an hour is sent
    broker: away            the broker is away: nobody's line works, and no last will is published
    hidden: skimmer         something that no sensor notices: it is in the truth alone

`cause` is the word that the truth has for it, by default the scenario's name. `where` picks so many
`regions` or `cells`, then a share or a number of the terminals in them, others at each repetition
or, with `anew: false`, always the same; `kinds` and `models` leave only such terminals. The rate of
the run divides every duration. Which are picked follows from the seed.
"""

import heapq
import itertools
import math
import random
from collections.abc import Iterator, Sequence
from functools import lru_cache
from importlib import resources
from pathlib import Path
from typing import Literal

import msgspec

from fleet.demo import DemoTerminal
from fleet.rules import duration
from simulator.behaviour import DAY_S, Behaviour, behaviour
from simulator.errors import RequestError, ScenarioError
from simulator.properties import ELSEWHERE, OFFLINE, check
from simulator.turns import Turn

EVERYDAY = "everyday"
_SUFFIX = ".yaml"
_REMEMBERED = 64
_STORM_S = 20.0


class Where(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Which terminals an act befalls; all of them when nothing is said."""

    regions: int | None = None
    cells: int | None = None
    share: float | None = None
    terminals: int | None = None
    kinds: tuple[str, ...] = ()
    models: tuple[str, ...] = ()
    anew: bool = True


class Act(msgspec.Struct, frozen=True, forbid_unknown_fields=True, rename={"lasts": "for"}):
    """One thing that happens: first `after` the start, then `every` so often, or once."""

    lasts: str
    set: dict[str, str | float | int | bool] = {}
    cause: str = ""
    clock: str | None = None
    restart: bool = False
    errors: dict[str, float] = {}
    leak: float = 0
    garbage: float = 0
    broker: Literal["away"] | None = None
    hidden: str | None = None
    after: str = "0s"
    every: str | None = None
    where: Where = Where()


class Scenario(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A scenario as it is written."""

    name: str
    about: str
    behaviour: dict[str, object] = {}
    story: tuple[Act, ...] = ()

    def world(self, rate: float, **overrides: object) -> Behaviour:
        """The behaviour of every terminal."""
        return behaviour(self.behaviour | overrides).at_rate(rate)


class Story:
    """A scenario told to one fleet, from `start` (epoch seconds)."""

    def __init__(
        self,
        scenario: Scenario,
        terminals: Sequence[DemoTerminal],
        seed: int,
        start: float,
        rate: float = 1.0,
    ) -> None:
        self._scenario = scenario
        self._terminals = terminals
        self._seed = seed
        self._start = start
        self._rate = rate
        self._picked = lru_cache(_REMEMBERED)(self._pick)

    def turns(self, code: str) -> Iterator[Turn]:
        """What befalls one terminal, in order of time; may be endless."""
        acts = enumerate(self._scenario.story)
        return heapq.merge(
            self._storms(code),
            *(self._turns(number, act, code) for number, act in acts if act.broker is None),
            key=lambda turn: turn.begins_at,
        )

    def absences(self) -> Iterator[tuple[float, float]]:
        """When the broker is away, from and to, in order of time; may be endless."""
        acts = (act for act in self._scenario.story if act.broker is not None)
        return heapq.merge(*(self._times(act) for act in acts))

    def _storms(self, code: str) -> Iterator[Turn]:
        """Now and then the lines of a whole region break for seconds, and come back at once."""
        world = self._scenario.world(self._rate)
        if not world.storms_per_day:
            return
        chance = random.Random(f"{self._seed}/storms")  # noqa: S311 - a simulation
        regions = sorted({terminal.region for terminal in self._terminals})
        [mine] = [terminal.region for terminal in self._terminals if terminal.code == code]
        at = self._start
        while True:
            at += chance.expovariate(world.storms_per_day * self._rate / DAY_S)
            region, lasts = chance.choice(regions), chance.uniform(2, _STORM_S)
            if region == mine:
                yield Turn(at, at + lasts, {OFFLINE: True}, cause="storm")

    def _turns(self, number: int, act: Act, code: str) -> Iterator[Turn]:
        """One act's turns for a terminal; those in which others are picked do not befall it."""
        for repetition, (begins_at, ends_at) in enumerate(self._times(act)):
            picked = code in self._picked(number, repetition if act.where.anew else 0)
            yield (
                self._turn(act, begins_at, ends_at)
                if picked
                else Turn(begins_at, ends_at, befalls=False)
            )

    def _turn(self, act: Act, begins_at: float, ends_at: float) -> Turn:
        return Turn(
            begins_at,
            ends_at,
            act.set,
            cause=act.cause or self._scenario.name,
            ahead_s=0.0 if act.clock is None else ahead_s(act.clock),
            restart=act.restart,
            leak_per_h=act.leak * self._rate,
            garbage_per_h=act.garbage * self._rate,
            errors_per_h={of: per_h * self._rate for of, per_h in act.errors.items()},
            hidden=act.hidden,
        )

    def _times(self, act: Act) -> Iterator[tuple[float, float]]:
        begins_at = self._start + self._seconds(act.after)
        lasts_s = self._seconds(act.lasts)
        every_s = 0.0 if act.every is None else self._seconds(act.every)
        for repetition in itertools.count() if act.every is not None else range(1):
            at = begins_at + repetition * every_s
            yield at, at + lasts_s

    def _seconds(self, text: str) -> float:
        return duration.parse(text).total_seconds() / self._rate

    def _pick(self, number: int, repetition: int) -> frozenset[str]:
        act = self._scenario.story[number]
        where, there = act.where, act.set.get(ELSEWHERE)
        # A simulation, not a secret.
        chance = random.Random(f"{self._seed}/{self._scenario.name}/{number}/{repetition}")  # noqa: S311
        fitting = [t for t in self._terminals if _fits(t, where) and t.region != there]
        groups = [fitting]
        if where.regions is not None:
            groups = _chosen(chance, fitting, "region", where.regions)
        if where.cells is not None:
            among = [terminal for group in groups for terminal in group]
            groups = _chosen(chance, among, "cell", where.cells)
        picked: list[DemoTerminal] = []
        for group in groups:
            picked += chance.sample(group, _how_many(where, len(group)))
        return frozenset(terminal.code for terminal in picked)


def ahead_s(text: str) -> float:
    """How far a clock is ahead, seconds, of `30m` or `-2h`; raises ValueError."""
    behind = text.startswith("-")
    seconds = duration.parse(text.removeprefix("-").removeprefix("+")).total_seconds()
    return -seconds if behind else seconds


def load(name: str) -> Scenario:
    """The scenario of that name, or in the file of that path; raises ScenarioError."""
    path = Path(name)
    if path.suffix == _SUFFIX:
        try:
            return parse(path.read_bytes(), str(path))
        except OSError as error:
            raise ScenarioError(f"{path}: {error.strerror}") from error
    if name not in names():
        raise ScenarioError(f"no scenario {name!r}; there is {', '.join(names())}, or a .yaml file")
    return parse((_LIBRARY / f"{name}{_SUFFIX}").read_bytes(), name)


def names() -> tuple[str, ...]:
    """The scenarios that come with the simulator."""
    found = (Path(entry.name) for entry in _LIBRARY.iterdir())
    return tuple(sorted(path.stem for path in found if path.suffix == _SUFFIX))


def parse(text: bytes, origin: str) -> Scenario:
    """A scenario from YAML; raises ScenarioError naming the origin and what is wrong where."""
    try:
        scenario = msgspec.yaml.decode(text, type=Scenario)
        scenario.world(1)
        for act in scenario.story:
            _check_act(act)
    except (msgspec.DecodeError, RequestError, ValueError, TypeError) as error:
        raise ScenarioError(f"scenario {origin}: {error}") from error
    return scenario


def _check_act(act: Act) -> None:
    for text in (act.lasts, act.after, *([] if act.every is None else [act.every])):
        duration.parse(text)
    if act.every is not None and not duration.parse(act.every):
        raise ValueError("an act cannot repeat every 0s")
    if act.clock is not None:
        ahead_s(act.clock)
    for path, value in act.set.items():
        check(path, value)
    does = act.set, act.clock, act.restart, act.errors, act.leak, act.garbage, act.broker
    if not any((*does, act.hidden)):
        raise ValueError("an act does something: set, clock, restart, errors, leak, garbage, …")
    if act.where.share is not None and not 0 < act.where.share <= 1:
        raise ValueError("a share is above 0 and at most 1")


def _fits(terminal: DemoTerminal, where: Where) -> bool:
    kind = not where.kinds or terminal.kind in where.kinds
    return kind and (not where.models or terminal.model in where.models)


def _chosen(
    chance: random.Random, terminals: Sequence[DemoTerminal], by: str, count: int
) -> list[list[DemoTerminal]]:
    """So many of the regions or cells that terminals are in, each with its terminals."""
    grouped: dict[str, list[DemoTerminal]] = {}
    for terminal in terminals:
        grouped.setdefault(getattr(terminal, by), []).append(terminal)
    names = sorted(grouped)
    return [grouped[name] for name in chance.sample(names, min(count, len(names)))]


def _how_many(where: Where, group: int) -> int:
    if where.terminals is not None:
        return min(where.terminals, group)
    return group if where.share is None else math.ceil(where.share * group)


_LIBRARY = resources.files("simulator") / "scenarios"
