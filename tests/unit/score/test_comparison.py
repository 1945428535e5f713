"""A score is worth what its judge is: runs with a known answer, some of them wrong on purpose."""

from dataclasses import replace
from uuid import UUID

import pytest

from fleet.rules import catalogue
from fleet.service_state import ServiceState
from simulator.behaviour import Behaviour
from simulator.truth import Label, Line, Run, Stay
from tellergrid.score.comparison import Score, compare
from tellergrid.score.expectation import World
from tellergrid.score.spans import differing_s, merged, reached, without
from tellergrid.virtual.run import Played
from tellergrid.virtual.said import Fault, Interval
from tellergrid.virtual.tickets import Raised

T0 = 1_795_651_200.0
DAY = T0 + 86_400
RUN = Run("made up", 1, 10, T0, DAY)
MEMBERS = [f"ATM-{n:04d}" for n in range(1, 11)]
WORLD = World(RUN, DAY, catalogue.load(), Behaviour(), [], {"C001": MEMBERS})
UP = ServiceState.IN_SERVICE


def fault(
    terminal: str, rule: str, at: float, until: float | None, scope: str = "terminal"
) -> Fault:
    return Fault(
        id=UUID(int=hash((terminal, rule, at)) % 2**64),
        scope=scope,
        subject=terminal,
        cell="C001",
        rule=rule,
        item="",
        severity="critical",
        component="cardReader",
        started_at=at,
        fired_at=at + 10,
        decided_at=at + 12,
        cleared_at=until,
    )


def ticket(subject: str, rule: str, at: float, until: float) -> Raised:
    scope = "cell" if subject.startswith("C") else "terminal"
    return Raised(scope, subject, "C001", rule, "", at, spans=[(at, until)])


def scored(
    truth: list[Line],
    faults: list[Fault] | None = None,
    tickets: list[Raised] | None = None,
    intervals: dict[str, list[Interval]] | None = None,
    world: World = WORLD,
) -> Score:
    played = Played([RUN, *truth], faults or [], tickets or [], intervals or {}, {}, [])
    return compare(world, played)


JAM = Label("ATM-0001", "card-reader-jammed", T0 + 100, T0 + 900)


def test_a_jam_that_was_raised_is_found_after_so_many_seconds() -> None:
    """One of one, right, twelve seconds after it began."""
    one = scored([JAM], [fault("ATM-0001", "card-reader-jammed", T0 + 100.05, T0 + 900)])
    assert (one.detected, one.detectable, one.right, one.faults) == (1, 1, 1, 1)
    assert one.delays_s == {"cardReader": [12.05]}
    assert one.shortfalls == []


@pytest.mark.parametrize(
    "wrong",
    [
        fault("ATM-0002", "card-reader-jammed", T0 + 100, T0 + 900),
        fault("ATM-0001", "paper-jammed", T0 + 100, T0 + 900),
        fault("ATM-0001", "card-reader-jammed", T0 + 5000, T0 + 5900),
    ],
    ids=["another terminal", "another thing", "another time"],
)
def test_a_fault_about_something_else_misses_the_jam_and_is_false(wrong: Fault) -> None:
    """Whoever, whatever or whenever is wrong: nothing found, nothing right."""
    one = scored([JAM], [wrong])
    assert (one.detected, one.right) == (0, 0)
    assert [each.kind for each in one.shortfalls] == ["missed", "false"]


def test_what_is_over_before_the_hold_need_not_be_raised() -> None:
    """Nine seconds of a rule that waits ten; with eleven it may go either way."""
    for seconds, detectable, why in ((9, 0, 1), (11, 0, 0), (14, 1, 0)):
        one = scored([replace_end(JAM, T0 + 100 + seconds)])
        assert (one.detectable, sum(one.undetectable.values())) == (detectable, why)


def replace_end(label: Label, at: float) -> Label:
    return Label(label.terminal, label.name, label.begins_at, at)


