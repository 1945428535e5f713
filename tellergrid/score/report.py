"""The scores of several runs added up, as one value for programs, a table and a page."""

from collections import Counter, defaultdict
from collections.abc import Sequence

import msgspec

from tellergrid.score.comparison import Score, Shortfall, quantile

UPTIME_FLOOR_S = 1.0


class Delay(msgspec.Struct, frozen=True):
    """From the beginning of a trouble to the decision that it is a fault, seconds."""

    p50: float
    p95: float
    faults: int


class Report(msgspec.Struct, frozen=True):
    """How good detection was; shares of 1. `delay_s` is by the component that was at fault."""

    recall: float
    precision: float
    wrong_cell_tickets: int
    uptime_error_s_per_day: float
    delay_s: dict[str, Delay]
    detectable: int
    faults: int
    cell_outages: int
    terminal_days: float
    scenarios: list["Line"]
    shortfalls: list[Shortfall]
    undetectable: dict[str, int]
    uptime_error_s: dict[str, float]
    """Of the terminals that were wronged most, `scenario terminal` to seconds."""


class Line(msgspec.Struct, frozen=True):
    """One scenario's share of it."""

    scenario: str
    terminal_days: float
    recall: float
    precision: float
    cell_outages: int
    wrong_cell_tickets: int
    uptime_error_s_per_day: float
    messages: int
    quarantined: int


_WORST = 20


def report(scores: Sequence[Score]) -> Report:
    """Add up scores."""
    delays: dict[str, list[float]] = defaultdict(list)
    undetectable: Counter[str] = Counter()
    worst: dict[str, float] = {}
    for score in scores:
        for component, found in score.delays_s.items():
            delays[component] += found
        undetectable.update(score.undetectable)
        for terminal, error in score.uptime_error_by_terminal_s.items():
            worst[f"{score.scenario} {terminal}"] = error
    days = sum(score.terminal_days for score in scores)
    return Report(
        recall=_share(sum(s.detected for s in scores), sum(s.detectable for s in scores)),
        precision=_share(sum(s.right for s in scores), sum(s.faults for s in scores)),
        wrong_cell_tickets=sum(score.wrong_cell_tickets for score in scores),
        uptime_error_s_per_day=round(sum(s.uptime_error_s for s in scores) / days, 3),
        delay_s={name: _delay(found) for name, found in sorted(delays.items())},
        detectable=sum(score.detectable for score in scores),
        faults=sum(score.faults for score in scores),
        cell_outages=sum(score.cells for score in scores),
        terminal_days=round(days, 2),
        scenarios=[_line(score) for score in scores],
        shortfalls=[_named(score, each) for score in scores for each in shortfalls(score)],
        undetectable=dict(sorted(undetectable.items())),
        uptime_error_s=dict(sorted(worst.items(), key=lambda pair: -pair[1])[:_WORST]),
    )


def shortfalls(score: Score) -> list[Shortfall]:
    """What fell short in a run, an uptime error above the floor included."""
    per_day = score.uptime_error_s / score.terminal_days
    if per_day < UPTIME_FLOOR_S:
        return score.shortfalls
    by_terminal = score.uptime_error_by_terminal_s
    terminal = max(by_terminal, key=by_terminal.__getitem__)
    example = f"{terminal}: {by_terminal[terminal]:.0f} s"
    late = Shortfall(
        "uptime", f"{per_day:.1f} s a day", score.uptime_reason, len(by_terminal), example
    )
    return [*score.shortfalls, late]


def _named(score: Score, each: Shortfall) -> Shortfall:
    return msgspec.structs.replace(each, example=f"{score.scenario}: {each.example}")


def _line(score: Score) -> Line:
    return Line(
        scenario=score.scenario,
        terminal_days=round(score.terminal_days, 2),
        recall=_share(score.detected, score.detectable),
        precision=_share(score.right, score.faults),
        cell_outages=score.cells,
        wrong_cell_tickets=score.wrong_cell_tickets,
        uptime_error_s_per_day=round(score.uptime_error_s / score.terminal_days, 3),
        messages=score.counts.get("messages", 0),
        quarantined=score.counts.get("quarantined", 0),
    )


def _delay(found: Sequence[float]) -> Delay:
    return Delay(round(quantile(found, 0.5), 1), round(quantile(found, 0.95), 1), len(found))


def _share(part: int, whole: int) -> float:
    """A share; of nothing, all of it."""
    return 1.0 if not whole else round(part / whole, 5)
