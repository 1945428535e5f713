"""Severity in stages: each with its own hysteresis, on one fault, exact to the instant."""

from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from fleet.rules.catalogue import describe, load
from fleet.rules.changes import Change, Cleared, Fired, Rated
from fleet.rules.errors import CatalogueError
from fleet.rules.hold import Phase
from fleet.rules.rule import Lasting, Offline, Quorum, Rule, Stage
from fleet.rules.severity import Severity
from tests.unit.rules.test_catalogue import complete, written
from tests.unit.rules.test_engine import T0, Story, rule, seconds, when

HOT = replace(
    rule(
        "hot",
        when("metrics.temperature_c > 60.0", "metrics.temperature_c < 55.0"),
        hold=10,
        clear_hold=10,
    ),
    severity=Severity.MINOR,
    stages=(
        Stage(Severity.MAJOR, Lasting(), seconds(100)),
        Stage(
            Severity.CRITICAL,
            when("metrics.temperature_c > 75.0", "metrics.temperature_c < 70.0"),
            seconds(20),
            seconds(30),
        ),
    ),
)


def ratings(changes: list[Change]) -> list[tuple[Severity, float]]:
    found = [change for change in changes if isinstance(change, Rated)]
    return [(change.severity, (change.at - T0) / timedelta(seconds=1)) for change in found]


def fired(changes: list[Change]) -> list[Severity]:
    return [change.severity for change in changes if isinstance(change, Fired)]


def test_it_is_minor_at_once_and_major_when_it_has_lasted() -> None:
    """A fault at 10 s; a hundred seconds later it is major, however late somebody looks."""
    story = Story(HOT)
    story.says(0, temperature_c=61.0)
    assert fired(story.tick(10)) == [Severity.MINOR]
    assert ratings(story.tick(109.9)) == []
    assert ratings(story.tick(150)) == [(Severity.MAJOR, 110)]


def test_a_stage_has_its_own_hysteresis_on_both_edges() -> None:
    """Over 75 from 30 s on: critical at 50. At 72 nothing moves; below 70 from 70 s on: at 100 it
    is minor again, and one fault all the while."""
    story = Story(HOT)
    changes = story.says(0, temperature_c=61.0)
    for at, degrees in ((30, 80.0), (60, 72.0), (70, 65.0), (90, 65.0), (105, 65.0)):
        changes += story.says(at, temperature_c=degrees)
    assert ratings(changes) == [(Severity.CRITICAL, 50), (Severity.MINOR, 100)]
    assert [change.worse for change in changes if isinstance(change, Rated)] == [True, False]
    assert len(fired(changes)) == 1
    assert not [change for change in changes if isinstance(change, Cleared)]


def test_a_stage_that_stands_when_the_fault_fires_is_its_severity_from_the_first() -> None:
    """Eighty degrees from the beginning, the stage quicker than the fault: it fires critical."""
    quick = replace(HOT.stages[1], hold=seconds(5))
    story = Story(replace(HOT, stages=(quick,)))
    changes = story.says(0, temperature_c=80.0) + story.tick(30)
    assert fired(changes) == [Severity.CRITICAL]
    assert ratings(changes) == []


def test_what_is_clearing_is_not_rated_and_catches_up_when_it_comes_back() -> None:
    """Cool from 105 s on, so the stage at 110 is not told; hot again at 112: it is told then."""
    story = Story(HOT)
    changes = story.says(0, temperature_c=61.0) + story.says(105, temperature_c=40.0)
    assert ratings(changes + story.tick(111)) == []
    assert ratings(story.says(112, temperature_c=61.0)) == [(Severity.MAJOR, 112)]


def test_with_the_fault_its_stages_end() -> None:
    """The next fault begins as minor as the first, with its hundred seconds before it."""
    story = Story(HOT)
    changes = story.says(0, temperature_c=80.0) + story.says(120, temperature_c=40.0)
    changes += story.tick(131)
    assert ratings(changes) == [(Severity.CRITICAL, 20)]
    assert story.terminals[0].holds == {}
    changes = story.says(200, temperature_c=61.0) + story.tick(300) + story.tick(320)
    assert (fired(changes), ratings(changes)) == ([Severity.MINOR], [(Severity.MAJOR, 310)])


def test_what_is_unknown_moves_no_stage() -> None:
    """The temperature is no longer said: neither more nor less severe."""
    story = Story(HOT)
    changes = story.says(0, temperature_c=80.0) + story.says(30, temperature_c=80.0)
    for at in range(40, 100, 10):
        changes += story.says(at)
    assert ratings(changes) == [(Severity.CRITICAL, 20)]


