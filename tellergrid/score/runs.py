"""The library of scenarios played and scored: each in a fleet of its own, on its own seed."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from fleet.rules.catalogue import Catalogue
from simulator.scenario import load
from simulator.truth import Run
from simulator.virtual import HEARTBEAT_S, Course
from tellergrid.score.comparison import Score, compare
from tellergrid.score.expectation import World
from tellergrid.virtual.run import Played, play
from tellergrid.virtual.shares import play_all

START = datetime(2026, 11, 23, tzinfo=UTC)
"""Monday, 8 in the morning where the terminals are; two days before a payday."""

Progress = Callable[[str, float], None]


@dataclass(frozen=True, slots=True)
class Size:
    """How large a fleet each scenario has, and for how long it is played."""

    terminals: int = 60
    cells: int | None = None
    hours: float = 24.0
    seed: int = 1
    heartbeat_s: float = HEARTBEAT_S


def score(
    scenarios: Sequence[str], size: Size, rules: Catalogue, progress: Progress, *, alone: bool
) -> list[Score]:
    """Play and score scenarios, one after the other; with `alone` in this process."""
    found: list[Score] = []
    for name in scenarios:
        course = Course(
            scenario=load(name),
            terminals=size.terminals,
            start=START.timestamp(),
            lasts_s=size.hours * 3600,
            seed=size.seed,
            cells=size.cells,
            heartbeat_s=size.heartbeat_s,
        )

        def told(share: float, name: str = name) -> None:
            progress(name, share)

        progress(name, 0.0)
        if alone:
            played = play(course, rules, course.grid().regions, told)
        else:
            played = play_all(course, told)
        found.append(score_course(course, rules, played))
    return found


def score_course(course: Course, rules: Catalogue, played: Played) -> Score:
    """Score what came of a course."""
    [run] = [line for line in played.truth if isinstance(line, Run)]
    world = World(
        run=run,
        end=course.end,
        catalogue=rules,
        behaviour=course.world,
        absences=list(played.absences),
        cells=_members(course),
    )
    return compare(world, played)


def _members(course: Course) -> Mapping[str, list[str]]:
    members: dict[str, list[str]] = {}
    for terminal in course.grid().terminals:
        members.setdefault(terminal.cell, []).append(terminal.code)
    return members
