"""Event time: whatever the order, the doubles and the delays, the faults are those of the model.

The model is slow and obvious: it knows all messages beforehand, in their order, and walks along the
terminal's time once for each rule.
"""

from collections.abc import Sequence
from copy import deepcopy
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

import msgspec
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition
from hypothesis.stateful import rule as rule_of

from fleet.rules.changes import Change, Cleared, Fired
from fleet.rules.engine import Engine
from fleet.rules.flapping import Flapping
from fleet.rules.rule import Count
from fleet.rules.terminal import Terminal
from fleet.telemetry import Event, Telemetry
from tests.unit.rules.test_engine import rule, when

T0 = datetime(2026, 11, 23, 8, 0, tzinfo=UTC)
LATENESS = timedelta(seconds=20)
LATEST_S = 19.5
"""The latest that comes before its lateness is over."""
LONG = timedelta(hours=2)
HOLD, CLEAR_HOLD = 25, 15
# Flapping is another matter: no two transitions are so close together.
STEADY = Flapping(within=timedelta(milliseconds=1))
JAM = replace(
    rule("jam", when("cardReader.media == 'jammed'"), hold=HOLD, clear_hold=CLEAR_HOLD),
    flapping=STEADY,
)
TWICE = Count("Common.ErrorEvent", 2, timedelta(seconds=60))
ERRORS = replace(rule("errors", TWICE, hold=0, clear_hold=CLEAR_HOLD), flapping=STEADY)

Interval = tuple[str, float, float, float | None]
"""A rule's fault: from when the condition held, when it fired, when it was over."""


@dataclass(frozen=True)
class Said:
    """One message: when it was written, what it says, and each time that a copy of it arrives."""

    seq: int
    at: float
    what: str | None
    arrives: tuple[float, ...]


WORDS = st.sampled_from(["jammed", "jammed", "notPresent", None, "event", "event"])


def model(said: Sequence[Said], end: float) -> set[Interval]:
    """What must come of them, in the order in which they were written."""
    came = [each for each in said if each.arrives]
    snapshots = [(each.at, each.what) for each in came if each.what != "event"]
    answers = [(at, None if what is None else what == "jammed") for at, what in snapshots]
    events = [each.at for each in came if each.what == "event"]
    full = [
        (second, sum(second - 60 < at <= second for at in events) >= 2)
        for second in sorted({*events, *(at + 60 for at in events)})
    ]
    return walk("jam", answers, HOLD, end) | walk("errors", full, 0, end)


def walk(
    name: str, answers: Sequence[tuple[float, bool | None]], hold: float, end: float
) -> set[Interval]:
    """A fault from the first `true` that lasts for `hold`, to the first `false` that lasts."""
    found: set[Interval] = set()
    since = fired = gone = None
    for at, answer in [*answers, (end, answers[-1][1] if answers else None)]:
        if fired is None and since is not None and at - since >= hold:
            fired = since + hold
        if fired is not None and gone is not None and at - gone >= CLEAR_HOLD:
            found.add((name, since or 0.0, fired, gone))
            since = fired = gone = None
        if fired is None:
            since = None if not answer else at if since is None else since
            if since is not None and hold == 0:
                fired = since
        else:
            gone = None if answer is not False else at if gone is None else gone
    if fired is not None and since is not None:
        found.add((name, since, fired, None))
    return found


class Line:
    """The engine at the end of a line that delays, doubles and loses."""

    def __init__(self, lateness: timedelta = LATENESS) -> None:
        self.engine = Engine([JAM, ERRORS], lateness=lateness)
        self.engine.watch(T0)
        self.engine.adopt(Terminal(1, "ATM-1", "atm", "C1"))
        self.changes: list[Change] = []

    def deliver(self, said: Said, at: float) -> None:
        terminal, arrived = self.engine.terminals[1], T0 + timedelta(seconds=at)
        ts = T0 + timedelta(seconds=said.at)
        if said.what == "event":
            self.engine.event(terminal, Event(ts, 1, said.seq, "Common.ErrorEvent"), arrived)
        else:
            status = {} if said.what is None else {"cardReader": {"media": said.what}}
            raw = msgspec.Raw(msgspec.json.encode(status))
            self.engine.telemetry(terminal, Telemetry(ts, 1, said.seq, raw), arrived)
        self.changes += self.engine.take().changes

    def tick(self, at: float) -> None:
        self.engine.tick(T0 + timedelta(seconds=at))
        self.changes += self.engine.take().changes

    def restart(self) -> None:
        """Another process takes over with what was written down."""
        (terminal,) = deepcopy(list(self.engine.terminals.values()))
        self.engine = Engine([JAM, ERRORS], lateness=LATENESS)
        self.engine.watch(T0)
        self.engine.adopt(terminal)

    def faults(self) -> set[Interval]:
        fired = {change.id: change for change in self.changes if isinstance(change, Fired)}
        over = {change.id: change for change in self.changes if isinstance(change, Cleared)}

        def seconds(at: datetime) -> float:
            return round((at - T0).total_seconds(), 6)

        return {
            (
                each.key.rule,
                seconds(each.started_at),
                seconds(each.fired_at),
                seconds(over[key].cleared_at) if key in over else None,
            )
            for key, each in fired.items()
        }