def test_each_member_of_a_list_has_stages_of_its_own() -> None:
    low = replace(
        rule("low", when("unit.count < 100", each="storage"), hold=0),
        severity=Severity.MINOR,
        stages=(Stage(Severity.MAJOR, when("unit.count < 10", each="storage"), seconds(0)),),
    )
    story = Story(low)
    changes = story.says(0, storage=[{"id": "A", "count": 50}, {"id": "B", "count": 5}])
    changes += story.says(10, storage=[{"id": "A", "count": 4}, {"id": "B", "count": 5}])
    assert sorted(fired(changes)) == [Severity.MAJOR, Severity.MINOR]
    assert ratings(changes) == [(Severity.MAJOR, 10)]


def test_a_stage_may_watch_what_the_fault_does_not() -> None:
    """Offline is major; without mains, as it said last, it is critical from the first second."""
    away = replace(
        rule("away", Offline(), hold=5),
        stages=(
            Stage(
                Severity.CRITICAL, when("powerManagement.batteryStatus == 'critical'"), seconds(0)
            ),
        ),
    )
    story = Story(away)
    story.says(0, status={"powerManagement": {"batteryStatus": "critical"}})
    assert fired(story.online(3, online=False) + story.tick(20)) == [Severity.CRITICAL]


def test_a_cells_fault_is_worse_when_it_lasts() -> None:
    offline = rule("offline", Offline(), hold=100)
    outage = replace(
        rule("outage", Quorum(("offline",), 2, 0.5), scope="cell", hold=5, impact=None),
        stages=(Stage(Severity.CRITICAL, Lasting(), seconds(60)),),
    )
    story = Story(offline, outage, terminals=2)
    for n in range(2):
        story.says(0, n=n)
        story.online(10, n=n, online=False)
    changes = story.tick(20) + story.tick(80)
    assert fired(changes)[0] is Severity.MAJOR
    assert ratings(changes) == [(Severity.CRITICAL, 75)]


def test_a_stage_that_the_catalogue_no_longer_has_ends_at_once() -> None:
    """Its hold goes, and the fault is as severe as its rule says."""
    story = Story(HOT)
    story.says(0, temperature_c=80.0)
    story.tick(40)
    bare: Rule = replace(HOT, stages=())
    fresh = Story(bare)
    fresh.engine.adopt(story.terminals[0])
    fresh.engine.retire(T0 + seconds(60), frozenset({"hot"}))
    assert ratings(fresh.engine.take().changes) == [(Severity.MINOR, 60)]
    assert [hold.phase for hold in story.terminals[0].holds.values()] == [Phase.FIRING]


STAGED = """name: hot
when: metrics.temperature_c > 60.0
escalate:
  - {to: critical, after: 2h}"""


def test_stages_are_read_and_described(tmp_path: Path) -> None:
    [hot] = load(
        written(tmp_path, complete(STAGED).replace("severity: critical", "severity: minor"))
    ).rules
    assert hot.stages == (Stage(Severity.CRITICAL, Lasting(), timedelta(hours=2)),)
    assert describe(hot)["escalate"] == [{"to": "critical", "after": "2h"}]


@pytest.mark.parametrize(
    ("stage", "problem"),
    [
        ("{to: minor, after: 2h}", "to cannot be minor: each stage is worse"),
        ("{to: critcal, after: 2h}", "did you mean critical?"),
        ("{to: critical}", "a stage comes with time or with a condition"),
        ("{to: critical, after: 2h, for: 1m}", "for does not go with after"),
        ("{to: critical, when: metrics.temprature_c > 1.0}", "temprature_c"),
        ("{to: critical, afer: 2h}", "did you mean after?"),
    ],
)
def test_what_is_wrong_with_a_stage_is_said_at_its_place(
    tmp_path: Path, stage: str, problem: str
) -> None:
    text = complete(STAGED.replace("{to: critical, after: 2h}", stage))
    with pytest.raises(CatalogueError) as refused:
        load(written(tmp_path, text.replace("severity: critical", "severity: minor")))
    found = next(each for each in refused.value.problems if problem in str(each))
    assert found.line == 6


def test_stages_are_rated_in_the_order_of_the_terminals_time() -> None:
    """The critical stage, over at 58, waits for a terminal that lags; the major one, over at 60,
    was to be looked at earlier: it is not told, for it is critical already."""
    both = replace(HOT, stages=(replace(HOT.stages[0], hold=seconds(50)), replace(HOT.stages[1])))
    story = Story(both)
    story.says(0, temperature_c=61.0)
    story.tick(11)
    story.says(38, temperature_c=80.0, arrives=43)
    assert ratings(story.tick(300)) == [(Severity.CRITICAL, 58)]
