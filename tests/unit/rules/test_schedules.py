"""Rules that count in service hours alone, or outside of them."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from fleet.rules.catalogue import load
from fleet.rules.changes import Cleared
from fleet.rules.errors import CatalogueError
from fleet.rules.rule import During, Rule
from fleet.service_state import ServiceState
from fleet.sla.calendar import FOREVER, Span
from fleet.windows.hours import ALWAYS, Hours, Use
from fleet.windows.schedule import Schedule
from tests.unit.rules.test_catalogue import complete, written
from tests.unit.rules.test_engine import JAM, T0, Story, faults, seconds, states

EVERY_DAY = Schedule("UTC", dict.fromkeys(range(1, 8), ((9 * 60, 17 * 60),)))
NINE_TO_FIVE = Hours(((Use(Span(T0 - timedelta(days=9), FOREVER), EVERY_DAY),),))
"""The stories begin at eight."""
HOUR = 3600
SERVED = replace(JAM, schedule=During.SERVICE)
CLOSED = replace(JAM, schedule=During.CLOSED)


def told(rule: Rule, hours: Hours = NINE_TO_FIVE) -> Story:
    story = Story(rule)
    story.engine.schedule(story.terminals[0], hours)
    return story


def test_before_the_opening_nothing_fires_and_the_state_is_told_all_the_same() -> None:
    """Jammed at eight, it opens at nine: out of service at once, a fault ten seconds after nine,
    of what was so from nine on."""
    story = told(SERVED)
    assert states(story.media(0, "jammed")) == [(ServiceState.OUT_OF_SERVICE, 0)]
    assert faults(story.tick(HOUR + 9.9)) == []
    (fired,) = faults(story.tick(HOUR + 60))
    assert (fired.started_at, fired.fired_at) == (T0 + seconds(HOUR), T0 + seconds(HOUR + 10))


def test_what_is_over_before_the_opening_is_no_fault() -> None:
    story = told(SERVED)
    story.media(0, "jammed")
    assert faults(story.media(HOUR - 1, "notPresent") + story.tick(2 * HOUR)) == []


def test_the_hold_counts_in_one_piece() -> None:
    """Four seconds before five and the rest tomorrow make no ten seconds: tomorrow's ten do."""
    story = told(SERVED)
    story.media(9 * HOUR - 4, "jammed")
    assert faults(story.tick(9 * HOUR + 30)) == []
    (fired,) = faults(story.tick(26 * HOUR))
    assert fired.fired_at == T0 + seconds(25 * HOUR + 10)


def test_a_fault_does_not_end_with_the_hours_but_as_telemetry_says() -> None:
    """It fired at half past four; it clears at night."""
    story = told(SERVED)
    assert faults(story.media(8 * HOUR, "jammed") + story.tick(8 * HOUR + 20))
    assert story.tick(10 * HOUR) == []
    story.media(15 * HOUR, "notPresent")
    (cleared,) = story.tick(15 * HOUR + 30)
    assert isinstance(cleared, Cleared)
    assert cleared.cleared_at == T0 + seconds(15 * HOUR)


def test_outside_of_the_hours_is_the_rest_and_never_without_hours() -> None:
    """Jammed at eight fires at once; jammed at noon at five. Who always serves is never closed."""
    story = told(CLOSED)
    story.media(0, "jammed")
    assert [fired.fired_at for fired in faults(story.tick(30))] == [T0 + seconds(10)]
    story = told(CLOSED)
    story.media(4 * HOUR, "jammed")
    assert [f.fired_at for f in faults(story.tick(10 * HOUR))] == [T0 + seconds(9 * HOUR + 10)]
    story = told(CLOSED, ALWAYS)
    story.media(0, "jammed")
    assert faults(story.tick(72 * HOUR)) == []


def test_other_hours_hold_from_the_moment_they_are_known() -> None:
    """It waits for nine; at half past eight it turns out that it always serves."""
    story = told(SERVED)
    story.media(0, "jammed")
    story.tick(HOUR / 2)
    story.engine.schedule(story.terminals[0], ALWAYS)
    assert [fired.fired_at for fired in faults(story.tick(HOUR / 2 + 1))] == [T0 + seconds(10)]


def test_a_restart_waits_for_the_same_opening() -> None:
    story = told(SERVED)
    story.media(0, "jammed")
    fresh = Story(SERVED)
    fresh.engine.adopt(story.terminals[0])
    assert faults(fresh.tick(HOUR + 9)) == []
    (fired,) = faults(fresh.tick(HOUR + 12))
    assert fired.fired_at == T0 + seconds(HOUR + 10)


def test_the_first_layer_that_is_in_use_decides() -> None:
    """Its own schedule for a day, that of its cell else; without either it always serves."""
    day = datetime(2026, 11, 25, tzinfo=UTC)
    never = Schedule("UTC", {})
    own = Use(Span(day, day + timedelta(days=1)), never)
    cell = Use(Span(day, day + timedelta(days=2)), EVERY_DAY)
    hours = Hours(((own,), (cell,)))
    assert hours.open(Span(day - timedelta(hours=1), day + timedelta(days=2, hours=1))) == [
        Span(day - timedelta(hours=1), day),
        Span(day + timedelta(hours=33), day + timedelta(hours=41)),
        Span(day + timedelta(days=2), day + timedelta(days=2, hours=1)),
    ]
    assert Hours(((Use(Span(day, FOREVER), never),),)).lasting(day, seconds(1)) == FOREVER


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("name: a\nwhen: cardReader.media == 'jammed'\nschedule: servicehours", "service_hours?"),
        (
            "name: c\nscope: cell\nmembers: [b]\nat_least: 3\nshare: 0.4\nschedule: closed_hours",
            "a cell has no hours",
        ),
    ],
)
def test_a_schedule_that_cannot_be_is_refused(tmp_path: Path, text: str, problem: str) -> None:
    other = complete("name: b\noffline: true")
    with pytest.raises(CatalogueError) as refused:
        load(written(tmp_path, complete(text), other))
    assert any(problem in str(each) for each in refused.value.problems)
