"""What is told in the order of what happened: which faults, when, and what becomes of it when
members or rules change."""

from copy import copy
from dataclasses import replace
from datetime import timedelta

import msgspec
import pytest

from fleet.rules import catalogue
from fleet.rules.changes import Change, Cleared, Fired, Suppressed, Transition
from fleet.rules.company import in_company
from fleet.rules.engine import Engine
from fleet.rules.plan import cell_rules
from fleet.rules.rule import Lasting, Quorum, Rule, Silent, Stage
from fleet.rules.severity import Severity
from fleet.rules.steps import Step
from fleet.rules.terminal import Terminal
from fleet.telemetry import Telemetry
from tests.unit.rules.test_engine import OFFLINE, T0, rule, seconds, when

LATENESS = timedelta(seconds=5)
JAM = rule("jam", when("cardReader.media == 'jammed'"), hold=0, clear_hold=0)
HOT = rule("hot", when("metrics.temperature_c > 60.0"))
SILENT = rule("silent", Silent(seconds(60)))
JAMS = rule("jams", Quorum(("jam",), 2, 0.0), hold=5, clear_hold=5, scope="cell")


def quorum(name: str, *members: str, level: int | None = None) -> Rule:
    return rule(name, Quorum(members, 2, 0.0, None, level), scope="cell")


CASES = [
    pytest.param((JAM, HOT), set(), id="nobody counts what is said"),
    pytest.param(
        (OFFLINE, SILENT, quorum("gone", "offline", "silent"), JAM), set(), id="what we notice"
    ),
    pytest.param((JAM, HOT, JAMS), {"jam", "jams"}, id="what is counted, and no more"),
    pytest.param(
        (JAM, OFFLINE, quorum("bad", "jam", "offline"), quorum("gone", "offline", level=0)),
        {"jam", "offline", "bad", "gone"},
        id="quorums that count the same are told together",
    ),
    pytest.param(
        (JAM, replace(HOT, caused_by=("jam",)), JAMS),
        {"jam", "hot", "jams"},
        id="and so are consequences",
    ),
    pytest.param(
        (replace(JAM, caused_by=("hot",)), HOT, JAMS), {"jam", "hot", "jams"}, id="and causes"
    ),
]


@pytest.mark.parametrize(("rules", "expected"), CASES)
def test_who_is_told_in_order(rules: tuple[Rule, ...], expected: set[str]) -> None:
    assert in_company({each.name: each for each in rules}, cell_rules(rules)) == expected


def test_of_the_default_catalogue_nothing_waits() -> None:
    """Its cells count what we notice ourselves, so that nobody is called later than need be."""
    rules = catalogue.load().rules
    assert in_company({each.name: each for each in rules}, cell_rules(rules)) == frozenset()


class Cell:
    """Three terminals of one, and what is told of them."""

    def __init__(self, *rules: Rule) -> None:
        self.rules = rules
        self.rows: dict[tuple[int, int], Step] = {}
        self.engine = Engine(rules, lateness=LATENESS)
        self.engine.watch(T0)
        self.terminals = [Terminal(n, f"ATM-{n}", "atm", "C1") for n in (1, 2, 3)]
        for each in self.terminals:
            self.engine.adopt(each)

    def says(
        self, number: int, at: float, media: str, *, arrives: float | None = None, **metrics: float
    ) -> list[Change]:
        terminal, said = self.terminals[number - 1], T0 + seconds(at)
        raw = msgspec.Raw(msgspec.json.encode({"cardReader": {"media": media}}))
        measured = msgspec.Raw(msgspec.json.encode(metrics))
        message = Telemetry(said, 1, terminal.seq + 1, raw, metrics=measured)
        self.engine.telemetry(terminal, message, T0 + seconds(at if arrives is None else arrives))
        return self._written()

    def serve(self, number: int, at: float, *, in_service: bool) -> None:
        self.engine.serve(self.terminals[number - 1], T0 + seconds(at), in_service=in_service)

    def tick(self, at: float) -> list[Change]:
        self.engine.tick(T0 + seconds(at))
        return self._written()

    def restart(self, at: float) -> list[Change]:
        """Another process goes on, with the steps as they were written; what it tells at once."""
        changes = self._written()
        cells = list(self.engine.cells.values())
        self.engine = Engine(self.rules, lateness=LATENESS)
        self.engine.watch(T0)
        for each in self.terminals:
            mine = [(p, row) for (number, p), row in sorted(self.rows.items()) if number == each.id]
            each.steps = {place: replace(row, before=copy(row.before)) for place, row in mine}
            self.engine.adopt(each)
        for cell in cells:
            self.engine.adopt_cell(cell.code, cell.holds, cell.transitions)
        self.engine.retire(T0 + seconds(at))
        return changes + self._written()

    def _written(self) -> list[Change]:
        record = self.engine.take()
        for key, step in record.steps.items():
            self.rows.pop(key, None)
            if step is not None:
                self.rows[key] = replace(step, before=copy(step.before), after=None)
        return record.changes