def test_two_that_are_too_short_make_none_that_is_long_enough() -> None:
    """Its hold is five minutes: low for 200 s, well for 30, low for 200 again."""
    low = Label("ATM-0001", "cassette-low", T0 + 100, T0 + 300, "CST1")
    again = Label("ATM-0001", "cassette-low", T0 + 330, T0 + 530, "CST1")
    none = scored([low, again])
    assert (none.detectable, none.shortfalls) == (0, [])


def test_what_happens_to_a_terminal_that_nobody_hears_need_not_be_found() -> None:
    """A jam within an outage; one that outlasts it must be."""
    away = Label("ATM-0001", "offline", T0 + 50, T0 + 1000)
    inside = scored([JAM, away], [fault("ATM-0001", "offline", T0 + 50, T0 + 1000)])
    assert (inside.detectable, inside.detected) == (1, 1)
    longer = scored([replace_end(JAM, T0 + 2000), away])
    assert longer.detectable == 2


def test_an_outage_of_a_cell_wants_one_ticket_of_its_own_and_none_of_its_members() -> None:
    """Five of ten are cut off; four would do."""
    cut: list[Line] = [Label(code, "offline", T0 + 100, T0 + 700) for code in MEMBERS[:5]]
    right = ticket("C001", "cell-outage", T0 + 106, T0 + 760)
    assert scored(cut, tickets=[right]).wrong_cell_tickets == 0
    assert scored(cut).wrong_cell_tickets == 1
    assert scored(cut[:3]).wrong_cell_tickets == 0
    assert scored(cut[:3], tickets=[right]).wrong_cell_tickets == 1
    member = ticket("ATM-0002", "offline", T0 + 130, T0 + 700)
    assert scored(cut, tickets=[right, member]).wrong_cell_tickets == 1
    later = ticket("ATM-0002", "offline", T0 + 800, T0 + 900)
    assert scored(cut, tickets=[right, later]).wrong_cell_tickets == 0


def test_uptime_is_off_by_what_was_said_and_was_not_so() -> None:
    """Down from 100 to 200, said from 103 to 205: three seconds and five."""
    truth: list[Line] = [
        Stay("ATM-0001", UP, T0, T0 + 100),
        Stay("ATM-0001", ServiceState.OFFLINE, T0 + 100, T0 + 200),
        Stay("ATM-0001", UP, T0 + 200, None),
    ]
    said = [
        Interval(UP, T0, T0 + 103),
        Interval(ServiceState.OFFLINE, T0 + 103, T0 + 205),
        Interval(UP, T0 + 205, None),
    ]
    assert scored(truth, intervals={"ATM-0001": said}).uptime_error_s == 8
    unknown = [Interval(ServiceState.UNKNOWN, T0, T0 + 150), *said[1:]]
    unknown[1] = Interval(ServiceState.OFFLINE, T0 + 150, T0 + 205)
    assert scored(truth, intervals={"ATM-0001": unknown}).uptime_error_s == 5


def test_a_rough_line_is_given_the_time_it_takes() -> None:
    """Where messages come late, what was over soon may be found or not."""
    rough = replace(WORLD, behaviour=Behaviour(late=0.1, late_s=20))
    assert scored([replace_end(JAM, T0 + 130)]).detectable == 1
    assert scored([replace_end(JAM, T0 + 130)], world=rough).detectable == 0


def test_spans_are_merged_cut_and_counted() -> None:
    """The arithmetic under it all."""
    assert merged([(5, 6), (0, 2), (1, 3)]) == [(0, 3), (5, 6)]
    assert merged([(0, 2), (3, 4)], gap_s=1) == [(0, 4)]
    assert without((0, 10), [(2, 3), (8, 12)]) == [(0, 2), (3, 8)]
    assert differing_s([(0, 10)], [(2, 12)]) == 4
    assert reached([[(0, 5)], [(3, 8)], [(4, 6)]], 2) == [(3, 6)]
