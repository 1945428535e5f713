"""What was said, beside what should have been: recall, precision, cells, delays, uptime."""

from collections import defaultdict
from collections.abc import Callable, Sequence

import msgspec

from fleet.rules.rule import Count
from fleet.service_state import UP, ServiceState
from simulator.truth import Stay
from tellergrid.score.expectation import (
    AWAY,
    Expected,
    ExpectedCell,
    World,
    expected,
    expected_cells,
)
from tellergrid.score.spans import Span, differing_s, merged, seconds, shared_s
from tellergrid.virtual.run import Played
from tellergrid.virtual.said import Fault, Interval
from tellergrid.virtual.tickets import Raised

NEAR_S = 120.0
"""How far from a trouble's span a fault of its name may begin and still be about it: what was told
while the line was down comes late."""
_DAY_S = 86_400.0


class Shortfall(msgspec.Struct, order=True):
    """What fell short: how often, of what, and why."""

    kind: str
    name: str
    reason: str
    count: int
    example: str


class Score(msgspec.Struct):
    """One run's counts; everything else follows from them, so that runs can be added up."""

    scenario: str
    terminal_days: float
    detectable: int
    detected: int
    faults: int
    right: int
    cells: int
    wrong_cell_tickets: int
    uptime_error_s: float
    uptime_error_by_terminal_s: dict[str, float]
    uptime_reason: str
    delays_s: dict[str, list[float]]
    shortfalls: list[Shortfall]
    undetectable: dict[str, int]
    counts: dict[str, int]


def compare(world: World, played: Played) -> Score:
    """Score a run."""
    wanted = expected(world, played.truth)
    faults = [fault for fault in played.faults if fault.scope == "terminal"]
    matches, unmatched = _matched(wanted, faults)
    sure = [each for each in wanted if each.sure]
    missed = [each for number, each in enumerate(wanted) if each.sure and not matches[number]]
    cells, wrong_cells, cell_shortfalls = _cells(world, played)
    errors = _uptime_errors(world, played)
    delays: dict[str, list[float]] = defaultdict(list)
    for number, each in enumerate(wanted):
        if each.sure and matches[number]:
            first = min(fault.decided_at for fault in matches[number])
            delays[each.component].append(round(max(0.0, first - each.span[0]), 3))
    shortfalls = [
        *_counted("missed", [(e.name, _why_missed(world, e), _where(e)) for e in missed]),
        *_counted("false", [(f.rule, _why_false(world, f), _of(f)) for f in unmatched]),
        *cell_shortfalls,
    ]
    undetectable: dict[str, int] = defaultdict(int)
    for each in wanted:
        if each.why_not is not None:
            undetectable[f"{each.name}: {each.why_not}"] += 1
    return Score(
        scenario=world.run.scenario,
        terminal_days=world.run.terminals * (world.end - world.run.begins_at) / _DAY_S,
        detectable=len(sure),
        detected=len(sure) - len(missed),
        faults=len(faults),
        right=len(faults) - len(unmatched),
        cells=cells,
        wrong_cell_tickets=wrong_cells,
        uptime_error_s=sum(errors.values()),
        uptime_error_by_terminal_s=errors,
        uptime_reason=_why_off(world, wanted),
        delays_s=dict(delays),
        shortfalls=shortfalls,
        undetectable=dict(undetectable),
        counts=played.counts,
    )


def _matched(
    wanted: Sequence[Expected], faults: Sequence[Fault]
) -> tuple[dict[int, list[Fault]], list[Fault]]:
    """By number of what was wanted, the faults about it; and the faults about nothing."""
    places: dict[tuple[str, str, str], list[int]] = defaultdict(list)
    for number, each in enumerate(wanted):
        places[each.terminal, _alias(each.name), each.item].append(number)
    matches: dict[int, list[Fault]] = defaultdict(list)
    unmatched: list[Fault] = []
    for fault in faults:
        ends_at = fault.cleared_at if fault.cleared_at is not None else float("inf")
        about = [
            number
            for number in places[fault.subject, _alias(fault.rule), fault.item]
            if wanted[number].span[0] <= ends_at
            and fault.started_at <= wanted[number].span[1] + NEAR_S
        ]
        for number in about:
            matches[number].append(fault)
        if not about:
            unmatched.append(fault)
    return matches, unmatched


def _alias(name: str) -> str:
    return AWAY[0] if name in AWAY else name


def _where(each: Expected) -> str:
    return f"{each.terminal} {each.item} at {each.span[0]:.0f} ({each.cause})"


def _of(fault: Fault) -> str:
    return f"{fault.subject} {fault.item} at {fault.started_at:.0f}"