def fired(changes: list[Change]) -> list[tuple[str, float, bool]]:
    """Whose faults were told, when they fired, and whether they speak for themselves."""
    return [
        (c.key.subject, (c.fired_at - T0).total_seconds(), c.suppressed_by is None)
        for c in changes
        if isinstance(c, Fired)
    ]


def test_the_state_is_there_at_once_and_the_fault_when_nothing_earlier_can_come() -> None:
    """Jammed at the tenth second: out of service from then; a fault of it, ten seconds later."""
    cell = Cell(JAM, JAMS)
    cell.says(1, 0, "notPresent")
    (transition,) = cell.says(1, 10, "jammed")
    assert isinstance(transition, Transition)
    assert transition.at == T0 + seconds(10)
    assert cell.tick(19.75) == []
    assert fired(cell.tick(20)) == [("ATM-1", 10, True)]


def test_who_was_bad_for_a_moment_is_told_after_its_cell() -> None:
    """One of three has jammed and is free again before the cell is decided: it is a fault with its
    own dates, and the cell's speaks for it."""
    cell = Cell(JAM, JAMS)
    cell.says(1, 10, "jammed")
    cell.says(2, 11, "jammed")
    cell.says(3, 12, "jammed")
    cell.says(2, 13, "notPresent")
    told = cell.tick(40)
    assert fired(told) == [
        ("ATM-1", 10, True),
        ("C1", 16, True),
        ("ATM-2", 11, False),
        ("ATM-3", 12, False),
    ]
    over = [c.cleared_at for c in told if isinstance(c, Cleared)]
    assert over == [T0 + seconds(13)]


def test_who_moves_takes_along_what_waits_of_it() -> None:
    """Two have jammed; one of them is given to another cell before that is counted: no outage."""
    cell = Cell(JAM, JAMS)
    cell.says(1, 10, "jammed")
    cell.says(2, 11, "jammed")
    cell.engine.move(cell.terminals[1], "C2", T0 + seconds(12))
    assert fired(cell.engine.take().changes) == [("ATM-2", 11, True)]
    assert fired(cell.tick(60)) == [("ATM-1", 10, True)]
    assert not cell.terminals[1].steps


def test_who_is_removed_is_told_to_its_end() -> None:
    cell = Cell(JAM, JAMS)
    cell.says(1, 10, "jammed")
    cell.engine.remove(cell.terminals[0], T0 + seconds(12))
    record = cell.engine.take()
    assert fired(record.changes) == [("ATM-1", 10, True)]
    assert [c.cleared_at for c in record.changes if isinstance(c, Cleared)] == [T0 + seconds(12)]
    assert set(record.steps.values()) == {None}
    assert cell.tick(60) == []


@pytest.mark.parametrize("rules", [(JAM,), (JAM, rule("jams", JAMS.trigger, scope="cell"))])
def test_another_catalogue_goes_on_with_what_waits(rules: tuple[Rule, ...]) -> None:
    """A jam waits to be told when the catalogue changes: with the quorum gone it is told at once;
    where only the quorum's hold is another, in its turn."""
    cell = Cell(JAM, JAMS)
    cell.says(1, 10, "jammed")
    other = Engine(rules, lateness=LATENESS)
    for each in cell.terminals:
        other.adopt(copy(each))
    other.retire(T0 + seconds(12), frozenset({"jams"}))
    at_once = fired(other.take().changes)
    other.tick(T0 + seconds(30))
    later = fired(other.take().changes)
    assert at_once + later == [("ATM-1", 10, True)]
    assert bool(at_once) is (len(rules) == 1)


def test_a_rule_that_is_gone_leaves_nothing_of_what_it_had_not_said() -> None:
    """The rule of a fault that waits is in the new catalogue no more: neither the fault nor its end
    is told, for nobody knows of it."""
    cell = Cell(JAM, JAMS)
    cell.says(1, 10, "jammed")
    other = Engine((HOT,), lateness=LATENESS)
    for each in cell.terminals:
        other.adopt(each)
    other.retire(T0 + seconds(12))
    record = other.take()
    assert [c for c in record.changes if not isinstance(c, Transition)] == []
    assert set(record.steps.values()) == {None}


