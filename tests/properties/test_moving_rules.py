"""Stages, rates, silent components, service hours: any order within the lateness, doubles and any
restart give what the messages give in their order; and a rate is what a slow model says."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

import msgspec
from hypothesis import given, settings
from hypothesis import strategies as st

from fleet.rules.changes import Change, Cleared, Fired, Rated
from fleet.rules.engine import Engine
from fleet.rules.flapping import Flapping
from fleet.rules.rule import During, Lasting, Rate, Rule, Stage, Unsaid
from fleet.rules.severity import Severity
from fleet.rules.terminal import Terminal
from fleet.sla.calendar import FOREVER, Span
from fleet.telemetry import Telemetry
from fleet.windows.hours import Hours, Use
from fleet.windows.schedule import Schedule
from tests.unit.rules.test_engine import rule, seconds, when

T0 = datetime(2026, 11, 23, 8, 0, tzinfo=UTC)
LATENESS = timedelta(seconds=20)
END = 7200.0
WITHIN, BY = 90, 5.0
STEADY = Flapping(within=timedelta(milliseconds=1))
OPEN = Hours(
    ((Use(Span(T0, FOREVER), Schedule("UTC", {1: ((481, 482), (484, 486), (490, 600))})),),)
)
"""From the first minute to the second, and so on: edges lie where messages do."""


def steady(found: Rule) -> Rule:
    return replace(found, flapping=STEADY)


RISE = Rate("metrics.temperature_c", BY, rises=True, within=seconds(WITHIN))
HOT = when("metrics.temperature_c > 29.0", "metrics.temperature_c < 25.0")
RULES = tuple(
    steady(each)
    for each in (
        replace(
            rule("jam", when("cardReader.media == 'jammed'"), hold=10, clear_hold=15),
            severity=Severity.WARNING,
            stages=(
                Stage(Severity.MINOR, Lasting(), seconds(40)),
                Stage(Severity.CRITICAL, HOT, seconds(12), seconds(8)),
            ),
        ),
        rule("rise", RISE, hold=0, clear_hold=0),
        rule("reader", Unsaid("cardReader"), hold=30, clear_hold=5),
        replace(
            rule("served", when("cardReader.media == 'jammed'"), hold=20, clear_hold=5),
            schedule=During.SERVICE,
        ),
    )
)


@dataclass(frozen=True)
class Said:
    """One snapshot: when it was written, the card reader's media (None: it has no reader), the
    temperature (None: not said), and each time that a copy of it arrives."""

    seq: int
    at: float
    media: str | None
    degrees: float | None
    arrives: tuple[float, ...]


DELAYS = st.one_of(st.just(0.0), st.floats(0, LATENESS.total_seconds()).map(lambda d: round(d, 3)))


@st.composite
def snapshots(draw: st.DrawFn) -> list[Said]:
    """Up to forty, seconds apart; each may be lost, doubled, and late within what is allowed."""
    found, at = [], 0.0
    for seq in range(1, draw(st.integers(1, 40)) + 1):
        at += draw(st.sampled_from([2.0, 5.0, 10.0, 30.0, 100.0]))
        copies = draw(st.lists(DELAYS, min_size=0 if seq > 1 else 1, max_size=2))
        media = draw(st.sampled_from(["jammed", "jammed", "notPresent", None]))
        degrees = draw(st.sampled_from([20.0, 22.0, 24.0, 26.0, 28.0, 30.0, None]))
        found.append(Said(seq, at, media, degrees, tuple(at + delay for delay in copies)))
    return found


class Line:
    """The engine at the end of a line; another process may take over at any time."""

    def __init__(self) -> None:
        self.terminal = Terminal(1, "ATM-1", "atm", "C1", hours=OPEN)
        self.changes: list[Change] = []
        self.restart()

    def restart(self) -> None:
        self.engine = Engine(RULES, lateness=LATENESS)
        self.engine.adopt(self.terminal)

    def tick(self, at: float) -> None:
        self.engine.tick(T0 + timedelta(seconds=at))
        self.changes += self.engine.take().changes

    def deliver(self, said: Said, at: float) -> None:
        status = {} if said.media is None else {"cardReader": {"media": said.media}}
        metrics = {} if said.degrees is None else {"temperature_c": said.degrees}
        message = Telemetry(
            T0 + timedelta(seconds=said.at),
            1,
            said.seq,
            msgspec.Raw(msgspec.json.encode(status)),
            metrics=msgspec.Raw(msgspec.json.encode(metrics)),
        )
        self.engine.telemetry(self.terminal, message, T0 + timedelta(seconds=at))
        self.changes += self.engine.take().changes


def told(changes: Sequence[Change]) -> list[tuple[object, ...]]:
    """What is decided, with its times: faults, their severities, their ends."""
    found: list[tuple[object, ...]] = []
    for change in changes:
        match change:
            case Fired():
                times = change.started_at, change.fired_at
                found.append(("fired", change.id, change.rule.name, *times, change.severity))
            case Rated():
                found.append(("rated", change.id, change.severity, change.at))
            case Cleared():
                found.append(("cleared", change.id, change.cleared_at, change.at))
    return sorted(found, key=repr)


def play(
    said: Sequence[Said], ticks: Sequence[float] = (), restarts: frozenset[int] = frozenset()
) -> list[tuple[object, ...]]:
    line = Line()
    arrivals = [(at, each.seq, each) for each in said for at in each.arrives]
    passing = [(at, 0, None) for at in ticks]
    for step, (at, _, each) in enumerate(sorted([*arrivals, *passing], key=lambda it: it[:2])):
        if step in restarts:
            line.restart()
        line.tick(at)
        if each is not None:
            line.deliver(each, at)
    last = max(at for at, _, _ in arrivals)
    for second in range(int(last) + 1, int(END), 300):
        line.tick(second)
    line.tick(END)
    return told(line.changes)


def prompt(said: Sequence[Said]) -> list[Said]:
    """The same, each that comes at all once and at once."""
    return [replace(each, arrives=(each.at,)) for each in said if each.arrives]


TICKS = st.lists(st.floats(0, 900).map(lambda at: round(at, 3)), max_size=30)


@settings(max_examples=100)
@given(snapshots(), TICKS, st.frozensets(st.integers(0, 90), max_size=5))
def test_order_doubles_and_restarts_change_nothing(
    said: list[Said], ticks: list[float], restarts: frozenset[int]
) -> None:
    """Late, doubled and out of order, other processes taking over, time passing at any instant."""
    assert play(said, ticks, restarts) == play(prompt(said))


@settings(max_examples=100)
@given(snapshots())
def test_a_rate_is_what_a_slow_model_says(said: list[Said]) -> None:
    """The model looks at every instant at which anything may change, at all values of the while."""
    fired = [one for one in play(said) if one[0] == "fired" and one[2] == "rise"]
    over = {one[1]: one[2] for one in play(said) if one[0] == "cleared"}
    found = {(one[3], over.get(one[1])) for one in fired}
    assert found == {(at(begin), None if end is None else at(end)) for begin, end in rises(said)}


def at(second: float) -> datetime:
    return T0 + timedelta(seconds=second)


def rises(said: Sequence[Said]) -> list[tuple[float, float | None]]:
    """From when to when the present value was more than `BY` above one of the last `WITHIN`."""
    came = [each for each in said if each.arrives]
    instants = sorted({each.at for each in came} | {each.at + WITHIN for each in came})
    found: list[tuple[float, float | None]] = []
    begin: float | None = None
    for second in instants:
        heard = [each for each in came if each.at <= second]
        now = heard[-1].degrees
        if now is None:  # unknown: neither begins nor ends
            continue
        past = [each.degrees for each in heard if second - WITHIN < each.at]
        steep = any(value is not None and now - value > BY for value in past)
        if steep and begin is None:
            begin = second
        elif not steep and begin is not None:
            found.append((begin, second))
            begin = None
    return found if begin is None else [*found, (begin, None)]
