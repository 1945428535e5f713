"""Cells in event time: whatever the order in which terminals' messages come, the same faults.

Terminals of two cells write and start anew; what they wrote comes in any order within the
lateness, once or twice or never. The same story is told three times: in the order in which it was
written, out of it, and out of it with kills at any step. Each time the same is told, of cells and
of terminals. And the cells' faults are those of an engine without a lateness, to which everything
comes at once.
"""

from collections.abc import Sequence
from copy import copy, deepcopy
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

import msgspec
from hypothesis import given, settings
from hypothesis import strategies as st

from fleet.rules.changes import Change, Cleared, Fired, Suppressed, Transition
from fleet.rules.engine import Engine
from fleet.rules.flapping import Flapping
from fleet.rules.rule import Count, Quorum
from fleet.rules.steps import Step
from fleet.rules.terminal import Terminal
from fleet.telemetry import Event, Telemetry
from tests.unit.rules.test_engine import T0, rule, seconds, when

LATENESS = timedelta(seconds=4)
LATEST_S = 3.75
"""The latest that comes before its lateness is over."""
QUIET_S = 40.0
# Flapping is another matter: no two transitions are so close together.
STEADY = Flapping(within=timedelta(milliseconds=1))
PLACES = {1: "C1", 2: "C1", 3: "C1", 4: "C1", 5: "C2", 6: "C2"}
TWICE = Count("Common.ErrorEvent", 2, timedelta(seconds=9))

JAM = rule("jam", when("cardReader.media == 'jammed'"), hold=0, clear_hold=3)
HOT = rule("hot", when("metrics.temperature_c > 60.0"), hold=6, clear_hold=0)
ERRORS = rule("errors", TWICE, hold=2, clear_hold=2)
SLOW = replace(
    rule("slow", when("metrics.rtt_ms > 500.0"), hold=1, clear_hold=2), caused_by=("hot",)
)
MANY = rule("many", Quorum(("jam", "errors"), 2, 0.5), hold=5, clear_hold=6, scope="cell")
BURST = Quorum(("jam", "hot"), 2, 0.4, timedelta(seconds=3))
AT_ONCE = rule("at-once", BURST, hold=0, clear_hold=4, scope="cell")
WIDE = rule("wide", Quorum(("hot", "jam"), 4, 0.5, None, 0), hold=3, clear_hold=5, scope="cell")
RULES = tuple(
    replace(each, flapping=STEADY) for each in (JAM, HOT, ERRORS, SLOW, MANY, AT_ONCE, WIDE)
)


@dataclass(frozen=True)
class Said:
    """One message: who wrote it and when, what it says, and how long each copy is on its way; none
    where it is lost."""

    terminal: int
    boot: int
    seq: int
    at: float
    what: str
    delays: tuple[float, ...]


@dataclass(frozen=True)
class Done:
    """What we do with a terminal: maintenance, another cell, the end of it."""

    terminal: int
    at: float
    what: str


@st.composite
def stories(draw: st.DrawFn) -> list[Said]:
    """What terminals write, in its order."""
    words = st.sampled_from(["jammed", "jammed", "hot", "both", "well", "well", "event", "slow"])
    delays = st.lists(st.sampled_from([0.0, 0.25, 1.0, 2.0, 3.0, LATEST_S]), max_size=2)
    found = [Said(number, 1, 1, 0.0, "well", (0.0,)) for number in PLACES]
    counted = dict.fromkeys(PLACES, (1, 1))
    now = 10.0
    for _ in range(draw(st.integers(2, 26))):
        now += draw(st.sampled_from([0.0, 0.0, 0.25, 0.5, 1.0, 2.0, 4.0, 9.0]))
        terminal = draw(st.sampled_from(sorted(PLACES)))
        boot, seq = counted[terminal]
        again = draw(st.integers(0, 9)) == 0
        boot, seq = counted[terminal] = (boot + 1, 1) if again else (boot, seq + 1)
        found.append(Said(terminal, boot, seq, now, draw(words), tuple(draw(delays))))
    return found


