"""Flapping: the score, an hour of oscillation, and what ends it."""

from datetime import datetime, timedelta

import pytest

from fleet.rules.changes import Change, Cleared, Fired, Flapped
from fleet.rules.flapping import DEFAULT, Flapping, Transitions, score
from tests.unit.rules.test_engine import JAM, T0, Story


def at(change: datetime) -> float:
    return (change - T0).total_seconds()


def oscillate(story: Story, until: int, half: int) -> list[Change]:
    """Jammed and free by turns, `half` seconds each."""
    changes: list[Change] = []
    for number, second in enumerate(range(half, until, half)):
        changes += story.tick(second)
        changes += story.media(second, "notPresent" if number % 2 else "jammed")
    return changes


def of(kind: type, changes: list[Change]) -> list[Change]:
    return [change for change in changes if isinstance(change, kind)]


def test_the_score_is_the_weighted_share_of_twenty_places() -> None:
    """None is 0, all are 1; one is the newest and weighs most; six pass 30 percent, five do not."""
    assert score(0) == 0
    assert score(20) == pytest.approx(1)
    assert score(1) == pytest.approx(1.25 / 20)
    assert score(20) - score(19) == pytest.approx(0.75 / 20)
    assert score(5) < DEFAULT.high <= score(6)
    assert score(2) < DEFAULT.low <= score(3)


def test_only_what_alternates_is_a_transition_and_only_twenty_are_kept() -> None:
    """A condition that was unknown and comes back as it was has not changed."""
    kept = Transitions()
    assert kept.note(T0, raised=True)
    assert not kept.note(T0 + timedelta(seconds=1), raised=True)
    for second in range(2, 42):
        assert kept.note(T0 + timedelta(seconds=second), raised=bool(second % 2))
    assert len(kept.times) == 20


def test_an_hour_of_quick_oscillation_is_one_fault_marked_flapping() -> None:
    """Quicker than the clear hold of 10 s: the fault never clears, and says why."""
    story = Story(JAM)
    story.media(0, "jammed")
    changes = story.tick(15) + oscillate(story, 3600, 8)
    assert len(of(Fired, changes)) == 1
    assert [each.flapping for each in changes if isinstance(each, Flapped)] == [True]
    assert of(Cleared, changes) == []


def test_an_hour_of_slow_oscillation_ends_in_one_fault_marked_flapping() -> None:
    """Half a minute each: two faults clear before it is known; the third stays for the hour."""
    story = Story(JAM)
    changes = oscillate(story, 3600, 30)
    assert [at(each.fired_at) for each in changes if isinstance(each, Fired)] == [40, 100, 160]
    assert len(of(Cleared, changes)) == 2
    [flapped] = [each for each in changes if isinstance(each, Flapped)]
    assert (flapped.flapping, at(flapped.at)) == (True, 180)


def test_a_fault_is_steady_and_clears_when_two_transitions_are_left() -> None:
    """The last jam went at 600 s: cleared with that time, once the score is low, to the second."""
    story = Story(JAM)
    oscillate(story, 601, 30)
    assert story.tick(2339) == []
    steady, cleared = story.tick(2400)
    assert isinstance(steady, Flapped)
    assert isinstance(cleared, Cleared)
    # Transitions at 540, 570 (the fault is open: no hold to wait for) and 600; the first ages out.
    assert (steady.flapping, at(steady.at)) == (False, 2340)
    assert (at(cleared.cleared_at), at(cleared.at)) == (600, 2340)


def test_a_fault_that_is_steady_again_but_bad_stays_open() -> None:
    """It stopped flapping because it broke for good."""
    story = Story(JAM)
    oscillate(story, 571, 30)
    changes = story.tick(4000)
    assert [type(change) for change in changes] == [Flapped]
    changes = story.media(4010, "notPresent") + story.tick(4030)
    assert len(of(Cleared, changes)) == 1
    assert of(Flapped, changes) == []


def test_other_thresholds_after_a_restart_do_not_trip_over_what_was_kept() -> None:
    """Fewer transitions than would be steady now: it is steady since the last of them."""
    kept = Transitions((T0,), raised=True)
    eager = Flapping(high=0.9, low=0.8, within=timedelta(hours=1))
    assert eager.ends_at(kept) == T0
