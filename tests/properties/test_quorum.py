"""Quorums under any story: the model's outages, whatever the order, and decided before members.

The model is slow and obvious: it notes at the end of each instant how many are away and how many
serve, and walks along those notes. Three engines hear every story: one as it is told, one with what
happens together the other way round, one that is killed at any step.
"""

import math
from collections.abc import Iterator
from copy import deepcopy
from dataclasses import replace
from datetime import timedelta

import msgspec
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant
from hypothesis.stateful import rule as rule_of

from fleet.rules.changes import Change, Cleared, Fired, Suppressed
from fleet.rules.engine import Engine
from fleet.rules.flapping import Flapping
from fleet.rules.rule import Quorum
from fleet.rules.terminal import Terminal
from fleet.telemetry import Presence, Telemetry
from tests.unit.rules.test_engine import OFFLINE, T0, rule, seconds, when

MEMBERS = 8
AT_LEAST, SHARE = 3, 0.4
HOLD, CLEAR_HOLD = 5, 60
# Flapping is another matter: no two transitions are so close together.
STEADY = Flapping(within=timedelta(milliseconds=1))
BAD = Quorum(("offline", "jam"), AT_LEAST, SHARE)
OUTAGE = replace(
    rule("outage", BAD, hold=HOLD, clear_hold=CLEAR_HOLD, scope="cell"), flapping=STEADY
)
JAM = replace(
    rule("jam", when("cardReader.media == 'jammed'"), hold=3, clear_hold=10), flapping=STEADY
)
RULES = (replace(OFFLINE, flapping=STEADY), JAM, OUTAGE)
LATENESS = timedelta(seconds=2)
QUIET = 600.0

Happening = tuple[int, str]
"""Which terminal, and what becomes of it."""


class Region:
    """An engine with eight members of a cell; what it said, and when it was said."""

    def __init__(self) -> None:
        self.engine = self._new()
        for n in range(MEMBERS):
            self.engine.adopt(Terminal(n, f"ATM-{n}", "atm", "C1"))
        self.said: list[tuple[float, Change]] = []

    def _new(self) -> Engine:
        engine = Engine(RULES, lateness=LATENESS)
        engine.watch(T0)
        return engine

    def restart(self) -> None:
        """Another process takes over with what was written down."""
        terminals = deepcopy(list(self.engine.terminals.values()))
        cells = deepcopy([(c.code, c.holds, c.transitions) for c in self.engine.cells.values()])
        self.engine = self._new()
        for terminal in terminals:
            self.engine.adopt(terminal)
        for code, holds, transitions in cells:
            self.engine.adopt_cell(code, holds, transitions)

    def happen(self, together: list[Happening], at: float) -> None:
        now = T0 + seconds(at)
        for number, what in together:
            terminal = self.engine.terminals[number]
            if what in ("goes", "returns"):
                presence = Presence(T0, 1, what == "returns")
                self.engine.presence(terminal, presence, now, retained=False)
            elif what in ("leaves", "serves"):
                self.engine.serve(terminal, now, in_service=what == "serves")
            else:
                raw = msgspec.Raw(msgspec.json.encode({"cardReader": {"media": what}}))
                message = Telemetry(now, 1, terminal.seq + 1, raw)
                self.engine.telemetry(terminal, message, now)
        self._note(at)

    def tick(self, at: float) -> None:
        self.engine.tick(T0 + seconds(at))
        self._note(at)

    def _note(self, at: float) -> None:
        self.said += [(at, change) for change in self.engine.take().changes]

    def outages(self) -> list[tuple[float, float, float | None]]:
        over = {c.id: c for _, c in self.said if isinstance(c, Cleared)}
        return [
            (
                (c.started_at - T0).total_seconds(),
                (c.fired_at - T0).total_seconds(),
                (over[c.id].cleared_at - T0).total_seconds() if c.id in over else None,
            )
            for _, c in self.said
            if isinstance(c, Fired) and c.key.scope == "cell"
        ]

    def tickets(self) -> dict[str, int]:
        """How often each subject had a fault that spoke for itself."""
        alone = [c.id for _, c in self.said if isinstance(c, Suppressed) and c.by is None]
        subjects = [
            c.key.subject
            for _, c in self.said
            if isinstance(c, Fired) and (c.suppressed_by is None or c.id in alone)
        ]
        return {subject: subjects.count(subject) for subject in subjects}