class Line:
    """An engine, and what was written down of its steps."""

    def __init__(self, lateness: timedelta = LATENESS) -> None:
        self._lateness = lateness
        self.engine = self._new()
        for number, cell in PLACES.items():
            self.engine.adopt(Terminal(number, f"ATM-{number}", "atm", cell, above=("TOP",)))
        self.changes: list[Change] = []
        self.stored: dict[tuple[int, int], Step] = {}

    def _new(self) -> Engine:
        engine = Engine(RULES, lateness=self._lateness)
        engine.watch(T0)
        return engine

    def deliver(self, said: Said, at: float) -> None:
        terminal, now = self.engine.terminals.get(said.terminal), T0 + seconds(at)
        if terminal is None:  # it was removed, and talked on
            return
        ts = T0 + seconds(said.at)
        if said.what == "event":
            self.engine.event(terminal, Event(ts, said.boot, said.seq, "Common.ErrorEvent"), now)
        else:
            self.engine.telemetry(terminal, _snapshot(said, ts), now)

    def happen(self, done: Done) -> None:
        """Something that we decide."""
        terminal, now = self.engine.terminals.get(done.terminal), T0 + seconds(done.at)
        if terminal is None:
            return
        if done.what == "serve":
            self.engine.serve(terminal, now, in_service=not terminal.in_service)
        elif done.what == "move":
            cell = "C2" if terminal.cell == "C1" else "C1"
            self.engine.move(terminal, cell, now, ("TOP",))
        else:
            self.engine.remove(terminal, now)

    def tick(self, at: float) -> None:
        self.engine.tick(T0 + seconds(at))
        self.take()

    def take(self) -> None:
        """Write down what has come of it: the instant is over."""
        record = self.engine.take()
        self.changes += [each for each in record.changes if not isinstance(each, Transition)]
        for key, step in record.steps.items():
            self.stored.pop(key, None)
            if step is not None:
                self.stored[key] = replace(step, before=copy(step.before), after=None)

    def restart(self, at: float) -> None:
        """Another process takes over with what was written down."""
        self.take()
        terminals = deepcopy(list(self.engine.terminals.values()))
        cells = deepcopy([(c.code, c.holds, c.transitions) for c in self.engine.cells.values()])
        self.engine = self._new()
        for terminal in terminals:
            terminal.told = {}
            terminal.steps = {
                place: replace(step, before=copy(step.before))
                for (number, place), step in sorted(self.stored.items())
                if number == terminal.id
            }
            self.engine.adopt(terminal)
        for code, holds, transitions in cells:
            self.engine.adopt_cell(code, holds, transitions)
        self.engine.retire(T0 + seconds(at))
        self.take()

    def cell_faults(self) -> set[tuple[str, str, datetime, datetime, datetime | None]]:
        over = {each.id: each.cleared_at for each in self.changes if isinstance(each, Cleared)}
        return {
            (c.key.subject, c.key.rule, c.started_at, c.fired_at, over.get(c.id))
            for c in self.changes
            if isinstance(c, Fired) and c.key.scope == "cell"
        }


def _snapshot(said: Said, ts: datetime) -> Telemetry:
    jammed = said.what in ("jammed", "both")
    status = {"cardReader": {"media": "jammed" if jammed else "notPresent"}}
    metrics = {
        "temperature_c": 70.0 if said.what in ("hot", "both") else 20.0,
        "rtt_ms": 900.0 if said.what == "slow" else 40.0,
    }
    raw = msgspec.json.encode
    return Telemetry(
        ts, said.boot, said.seq, msgspec.Raw(raw(status)), metrics=msgspec.Raw(raw(metrics))
    )


def told(
    story: Sequence[Said],
    *,
    late: bool,
    kills: Sequence[int] = (),
    lateness: timedelta = LATENESS,
    done: Sequence[Done] = (),
) -> Line:
    """Tell a story: each message as it was written, or `late` by as much as it was on its way."""
    coming = sorted(
        (said.at + delay, n, said)
        for n, said in enumerate(story)
        for delay in (said.delays if late else said.delays and (0.0,))
    )
    line, now, step = Line(lateness), 0.0, 0
    end = max(said.at for said in story) + QUIET_S
    doing = sorted(done, key=lambda each: each.at)
    while now < end:
        while doing and doing[0].at <= now:
            line.happen(doing.pop(0))
        while coming and coming[0][0] <= now:
            at, _, said = coming.pop(0)
            line.deliver(said, at)
            step += 1
            if step in kills:
                line.restart(now)
        line.tick(now)
        step += 1
        if step in kills:
            line.restart(now)
        now += 0.25
    line.tick(end + QUIET_S)
    return line