def _why_missed(world: World, each: Expected) -> str:
    if each.name not in {rule.name for rule in world.catalogue.rules}:
        return "no rule of the catalogue looks for it"
    return "the rule did not fire"


def _why_false(world: World, fault: Fault) -> str:
    rules = {rule.name: rule for rule in world.catalogue.rules}
    if isinstance(rules[fault.rule].trigger, Count):
        return "errors were counted that the truth calls no fault"
    return "nothing of the kind was wrong"


def _counted(kind: str, found: Sequence[tuple[str, str, str]]) -> list[Shortfall]:
    grouped: dict[tuple[str, str], list[str]] = defaultdict(list)
    for name, reason, example in found:
        grouped[name, reason].append(example)
    return [
        Shortfall(kind, name, reason, len(examples), examples[0])
        for (name, reason), examples in sorted(grouped.items())
    ]


def _cells(world: World, played: Played) -> tuple[int, int, list[Shortfall]]:
    """The outages of cells, how many tickets about them are wrong, and what is."""
    wanted = expected_cells(world, played.truth)
    tickets = [ticket for ticket in played.tickets if ticket.scope == "cell"]
    wrong: list[tuple[str, str, str]] = []
    about: dict[int, list[Raised]] = defaultdict(list)
    for ticket in tickets:
        places = [n for n, each in enumerate(wanted) if _is_about(ticket, each)]
        if not places:
            wrong.append((ticket.subject, "no such outage", f"at {ticket.created_at:.0f}"))
        for place in places:
            about[place].append(ticket)
    for number, each in enumerate(wanted):
        if each.sure and not about[number]:
            wrong.append((each.cell, "no ticket for the outage", f"at {each.span[0]:.0f}"))
        if len(about[number]) > 1:
            wrong.append((each.cell, "more than one ticket", f"at {each.span[0]:.0f}"))
        if about[number]:
            wrong += _members(world, each, about[number][0], played.tickets)
    return sum(each.sure for each in wanted), len(wrong), _counted("cell", wrong)


def _is_about(ticket: Raised, outage: ExpectedCell) -> bool:
    """Raised for it, or open from an earlier one and about it again."""
    begin, end = outage.span
    if ticket.subject != outage.cell:
        return False
    return any(since <= end + NEAR_S and until > begin for since, until in ticket.spans)


def _members(
    world: World, outage: ExpectedCell, ticket: Raised, tickets: Sequence[Raised]
) -> list[tuple[str, str, str]]:
    """Members that got a ticket of their own while the cell's spoke for them."""
    members = set(world.cells[outage.cell])
    return [
        (outage.cell, "a member's own ticket during the outage", each.subject)
        for each in tickets
        if each.subject in members
        and each.rule in AWAY
        and ticket.created_at < each.created_at < outage.span[1]
    ]


def _uptime_errors(world: World, played: Played) -> dict[str, float]:
    """By terminal, for how many seconds it was said to be up and was down, or the reverse."""
    truly: dict[str, list[Span]] = defaultdict(list)
    for line in played.truth:
        if isinstance(line, Stay) and line.state in UP:
            truly[line.terminal].append((line.begins_at, line.ends_at or world.end))
    errors: dict[str, float] = {}
    for terminal, intervals in played.intervals.items():
        errors[terminal] = round(_error_s(world, truly[terminal], intervals), 3)
    return errors


def _error_s(world: World, truly: list[Span], intervals: Sequence[Interval]) -> float:
    judged = _spans(world, intervals, lambda state: state is not ServiceState.UNKNOWN)
    said = _spans(world, intervals, lambda state: state in UP)
    true = merged(truly)
    # What nobody could know is not judged: the truth counts only where a state was said.
    outside = seconds(true) - shared_s(true, judged)
    return max(0.0, differing_s(true, said) - outside)


def _why_off(world: World, wanted: Sequence[Expected]) -> str:
    """What an error of uptime comes from, as far as the world tells."""
    hangs = sum(each.name == "silent" for each in wanted)
    breaks = sum(each.name == "offline" for each in wanted)
    if world.behaviour.half_open:
        return "a half open line is noticed by the broker's keep-alive, 90 s later"
    if hangs:
        return f"{hangs} hung terminals, noticed by their silence alone"
    return f"{breaks} broken lines, each noticed and mended within a moment, not at once"


def _spans(
    world: World, intervals: Sequence[Interval], wanted: Callable[[ServiceState], bool]
) -> list[Span]:
    spans = (
        (each.begins_at, min(each.ends_at or world.end, world.end))
        for each in intervals
        if wanted(each.state)
    )
    return merged(span for span in spans if span[0] < span[1])


def quantile(values: Sequence[float], share: float) -> float:
    """The value below which a share of them lies."""
    ordered = sorted(values)
    return ordered[int((len(ordered) - 1) * share)]