class Model:
    """Who is away, jammed and in maintenance; whether enough are bad after each instant."""

    def __init__(self) -> None:
        self.away: set[int] = set()
        self.jammed: set[int] = set()
        self.resting: set[int] = set()
        self.notes: list[tuple[float, bool]] = [(0.0, False)]

    def happen(self, together: list[Happening], at: float) -> None:
        sets = {"goes": (self.away, True), "returns": (self.away, False),
                "jammed": (self.jammed, True), "notPresent": (self.jammed, False),
                "leaves": (self.resting, True), "serves": (self.resting, False)}  # fmt: skip
        for number, what in together:
            chosen, there = sets[what]
            (chosen.add if there else chosen.discard)(number)
            if what in ("jammed", "notPresent"):  # who says something is there
                self.away.discard(number)
        bad = len((self.away | self.jammed) - self.resting)
        serving = MEMBERS - len(self.resting)
        self.notes.append((at, bad >= max(AT_LEAST, math.ceil(SHARE * serving - 1e-9))))

    def outages(self, end: float) -> Iterator[tuple[float, float, float | None]]:
        """Enough for five seconds, until there were too few for a minute."""
        since = gone = None
        fired = False
        for at, enough in [*self.notes, (end, self.notes[-1][1])]:
            if since is not None and gone is None and at - since >= HOLD:
                fired = True
            if since is not None and gone is not None and at - gone >= CLEAR_HOLD:
                yield since, since + HOLD, gone
                since, gone, fired = None, None, False
            if enough:
                since, gone = (at if since is None else since), None
            elif fired:
                gone = at if gone is None else gone
            else:
                since = None
        if fired and since is not None:
            yield since, since + HOLD, None

    def undecided(self) -> Iterator[tuple[float, float]]:
        """From when to when enough had gone, and it was not known yet for how long."""
        since = None
        for at, enough in self.notes:
            if since is not None and not enough:
                yield since, min(at, since + HOLD)
            since = None if not enough else at if since is None else since
        if since is not None:
            yield since, since + HOLD


WORDS = ("goes", "goes", "returns", "jammed", "notPresent", "leaves", "serves")
HAPPENINGS = st.lists(
    st.tuples(st.integers(0, MEMBERS - 1), st.sampled_from(WORDS)),
    min_size=1,
    max_size=6,
    unique_by=lambda each: each[0],
)


class Cell(RuleBasedStateMachine):
    """Terminals of a cell go, come back, jam and rest, several in one instant."""

    def __init__(self) -> None:
        super().__init__()
        self.now = 0.0
        self.model = Model()
        self.told, self.turned, self.killed = Region(), Region(), Region()

    @rule_of(together=HAPPENINGS)
    def happen(self, together: list[Happening]) -> None:
        """Time has passed since what happened before, if only a little."""
        self.now += 0.25
        self.model.happen(together, self.now)
        self.told.happen(together, self.now)
        self.turned.happen(together[::-1], self.now)
        self.killed.happen(together, self.now)

    @rule_of(steps=st.integers(1, 40), second=st.sampled_from([0.25, 1.0, 3.0]))
    def wait(self, steps: int, second: float) -> None:
        for _ in range(steps):
            self.now += second
            self._tick()

    @rule_of(passed=st.sampled_from([1.0, 4.0, 5.0, 20.0, 90.0]))
    def nobody_looks(self, passed: float) -> None:
        """Time passes, and no step notices it."""
        self.now += passed

    @rule_of()
    def kill(self) -> None:
        self.killed.restart()

    def _tick(self) -> None:
        for each in (self.told, self.turned, self.killed):
            each.tick(self.now)

    @invariant()
    def neither_order_nor_a_kill_changes_anything(self) -> None:
        told = sorted(map(repr, self.told.said))
        assert sorted(map(repr, self.turned.said)) == told
        assert sorted(map(repr, self.killed.said)) == told
        assert self.killed.tickets() == self.told.tickets()

    def teardown(self) -> None:
        self.wait(1, 1.0)
        self.wait(1, QUIET)
        self.neither_order_nor_a_kill_changes_anything()
        outages = self.told.outages()
        assert outages == list(self.model.outages(self.now))
        self.no_member_came_before_its_cell(outages)
        self.whoever_is_bad_has_one_speaker()

    def no_member_came_before_its_cell(
        self, outages: list[tuple[float, float, float | None]]
    ) -> None:
        """While an outage is undecided or open, no member's fault fires that speaks for itself."""
        alone = [
            at
            for at, change in self.told.said
            if isinstance(change, Fired)
            and change.key.scope == "terminal"
            and change.suppressed_by is None
        ]
        open_ones = [
            (since, math.inf if cleared is None else cleared + CLEAR_HOLD)
            for since, _, cleared in outages
        ]
        for since, until in (*self.model.undecided(), *open_ones):
            assert not [at for at in alone if since < at < until]

    def whoever_is_bad_has_one_speaker(self) -> None:
        """At the end: the cell's fault, if there is one, else each its own."""
        open_outage = any(cleared is None for *_, cleared in self.told.outages())
        for terminal in self.told.engine.terminals.values():
            for hold in terminal.holds.values():
                assert (hold.suppressed_by is not None) is open_outage


TestCell = Cell.TestCase
TestCell.settings = settings(max_examples=40, stateful_step_count=40)