def with_clocks(story: Sequence[Said], behind: Sequence[float]) -> list[Said]:
    """The same by clocks that are behind: it is on its way for as much longer."""
    return [
        replace(each, at=each.at - by, delays=tuple(delay + by for delay in each.delays))
        for each in story
        for by in (behind[each.terminal - 1],)
    ]


def sorted_changes(line: Line) -> list[str]:
    return sorted(map(repr, line.changes))


@settings(max_examples=60)
@given(stories(), st.lists(st.integers(1, 200), max_size=6))
def test_neither_order_nor_doubles_nor_kills_change_what_is_told(
    story: list[Said], kills: list[int]
) -> None:
    """Identity, dates and speaker of every fault, of terminals and of cells."""
    straight = told(story, late=False)
    disordered = told(story, late=True)
    killed = told(story, late=True, kills=kills)
    assert sorted_changes(disordered) == sorted_changes(straight)
    assert sorted_changes(killed) == sorted_changes(disordered)
    if len({said.at for said in story[len(PLACES) :]}) == len(story) - len(PLACES):
        at_once = told(story, late=False, lateness=timedelta())
        assert straight.cell_faults() == at_once.cell_faults()
    for line in (straight, disordered, killed):
        cells_come_first(line)


@settings(max_examples=60)
@given(
    stories(),
    st.lists(st.integers(1, 200), min_size=1, max_size=8),
    st.lists(st.sampled_from([0.0, 0.0, 2.0, 30.0]), min_size=6, max_size=6),
    st.lists(
        st.builds(
            Done,
            st.sampled_from(sorted(PLACES)),
            st.integers(40, 200).map(lambda quarters: quarters / 4),
            st.sampled_from(["serve", "serve", "move", "remove"]),
        ),
        max_size=6,
    ),
)
def test_a_kill_changes_nothing_whatever_else_happens(
    story: list[Said], kills: list[int], behind: list[float], done: list[Done]
) -> None:
    """Clocks behind by more than the lateness, maintenance, moves and removals."""
    story = with_clocks(story, behind)
    disordered = told(story, late=True, done=done)
    killed = told(story, late=True, kills=kills, done=done)
    assert sorted_changes(killed) == sorted_changes(disordered)
    assert not killed.stored
    for each in killed.engine.terminals.values():
        assert not each.steps
        assert told_is_so(each)


def told_is_so(terminal: Terminal) -> bool:
    """Whether in the end everything was told: cells know what is so."""
    late = {each.name for each in RULES}
    now = {key: (hold.phase, hold.fault_id) for key, hold in terminal.holds.items()}
    known = {key: (hold.phase, hold.fault_id) for key, hold in terminal.told.items()}
    return known == {key: now[key] for key in now if key[0] in late}


def cells_come_first(line: Line) -> None:
    """Who is spoken for is told after who speaks; and nobody who goes bad in a cell whose outage
    is undecided or open is told as one who speaks for itself."""
    place = {c.id: n for n, c in enumerate(line.changes) if isinstance(c, Fired)}
    over = {c.id: c.at for c in line.changes if isinstance(c, Cleared)}
    fired = [each for each in line.changes if isinstance(each, Fired)]
    for each in line.changes:
        by = each.suppressed_by if isinstance(each, Fired) else None
        by = each.by if isinstance(each, Suppressed) else by
        assert by is None or place[by] < line.changes.index(each)
    for outage in (each for each in fired if each.key.scope == "cell"):
        quorum = outage.rule.trigger
        assert isinstance(quorum, Quorum)
        for each in fired:
            inside = each.key.scope == "terminal" and outage.cell in (each.cell, "TOP")
            if inside and each.key.rule in quorum.members:
                until = over.get(outage.id)
                within = outage.started_at <= each.fired_at
                if within and (until is None or each.fired_at < until):
                    assert each.suppressed_by is not None
