"""Rules that count events: full within the time, over at the instant when one is too old."""

from datetime import datetime, timedelta
from pathlib import Path

import pytest

from fleet.rules.catalogue import describe, load
from fleet.rules.changes import Change, Cleared, Fired
from fleet.rules.engine import Engine
from fleet.rules.errors import CatalogueError
from fleet.rules.rule import Count
from fleet.rules.terminal import Terminal
from fleet.service_state import ServiceState
from fleet.telemetry import Event
from tests.unit.rules.test_engine import JAM, T0, Story, faults, rule, seconds, states

ERRORS = rule(
    "errors",
    Count("Common.ErrorEvent", 3, seconds(60), component="cardReader"),
    hold=0,
    clear_hold=10,
)


def fails(story: Story, at: float, component: str = "cardReader") -> list[Change]:
    story.seq += 1
    event = Event(T0 + seconds(at), 1, story.seq, "Common.ErrorEvent", component=component)
    story.engine.event(story.terminals[0], event, T0 + seconds(at))
    return story.engine.take().changes


def cleared(changes: list[Change]) -> list[tuple[float, float]]:
    def second(time: datetime) -> float:
        return (time - T0) / timedelta(seconds=1)

    found = [change for change in changes if isinstance(change, Cleared)]
    return [(second(change.cleared_at), second(change.at)) for change in found]


def test_the_third_event_within_the_time_fires_and_the_state_follows() -> None:
    """At 0, 30 and 59 s; it holds until 60 s, when the first is too old; 10 s later it clears."""
    story = Story(ERRORS)
    assert faults(fails(story, 0) + fails(story, 30)) == []
    changes = fails(story, 59)
    assert [fired.started_at for fired in faults(changes)] == [T0 + seconds(59)]
    assert states(changes) == [(ServiceState.OUT_OF_SERVICE, 59)]
    changes = story.tick(65)
    assert states(changes) == [(ServiceState.IN_SERVICE, 60)]
    assert cleared(story.tick(80)) == [(60, 70)]


@pytest.mark.parametrize("heard", [True, False])
def test_a_late_tick_or_a_message_instead_of_it_shifts_nothing(heard: bool) -> None:
    """Nobody looked for minutes: the count was over at 60 s all the same."""
    story = Story(ERRORS)
    for at in (0, 30, 59):
        fails(story, at)
    changes = story.says(500) if heard else story.tick(500)
    assert cleared(changes) == [(60, 70)]
    assert (ServiceState.IN_SERVICE, 60) in states(changes)


def test_events_that_go_on_keep_one_fault_with_one_reminder() -> None:
    """An event every ten seconds for ten minutes: one fault, over when two are left."""
    story = Story(ERRORS)
    changes: list[Change] = []
    before = len(story.engine._faults.timers)
    for at in range(0, 600, 10):
        changes += story.tick(at) + fails(story, at)
    assert len(faults(changes)) == 1
    assert len(story.engine._faults.timers) <= before + 1
    assert cleared(changes + story.tick(700)) == [(630, 640)]


def test_what_is_of_another_kind_is_not_counted() -> None:
    """The printer's errors are not the card reader's."""
    story = Story(ERRORS)
    changes = fails(story, 0) + fails(story, 1, "printer") + fails(story, 2)
    assert not [change for change in changes if isinstance(change, Fired)]


def test_what_faded_before_its_hold_was_over_fires_no_more_however_late_somebody_looks() -> None:
    """One error counts for eight seconds and takes ten to be a fault. It waited for a message that
    is missing, and time stood still for a while: another hold is looked at beside it."""
    once = Count("Common.ErrorEvent", 1, seconds(8))
    story = Story(terminals=0)
    story.engine = Engine((rule("once", once, hold=10), JAM), lateness=seconds(5))
    story.terminals = [Terminal(1, "ATM-1", "atm", "C1")]
    story.engine.adopt(story.terminals[0])
    story.media(10, "notPresent")
    story.media(12, "jammed")
    story.seq += 1
    fails(story, 16)
    assert [fired.key.rule for fired in faults(story.tick(40))] == ["jam"]


def test_a_count_is_read_with_its_places() -> None:
    """The default catalogue's is described in its words; a misspelt one is refused."""
    found = next(r for r in load().rules if r.name == "card-reader-errors")
    words = describe(found)
    assert (words["count"], words["at_least"], words["within"]) == (
        {"event": "Common.ErrorEvent", "component": "cardReader"},
        3,
        "10m",
    )


@pytest.mark.parametrize(
    ("wrong", "problem"),
    [
        ("{component: cardReader}", "event is missing"),
        ("{event: Common.ErrorEvent, component: cardReadr}", "did you mean cardReader?"),
        ("{event: Common.ErrorEvent, action: rest}", "did you mean reset?"),
    ],
)
def test_a_count_of_nothing_known_is_refused(tmp_path: Path, wrong: str, problem: str) -> None:
    """It would never fire."""
    folder = tmp_path
    (folder / "a.yaml").write_text(
        'version: "1"\nrules:\n  - name: a\n    title: A\n    remedy: Look.\n    severity: minor\n'
        "    component: cardReader\n    skill: card\n    line: 1\n    at_least: 3\n"
        f"    within: 10m\n    count: {wrong}\n"
    )
    with pytest.raises(CatalogueError) as caught:
        load(folder)
    assert problem in str(caught.value)
