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

`behaviour` overrides fields of `simulator.behaviour.Behaviour`; `set` takes what `tellergrid break`
takes. `where` picks so many cells, then a share or a number of the terminals in them, others at
each repetition or, with `anew: false`, always the same; `kinds` leaves only terminals of those
kinds. The rate of the run divides every duration. Which are picked follows from the seed.
"""

import heapq
import itertools
import math
import random
from collections.abc import Iterator, Sequence
from dataclasses import replace
from functools import lru_cache
from importlib import resources
from pathlib import Path

import msgspec

from fleet.demo import DemoTerminal
from fleet.rules import duration
from simulator.behaviour import Behaviour
from simulator.device import Turn
from simulator.errors import RequestError, ScenarioError
from simulator.properties import check

EVERYDAY = "everyday"
_SUFFIX = ".yaml"
_REMEMBERED = 64


class Where(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Which terminals an act befalls; all of them when nothing is said."""

    cells: int | None = None
    share: float | None = None
    terminals: int | None = None
    kinds: tuple[str, ...] = ()
    anew: bool = True


class Act(msgspec.Struct, frozen=True, forbid_unknown_fields=True, rename={"lasts": "for"}):
    """One thing that happens: first `after` the start, then `every` so often, or once."""

    set: dict[str, str | float | int | bool]
    lasts: str
    after: str = "0s"
    every: str | None = None
    where: Where = Where()


class Scenario(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A scenario as it is written."""

    name: str
    about: str
    behaviour: dict[str, float] = {}
    story: tuple[Act, ...] = ()

    def world(self, rate: float) -> Behaviour:
        """The behaviour of every terminal."""
        return replace(Behaviour(), **self.behaviour).at_rate(rate)


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
            *(self._turns(number, act, code) for number, act in acts),
            key=lambda turn: turn.begins_at,
        )

    def _turns(self, number: int, act: Act, code: str) -> Iterator[Turn]:
        """One act's turns for a terminal; those in which others are picked set nothing."""
        begins_at = self._start + self._seconds(act.after)
        lasts_s = self._seconds(act.lasts)
        repetitions = itertools.count() if act.every is not None else range(1)
        every_s = 0.0 if act.every is None else self._seconds(act.every)
        for repetition in repetitions:
            picked = code in self._picked(number, repetition if act.where.anew else 0)
            at = begins_at + repetition * every_s
            yield Turn(at, at + lasts_s, act.set if picked else {})

    def _seconds(self, text: str) -> float:
        return duration.parse(text).total_seconds() / self._rate

    def _pick(self, number: int, repetition: int) -> frozenset[str]:
        where = self._scenario.story[number].where
        # A simulation, not a secret.
        chance = random.Random(f"{self._seed}/{self._scenario.name}/{number}/{repetition}")  # noqa: S311
        fitting = [t for t in self._terminals if not where.kinds or t.kind in where.kinds]
        groups = [fitting]
        if where.cells is not None:
            cells = sorted({terminal.cell for terminal in fitting})
            chosen = chance.sample(cells, min(where.cells, len(cells)))
            groups = [[t for t in fitting if t.cell == cell] for cell in chosen]
        picked: list[DemoTerminal] = []
        for group in groups:
            picked += chance.sample(group, _how_many(where, len(group)))
        return frozenset(terminal.code for terminal in picked)


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
    for path, value in act.set.items():
        check(path, value)
    if act.where.share is not None and not 0 < act.where.share <= 1:
        raise ValueError("a share is above 0 and at most 1")


def _how_many(where: Where, group: int) -> int:
    if where.terminals is not None:
        return min(where.terminals, group)
    return group if where.share is None else math.ceil(where.share * group)


_LIBRARY = resources.files("simulator") / "scenarios"
