"""How fast a value moves: exact edges, nothing known across gaps, members apart, bounded memory."""

from datetime import datetime, timedelta
from pathlib import Path

import pytest

from fleet.rules.catalogue import describe, load
from fleet.rules.changes import Change, Cleared, Fired
from fleet.rules.condition import compile_condition
from fleet.rules.errors import CatalogueError
from fleet.rules.rule import Rate
from fleet.rules.slope import PLACES, Slope
from tests.unit.rules.test_catalogue import complete, written
from tests.unit.rules.test_engine import T0, Story, faults, rule, seconds

RISE = Rate("metrics.temperature_c", 5.0, rises=True, within=seconds(600))
HOT = rule("hot", RISE, hold=0, clear_hold=10)
DRAIN = rule("drain", Rate("count", 800, rises=False, within=seconds(600), each="storage"), hold=0)


def begun(changes: list[Change]) -> list[float]:
    return [(one.started_at - T0) / timedelta(seconds=1) for one in faults(changes)]


def over(changes: list[Change]) -> list[float]:
    found = [one.cleared_at for one in changes if isinstance(one, Cleared)]
    return [(at - T0) / timedelta(seconds=1) for at in found]


def test_a_rise_within_the_time_holds_until_its_beginning_is_too_old() -> None:
    """30 at 0 s, 35.5 at 300 s: more than 5 within ten minutes; at 600 s the 30 is too old."""
    story = Story(HOT)
    story.says(0, temperature_c=30.0)
    assert begun(story.says(300, temperature_c=35.5)) == [300]
    assert over(story.tick(609)) == []
    assert over(story.tick(2000)) == [600]


def test_exactly_so_much_is_not_more() -> None:
    story = Story(HOT)
    story.says(0, temperature_c=30.0)
    assert begun(story.says(300, temperature_c=35.0)) == []


def test_a_value_counts_as_long_as_it_was_said() -> None:
    """Thirty until 400 s, so the rise at 410 s is over at 1,000; the same in eleven minutes is no
    rise; and a fall is none."""
    story = Story(HOT)
    for at in range(0, 401, 100):
        story.says(at, temperature_c=30.0)
    changes = story.says(410, temperature_c=36.0) + story.says(420, temperature_c=36.0)
    assert begun(changes) == [410]
    assert over(story.tick(1500)) == [1000]
    slow = Story(HOT)
    changes = []
    for step in range(12):
        changes += slow.says(step * 60, temperature_c=30.0 + step / 2)
    changes += slow.says(800, temperature_c=10.0)
    assert begun(changes) == []


def test_what_was_said_before_a_long_silence_is_too_old_to_compare_with() -> None:
    """Nobody knows when in those two hours it rose."""
    story = Story(HOT)
    story.says(0, temperature_c=30.0)
    assert begun(story.says(7200, temperature_c=50.0)) == []


def test_while_the_value_is_not_said_nothing_fires_and_nothing_clears() -> None:
    """Unknown from 400 s on: the rise does not end at 600. Said again, it is judged anew."""
    story = Story(HOT)
    story.says(0, temperature_c=30.0)
    story.says(300, temperature_c=36.0)
    changes = story.says(400) + story.tick(1500)
    assert over(changes) == []
    assert over(story.says(1600, temperature_c=36.0) + story.tick(1700)) == [1600]


def test_each_member_of_a_list_falls_by_itself() -> None:
    """One cassette loses nine hundred notes within ten minutes, the other two hundred."""
    story = Story(DRAIN)
    story.says(0, storage=[{"id": "A", "count": 2000}, {"id": "B", "count": 2000}])
    changes = story.says(300, storage=[{"id": "A", "count": 1100}, {"id": "B", "count": 1800}])
    assert [one.key.item for one in changes if isinstance(one, Fired)] == ["A"]
    gone = story.says(310, storage=[{"id": "B", "count": 1800}])
    assert over(gone + story.tick(400)) == [310]


def test_while_it_is_not_given_nothing_is_looked_at_and_what_was_is_forgotten() -> None:
    """Staff take the cassette out in supervisor mode: no rise, also after it."""
    given = compile_condition("auxiliaries.operatorSwitch == 'run'")
    guarded = rule(
        "drain", Rate("count", 800, rises=False, within=seconds(600), each="storage", given=given)
    )
    story, changes = Story(guarded), list[Change]()
    for at, switch, count in ((0, "run", 2000), (60, "supervisor", 2000), (90, "supervisor", 0),
                              (120, "run", 0), (150, "run", 100)):  # fmt: skip
        status = {"auxiliaries": {"operatorSwitch": switch}}
        changes += story.says(at, status=status, storage=[{"id": "A", "count": count}])
    assert begun(changes + story.tick(1000)) == []
    assert story.terminals[0].slopes["drain", "A"].value == 100


def test_a_terminal_that_says_another_value_every_second_costs_no_more_memory() -> None:
    """Six thousand values within ten minutes: sixty places, and the rise is seen all the same."""
    slope, last = Slope(), None
    for n in range(6000):
        at = T0 + timedelta(milliseconds=100 * n)
        slope.note(RISE, 30.0 + n / 1000, at, last)
        last = at
    assert len(slope.past) <= PLACES + 1
    until = slope.steep_until(RISE)
    exact: datetime = T0 + timedelta(milliseconds=100 * 999) + RISE.within
    assert until is not None
    assert exact - RISE.within / PLACES <= until <= exact


RATE = """name: hot
rate: {of: metrics.temperature_c, rises: 5.0}
within: 10m"""


def test_a_rate_is_read_and_described(tmp_path: Path) -> None:
    [hot] = load(written(tmp_path, complete(RATE))).rules
    assert hot.trigger == RISE
    assert describe(hot)["rate"] == {"of": "metrics.temperature_c", "rises": 5.0}


@pytest.mark.parametrize(
    ("before", "after", "problem"),
    [
        ("temperature_c", "temprature_c", "did you mean metrics.temperature_c?"),
        ("metrics.temperature_c", "cardReader.media", "is no number"),
        ("rises: 5.0", "rises: 0", "rises must be above 0"),
        (", rises: 5.0", "", "a rate rises or falls"),
        ("rises: 5.0", "rises: 5.0, falls: 5.0", "a rate rises or falls"),
        ("rises", "raises", "did you mean rises?"),
        ("\nwithin: 10m", "", "within is missing"),
        ("within: 10m", "within: 10m\ngiven: cardReader.media == 'jamed'", "did you mean 'jammed'"),
        ("within: 10m", "within: 10m\nclear_when: metrics.rtt_ms > 1.0", "does not go with rate"),
    ],
)
def test_what_is_wrong_with_a_rate_is_said(
    tmp_path: Path, before: str, after: str, problem: str
) -> None:
    with pytest.raises(CatalogueError) as refused:
        load(written(tmp_path, complete(RATE.replace(before, after))))
    assert any(problem in str(each) for each in refused.value.problems)
