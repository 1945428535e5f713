"""A rule that says something else by another catalogue: what held by the old one ends some day."""

from collections.abc import Callable
from dataclasses import replace

import pytest

from fleet.rules.changes import Cleared, Fired
from fleet.rules.rule import Count, Quorum, Rate, Rule, Unsaid
from fleet.telemetry import Event
from tests.unit.rules.test_engine import T0, Story, faults, rule, seconds, when

ERRORS = Count("Common.ErrorEvent", 2, seconds(600))
HOTTER = Rate("metrics.temperature_c", 5.0, rises=True, within=seconds(600))
JAM = rule("jam", when("cardReader.media == 'jammed'"))
WELL = {"cardReader": {"media": "notPresent"}}


def named(trigger: object) -> Rule:
    return replace(rule("it", JAM.trigger, hold=0, impact=None), trigger=trigger)  # type: ignore[arg-type]


def says(**what: object) -> Callable[[Story], None]:
    def happens(story: Story) -> None:
        story.says(0, **what)  # type: ignore[arg-type]

    return happens


def fails_twice(story: Story) -> None:
    story.says(0, status=WELL)
    for at in (10, 20):
        story.seq += 1
        event = Event(T0 + seconds(at), 1, story.seq, "Common.ErrorEvent")
        story.engine.event(story.terminals[0], event, T0 + seconds(at))


def grows_hot(story: Story) -> None:
    story.says(0, status=WELL, temperature_c=20.0)
    story.says(10, status=WELL, temperature_c=30.0)


def loses_its_reader(story: Story) -> None:
    story.says(0, status=WELL)
    story.says(10, status={"printer": {"toner": "full"}})
    story.says(20, status={"printer": {"toner": "full"}})


MISSING = when("unit.status == 'missing'", each="storage")
JAMMED = {"cardReader": {"media": "jammed"}}
UNIT = [{"id": "CST1", "status": "missing"}]
CASES = [
    pytest.param(ERRORS, replace(ERRORS, at_least=3), fails_twice, id="takes more events"),
    pytest.param(HOTTER, replace(HOTTER, by=50.0), grows_hot, id="takes a steeper rise"),
    pytest.param(MISSING, JAM.trigger, says(status=WELL, storage=UNIT), id="of the terminal now"),
    pytest.param(JAM.trigger, MISSING, says(status=JAMMED), id="of each unit now"),
    pytest.param(JAM.trigger, ERRORS, says(status=JAMMED), id="counts events now"),
    pytest.param(
        Unsaid("cardReader"), Unsaid("printer"), loses_its_reader, id="of another component now"
    ),
]


@pytest.mark.parametrize(("before", "after", "happens"), CASES)
def test_a_fault_ends_where_its_rule_says_otherwise_by_now(
    before: object, after: object, happens: Callable[[Story], None]
) -> None:
    """The terminal says nothing more that the rule would be asked for."""
    story = Story(named(before))
    happens(story)
    story.tick(100)
    assert [hold.fault_id is not None for hold in story.terminals[0].holds.values()] == [True]
    new = Story(named(after), terminals=0)
    new.engine.adopt(story.terminals[0])
    new.engine.retire(T0 + seconds(100), frozenset({"it"}))
    changes = new.engine.take().changes + new.tick(200)
    assert [each.cleared_at for each in changes if isinstance(each, Cleared)] == [T0 + seconds(100)]
    assert story.terminals[0].holds == {}


def test_counted_events_go_on_where_the_rule_is_merely_told_in_other_words() -> None:
    story = Story(named(ERRORS))
    fails_twice(story)
    new = Story(replace(named(ERRORS), title="Other words"), terminals=0)
    new.engine.adopt(story.terminals[0])
    new.engine.retire(T0 + seconds(100), frozenset({"it"}))
    changes = new.engine.take().changes + new.tick(609) + new.tick(640)
    assert [each.cleared_at for each in changes if isinstance(each, Cleared)] == [T0 + seconds(610)]


def test_a_cells_fault_ends_where_its_rule_is_about_terminals_now() -> None:
    story = Story(JAM, rule("it", Quorum(("jam",), 1, 0.1), hold=0, scope="cell"))
    story.media(0, "jammed")
    assert [each.key.rule for each in faults(story.tick(20))] == ["it", "jam"]
    new = Story(JAM, named(HOTTER), terminals=0)
    new.engine.adopt(story.terminals[0])
    for code, cell in story.engine.cells.items():
        new.engine.adopt_cell(code, cell.holds, cell.transitions)
    new.engine.retire(T0 + seconds(100), frozenset({"it"}))
    told = new.engine.take().changes
    assert [each.cleared_at for each in told if isinstance(each, Cleared)] == [T0 + seconds(100)]
    assert not [each for each in told if isinstance(each, Fired)]
