"""Rules on trial: they fire as real ones do, and nothing follows from it."""

from dataclasses import replace
from pathlib import Path

from fleet.rules.changes import Cleared, Fired, Flapped, Suppressed, Transition
from fleet.rules.rule import Offline, Quorum
from tests.unit.rules.test_engine import JAM, Story, rule, seconds
from tests.unit.rules.test_layers import HOT, MANY, only_problem, written

TRIAL = replace(JAM, name="trial", shadow=True, hold=seconds(2), clear_hold=seconds(0))


def test_a_shadow_fires_and_clears_beside_the_real_rule_and_moves_no_service_state() -> None:
    """The same condition, tried with a shorter hold: both fire, one changes the state."""
    alone = Story(TRIAL)
    changes = [*alone.media(0, "notPresent"), *alone.media(1, "jammed"), *alone.tick(4)]
    changes += alone.media(5, "notPresent")
    assert [type(each) for each in changes] == [Transition, Fired, Cleared]
    assert isinstance(changes[2], Cleared)
    assert changes[2].shadow == "trial"
    both = Story(JAM, TRIAL)
    both.media(0, "jammed")
    fired = [each for each in both.tick(20) if isinstance(each, Fired)]
    assert [(each.rule.name, each.rule.shadow) for each in fired] == [
        ("trial", True),
        ("jam", False),
    ]


def test_a_shadow_of_a_cell_speaks_for_nobody() -> None:
    """A quorum on trial is reached: the members' faults are told all the same."""
    gone = rule("gone", Offline(), hold=5)
    quorum = rule("many", Quorum(("gone",), 2, 0.5), scope="cell", impact=None, hold=1)
    story = Story(gone, replace(quorum, shadow=True), terminals=2)
    for n in range(2):
        story.media(0, "notPresent", n=n)
        story.online(1, n=n, online=False)
    changes = story.tick(20)
    fired = [each for each in changes if isinstance(each, Fired)]
    assert sorted(each.rule.name for each in fired) == ["gone", "gone", "many"]
    assert all(each.suppressed_by is None for each in fired)
    assert not [each for each in changes if isinstance(each, Suppressed)]


def test_a_flapping_shadow_is_marked_as_one() -> None:
    """Whether a rule would flap is what a trial is for."""
    story = Story(TRIAL)
    changes = []
    for n in range(20):
        changes += story.media(n * 10, "jammed" if n % 2 else "notPresent")
        changes += story.tick(n * 10 + 5)
    flapped = [each for each in changes if isinstance(each, Flapped)]
    assert [each.shadow for each in flapped] == ["trial"]


def test_nothing_real_may_build_on_a_shadow(tmp_path: Path) -> None:
    """A quorum of shadows would let them hold back real tickets; an override neither."""
    trial = HOT.replace("for: 10s", "for: 10s\n    shadow: true")
    problem = only_problem(written(tmp_path, a=trial, b=MANY))
    assert problem.message == "members names the shadow hot"
    over = 'version: "1"\noverrides: [{rules: [hot], cells: [C1], set: {shadow: true}}]\n'
    problem = only_problem(written(tmp_path, a=HOT, b=MANY, c=over))
    assert problem.message == "hot cannot be a shadow: real rules need it"
    assert Path(problem.file).name == "c.yaml"