def test_one_reminder_is_set_for_all_that_wait_of_a_terminal() -> None:
    """A journal with gaps: each of thousands would be looked through for each of them."""
    cell = Cell(JAM)
    cell.says(1, 0, "notPresent")
    terminal, raw = cell.terminals[0], msgspec.Raw(b'{"cardReader":{"media":"jammed"}}')
    for number in range(500):
        now = T0 + seconds(1 + number / 1000)
        cell.engine.telemetry(terminal, Telemetry(now, 1, 3 + 2 * number, raw), now)
    assert len(terminal.kept) == 500
    assert len(cell.engine._faults.timers) == 1
    cell.tick(1.25 + LATENESS.total_seconds())
    assert len(terminal.kept) == 249
    cell.tick(1.5 + LATENESS.total_seconds())
    assert not terminal.kept
    assert terminal.seq == 3 + 2 * 499


def test_what_follows_a_move_within_its_instant_is_told_once() -> None:
    """A jam is told when its terminal moves; that it is gone was written at the same instant."""
    cell = Cell(JAM, JAMS)
    cell.says(1, 10, "jammed")
    cell.engine.move(cell.terminals[0], "C2", T0 + seconds(11))
    changes = cell.says(1, 10, "notPresent", arrives=11) + cell.tick(60)
    assert fired(changes) == [("ATM-1", 10, True)]
    assert [c.cleared_at for c in changes if isinstance(c, Cleared)] == [T0 + seconds(10)]


def test_what_waits_is_told_before_anybody_is_said_to_speak_for_it() -> None:
    """Cause and consequence wait to be told, and the catalogue that comes has no quorum: each is
    told before it speaks or is spoken for, and the fault whose rule is on trial now is over."""
    hot = replace(HOT, hold=seconds(0))
    jam = replace(JAM, caused_by=("hot",))
    cell = Cell(jam, hot, JAMS)
    cell.says(1, 10, "jammed", temperature_c=70.0)
    cell.tick(11)
    other = Engine((replace(jam, shadow=True), hot), lateness=LATENESS)
    for each in cell.terminals:
        other.adopt(copy(each))
    other.retire(T0 + seconds(12), frozenset({"jam"}))
    record = other.take()
    known: set[object] = set()
    for change in record.changes:
        if isinstance(change, Fired):
            known.add(change.id)
            assert change.suppressed_by in {None, *known}
        elif isinstance(change, Suppressed):
            assert {change.id, change.by} <= {None, *known}
    cleared = [c for c in record.changes if isinstance(c, Cleared)]
    assert [(c.shadow, c.cleared_at) for c in cleared] == [("", T0 + seconds(12))]
    (anew,) = [h for key, h in record.holds.items() if key.rule == "jam"]
    assert anew is not None
    assert anew.started_at == T0 + seconds(12)


def test_a_restart_tells_nobody_of_maintenance_before_its_turn() -> None:
    """Two have jammed, one of them is taken into maintenance: cells know of that ten seconds later,
    also where another process tells them."""
    ended = []
    for restarts in (False, True):
        cell = Cell(JAM, JAMS)
        cell.says(1, 10, "jammed")
        cell.says(2, 11, "jammed")
        cell.tick(30)
        cell.serve(2, 40, in_service=False)
        changes = cell.restart(41) if restarts else []
        changes += [c for at in range(41, 70) for c in cell.tick(at)]
        ended.append([(c.cleared_at, c.at) for c in changes if isinstance(c, Cleared)])
    assert ended[0] == ended[1] == [(T0 + seconds(40), T0 + seconds(45))]


def test_a_restart_says_no_second_time_who_speaks() -> None:
    """A jam, its cause and that it became worse wait to be told, and so does its end, beside which
    it stands who speaks: also once they are told one by one."""
    worse = (Stage(Severity.CRITICAL, Lasting(), seconds(2)),)
    jam = replace(JAM, caused_by=("hot",), stages=worse)
    cell = Cell(jam, replace(HOT, hold=seconds(0)), JAMS)
    cell.says(1, 10, "jammed", temperature_c=70.0)
    cell.tick(17)
    cell.says(1, 18, "notPresent", temperature_c=70.0)
    told = cell.tick(23)
    assert sorted(fired(told)) == [("ATM-1", 10, False), ("ATM-1", 10, True)]
    assert cell.restart(24) == []


def test_a_restart_knows_when_a_member_went_bad() -> None:
    """It was ten minutes on its way, and nothing is since: cells count it from its arrival."""
    within = rule("jams", Quorum(("jam",), 2, 0.0, seconds(60)), hold=5, scope="cell")
    cell = Cell(JAM, within)
    cell.says(1, 10, "jammed", arrives=610)
    cell.tick(625)
    cell.says(1, 626, "jammed")
    cell.restart(627)
    cell.says(2, 630, "jammed")
    assert fired(cell.tick(660)) == [("C1", 635, True), ("ATM-2", 630, False)]