class Disorder(RuleBasedStateMachine):
    """A terminal writes and time passes; what it wrote comes in any order within the lateness, once
    or twice or never. One engine hears it all; another one does and is killed at any step."""

    def __init__(self) -> None:
        super().__init__()
        self.now = 0.0
        self.said: list[Said] = []
        self.on_its_way: list[Said] = []
        self.straight, self.killed = Line(), Line()

    @rule_of(what=WORDS, copies=st.sampled_from([0, 1, 1, 1, 2]))
    def write(self, what: str | None, copies: int) -> None:
        each = Said(len(self.said) + 1, self.now, what, (self.now,) * copies)
        self.said.append(each)
        self.on_its_way += [each] * copies

    @precondition(lambda self: self.on_its_way)
    @rule_of(place=st.integers(0, 20))
    def arrive(self, place: int) -> None:
        each = self.on_its_way.pop(place % len(self.on_its_way))
        for line in (self.straight, self.killed):
            line.deliver(each, self.now)

    @rule_of(seconds=st.sampled_from([0.5, 1.0, 5.0, 10.0, 15.0, 25.0, 60.0]), ticks=st.booleans())
    def wait(self, seconds: float, ticks: bool) -> None:
        until = self.now + seconds
        while late := [each for each in self.on_its_way if each.at + LATEST_S <= until]:
            self.now = max(self.now, late[0].at + LATEST_S)
            self.arrive(self.on_its_way.index(late[0]))
        self.now = until
        if ticks:
            for line in (self.straight, self.killed):
                line.tick(until)

    @rule_of()
    def kill(self) -> None:
        self.killed.restart()

    @invariant()
    def a_kill_changes_nothing(self) -> None:
        """Every change with its times, as soon as it comes without one."""
        assert told(self.killed.changes) == told(self.straight.changes)

    def teardown(self) -> None:
        """Two hours of quiet; then the faults are those of the order written."""
        self.wait(LATENESS.total_seconds(), ticks=True)
        for second in (1800.0, LONG.total_seconds()):
            self.wait(second, ticks=True)
        self.a_kill_changes_nothing()
        assert self.straight.faults() == model(self.said, self.now)
        decided_by_the_known(self.said, self.straight.changes)


def told(changes: Sequence[Change]) -> list[str]:
    return sorted(map(repr, changes))


def decided_by_the_known(said: Sequence[Said], changes: Sequence[Change]) -> None:
    """Whenever the jam fired or was over, what was said last had said so: unknown input did not."""
    last = [(each.at, each.what) for each in said if each.arrives and each.what != "event"]

    def before(at: datetime) -> str | None:
        second = (at - T0).total_seconds()
        return next(what for written, what in reversed(last) if written < second)

    jams = {each.id for each in changes if isinstance(each, Fired) and each.key.rule == "jam"}
    for change in changes:
        if isinstance(change, Fired) and change.id in jams:
            assert before(change.fired_at) == "jammed"
        elif isinstance(change, Cleared) and change.id in jams:
            assert before(change.at) == "notPresent"


TestDisorder = Disorder.TestCase
TestDisorder.settings = settings(max_examples=60, stateful_step_count=50)


@st.composite
def clocks(draw: st.DrawFn) -> list[tuple[float, float]]:
    """A message a half minute; at some of them the clock has been set by minutes or hours."""
    set_by = st.sampled_from([-7200.0, -600.0, -200.0, 200.0, 600.0, 7200.0])
    offset, found = draw(st.sampled_from([0.0, -7200.0])), []
    for n in range(draw(st.integers(4, 30))):
        if n and draw(st.integers(0, 5)) == 0:
            offset = min(0.0, offset + draw(set_by))
        found.append((30.0 * n, offset))
    return found


@settings(max_examples=100)
@given(clocks(), st.integers(0, 25), st.integers(1, 12))
def test_a_clock_that_is_set_neither_fires_nor_clears(
    clock: list[tuple[float, float]], first: int, length: int
) -> None:
    """A jam of any length under a clock that is set to and fro: it is a fault, or is over, as long
    after it began by our clock as without."""
    hold = HOLD * 10
    line = Line(timedelta())
    jam = rule("jam", when("cardReader.media == 'jammed'"), hold=hold, clear_hold=hold)
    line.engine = Engine([jam])
    line.engine.watch(T0)
    line.engine.adopt(Terminal(1, "ATM-1", "atm", "C1"))
    came: list[tuple[str, float]] = []
    for n, (at, offset) in enumerate(clock):
        for second in range(int(at) - 29, int(at) + 1):
            line.tick(second)
            came += [(type(change).__name__, second) for change in taken(line)]
        what = "jammed" if first <= n < first + length else "notPresent"
        line.deliver(Said(n + 1, at + offset, what, ()), at)
        came += [(type(change).__name__, at) for change in taken(line)]
    begun, over, last = 30.0 * first, 30.0 * (first + length), clock[-1][0]
    expected = []
    if begun + hold <= min(over, last):
        expected.append(("Fired", begun + hold))
        if over + hold <= last:
            expected.append(("Cleared", over + hold))
    assert [(what, round(at)) for what, at in came] == [(w, round(at)) for w, at in expected]


def taken(line: Line) -> list[Change]:
    found: list[Change] = [c for c in line.changes if isinstance(c, Fired | Cleared)]
    line.changes.clear()
    return found
