"""The engine under any story: a restart at any step changes nothing, unknown decides nothing."""

from copy import deepcopy
from datetime import UTC, datetime, timedelta
from unittest import mock

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from fleet.rules import catalogue
from fleet.rules.births import CROSSING
from fleet.rules.changes import Change, Cleared, Fired, Flapped, Suppressed, Transition
from fleet.rules.engine import Engine
from fleet.rules.hearing import CATCH_UP, RETURN
from fleet.rules.terminal import Terminal
from fleet.service_state import ServiceState
from fleet.telemetry import Event, Presence, Telemetry

RULES = catalogue.load().rules
T0 = datetime(2026, 11, 23, 8, 0, tzinfo=UTC)
TERMINALS = 5

Step = tuple[int, str, float]
"""Which terminal, what it does, and how long after the step before, seconds."""

STATUSES = {
    "healthy": {"cardReader": {"device": "online", "media": "notPresent"}},
    "jammed": {"cardReader": {"device": "online", "media": "jammed"}},
    "supervisor": {"auxiliaries": {"operatorSwitch": "supervisor"}},
    "nothing": {},
}
PRESENCES = ("dies", "returns", "remembered", "crosses")
"""`crosses`: the last will of a connection long before comes now."""
steps = st.lists(
    st.tuples(
        st.integers(0, TERMINALS - 1),
        st.sampled_from(
            [*STATUSES, *PRESENCES, "away", "looks away", "hot", "error", "error", "tick"]
        ),
        st.floats(0.0, 300.0),
    ),
    max_size=60,
)


class World:
    """An engine with its clock and counters, to be taken down and put up again."""

    def __init__(self) -> None:
        self.now = T0
        self.seq = 0
        self.watching = T0
        self.births: list[tuple[int, Presence]] = []
        self.engine = Engine(RULES)
        self.engine.watch(T0)
        for n in range(TERMINALS):
            self.engine.adopt(Terminal(n, f"ATM-{n}", "atm", "C001"))

    def restart(self) -> None:
        """What a new process does: the same terminals and holds, a new engine and new timers; how
        long it waits for whom, and whose connection has just begun, are told it."""
        returns = self.engine.returns
        cells = deepcopy([(c.code, c.holds, c.transitions) for c in self.engine.cells.values()])
        terminals = deepcopy(list(self.engine.terminals.values()))
        self.engine = Engine(RULES)
        self.engine.watch(self.watching)
        for again in returns:
            self.engine.returned(again.at, again.patience, alone=again.alone)
        for terminal in terminals:
            self.engine.adopt(terminal)
        for code, holds, transitions in cells:
            self.engine.adopt_cell(code, holds, transitions)
        for number, birth in self.births:
            if birth.ts >= self.now - CROSSING:
                self.engine.recall_birth(number, birth, birth.ts)
        self.engine.retire(self.now)

    def be_away(self, seconds: float, *, broker: bool) -> list[Change]:
        """Hear nothing for a while: the broker is away, or only we are."""
        self.engine.tick(self.now)
        self.engine.watch(None)
        self.now += timedelta(seconds=seconds)
        self.engine.returned(self.now, RETURN if broker else CATCH_UP)
        self.watching = self.now
        self.engine.watch(self.now)
        return self.engine.take().changes

    def step(self, step: Step) -> list[Change]:
        number, what, after = step
        if what in ("away", "looks away"):
            return self.be_away(after, broker=what == "away")
        self.now += timedelta(seconds=after)
        # As the collector does: what fell due before this message is ticked first or with it.
        self.engine.tick(self.now)
        terminal = self.engine.terminals[number]
        if what in PRESENCES:
            ts = self.now - 2 * CROSSING if what == "crosses" else self.now
            message = Presence(ts, 1, what in ("returns", "remembered"))
            self.engine.presence(terminal, message, self.now, retained=what == "remembered")
            if what == "returns":
                self.births.append((number, message))
        elif what == "error":
            self.seq += 1
            event = Event(self.now, 1, self.seq, "Common.ErrorEvent", component="cardReader")
            self.engine.event(terminal, event, self.now)
        elif what != "tick":
            self.seq += 1
            body = Telemetry(
                ts=self.now,
                boot=1,
                seq=self.seq,
                status=msgspec.Raw(msgspec.json.encode(STATUSES.get(what, {}))),
                metrics=msgspec.Raw(b'{"temperature_c": 80}' if what == "hot" else b"{}"),
            )
            self.engine.telemetry(terminal, body, self.now)
        return self.engine.take().changes


def run(story: list[Step], restart_before: int | None = None) -> list[Change]:
    world, changes = World(), list[Change]()
    for number, step in enumerate(story):
        if number == restart_before:
            world.restart()
        changes += world.step(step)
    return changes


@given(steps, st.integers(0, 60))
def test_a_restart_before_any_step_changes_nothing(story: list[Step], where: int) -> None:
    """The same changes with the same times; terminals that change together have no order."""
    restarted, straight = run(story, restart_before=where), run(story)
    assert sorted(map(repr, restarted)) == sorted(map(repr, straight))


hardly_heard = st.lists(
    st.tuples(
        st.just(0),
        st.sampled_from(["healthy", *PRESENCES, "dies", "remembered", "tick", "tick", "away"]),
        st.floats(1.0, 200.0),
    ),
    min_size=4,
    max_size=20,
)


@given(hardly_heard, st.integers(0, 20))
def test_a_restart_changes_nothing_of_who_is_hardly_heard(story: list[Step], where: int) -> None:
    """Wills, and what the broker remembers: who is silent is so since then, and seen to be then."""
    restarted, straight = run(story, restart_before=where), run(story)
    assert sorted(map(repr, restarted)) == sorted(map(repr, straight))


wild = st.lists(
    st.tuples(st.just(0), st.sampled_from(["healthy", "jammed", "nothing"]), st.floats(1.0, 60.0)),
    min_size=10,
    max_size=40,
)


@given(wild, st.integers(0, 41), st.booleans())
def test_a_restart_does_not_change_what_flaps(story: list[Step], where: int, dies: bool) -> None:
    """To and fro for a while, then an hour of quiet: flapping begins and ends as without it."""
    end: list[Step] = [(0, "dies" if dies else "healthy", 10.0), *[(0, "tick", 600.0)] * 6]
    restarted, straight = run(story + end, restart_before=where), run(story + end)
    assert sorted(map(repr, restarted)) == sorted(map(repr, straight))


@given(steps)
def test_the_short_way_comes_to_what_the_long_way_comes_to(story: list[Step]) -> None:
    """An unchanged heartbeat of a well terminal is not judged: judging it would change nothing."""
    short, long = World(), World()
    with mock.patch.object(Terminal, "goes_on", return_value=False):
        judged = [long.step(step) for step in story]
    assert [short.step(step) for step in story] == judged
    assert short.engine.terminals == long.engine.terminals


@given(steps)
def test_faults_and_states_are_well_formed(story: list[Step]) -> None:
    """A fault clears once and after it began; states alternate; times never go backwards."""
    open_faults: dict[object, datetime] = {}
    last: dict[int, tuple[ServiceState, datetime]] = {}
    for change in run(story):
        match change:
            case Fired():
                assert change.id not in open_faults
                assert change.fired_at - change.started_at == change.rule.hold
                open_faults[change.id] = change.started_at
            case Cleared():
                assert change.cleared_at >= open_faults.pop(change.id)
            case Suppressed() | Flapped():
                assert change.id in open_faults
            case Transition():
                before = last.get(change.terminal_id)
                assert before is None or before[0] is not change.state
                assert before is None or before[1] <= change.at
                last[change.terminal_id] = (change.state, change.at)


@given(st.lists(st.floats(0.0, 40.0), max_size=40))
def test_a_terminal_that_says_nothing_of_itself_has_no_fault(gaps: list[float]) -> None:
    """Empty snapshots: every condition is unknown, and unknown never fires."""
    story: list[Step] = [(0, "nothing", gap) for gap in gaps]
    assert not [change for change in run(story) if isinstance(change, Fired)]
