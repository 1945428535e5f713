"""A component that is said no more, and a terminal that never said anything."""

from datetime import timedelta
from pathlib import Path

import pytest

from fleet.rules.catalogue import describe, load
from fleet.rules.changes import Change, Fired
from fleet.rules.engine import Engine
from fleet.rules.errors import CatalogueError
from fleet.rules.rule import Offline, Unsaid, Unseen
from fleet.rules.terminal import Terminal
from fleet.telemetry import Presence
from tests.unit.rules.test_catalogue import complete, written
from tests.unit.rules.test_engine import T0, Story, faults, rule, seconds
from tests.unit.rules.test_slopes import begun, over

READER = rule("reader", Unsaid("cardReader"), hold=60, clear_hold=10)
WELL = {"cardReader": {"device": "online"}, "printer": {"device": "online"}}
WITHOUT = {"printer": {"device": "online"}}
DAY = 86400


def test_a_component_that_is_said_no_more_is_a_fault_of_its_own() -> None:
    """Gone from 30 s on; the first snapshot without it a minute later lets it fire, dated 90."""
    story = Story(READER)
    story.says(0, status=WELL)
    story.says(30, status=WITHOUT)
    assert begun(story.says(89, status=WITHOUT) + story.tick(89)) == []
    (fired,) = faults(story.says(100, status=WITHOUT))
    assert (fired.started_at, fired.fired_at) == (T0 + seconds(30), T0 + seconds(90))
    assert over(story.says(120, status=WELL) + story.tick(140)) == [120]


def test_a_terminal_that_is_silent_itself_says_nothing_of_its_parts() -> None:
    """It goes silent after the first snapshot without it: no time alone lets it fire, and when it
    is back with its card reader nothing was."""
    story = Story(READER)
    story.says(0, status=WELL)
    story.says(30, status=WITHOUT)
    assert faults(story.tick(5000)) == []
    assert faults(story.says(5010, status=WELL) + story.tick(6000)) == []


def test_a_reminder_of_the_fault_before_does_not_let_the_next_one_fire() -> None:
    """Gone, a fault, back and gone again within moments, then silence: no time alone fires it."""
    story = Story(READER)
    story.says(0, status=WELL)
    story.says(30, status=WITHOUT)
    assert begun(story.says(100, status=WITHOUT)) == [30]
    story.says(120, status=WELL, arrives=126)  # so the reminder of its end comes late
    assert over(story.says(131, status=WITHOUT)) == [120]
    assert faults(story.tick(137) + story.tick(5000)) == []


def test_a_component_that_is_offline_is_not_silent() -> None:
    story = Story(READER)
    changes = story.says(0, status=WELL)
    for at in range(30, 300, 30):
        changes += story.says(at, status={"cardReader": {"device": "offline"}})
    assert faults(changes) == []


def test_what_a_terminal_never_had_it_does_not_miss() -> None:
    story = Story(READER)
    changes: list[Change] = []
    for at in range(0, 600, 30):
        changes += story.says(at, status=WITHOUT)
    assert faults(changes) == []


def test_cash_units_are_a_component_too() -> None:
    story = Story(rule("units", Unsaid("storage"), hold=60))
    story.says(0, storage=[{"id": "A", "status": "ok"}])
    story.says(30)
    assert begun(story.says(95)) == [30]


NEVER = rule("never", Unseen(seconds(3600)), hold=0, impact=None)


class Beginning:
    """A terminal commissioned at the beginning, and an engine that hears from `since` on."""

    def __init__(self, since: float = 0) -> None:
        self.engine = Engine([NEVER, rule("offline", Offline(), hold=0)])
        self.engine.watch(T0 + seconds(since))
        self.terminal = Terminal(1, "ATM-1", "atm", "C1", commissioned_at=T0)
        self.engine.adopt(self.terminal)

    def tick(self, at: float) -> list[str]:
        self.engine.tick(T0 + seconds(at))
        changes = self.engine.take().changes
        return [each.key.rule for each in changes if isinstance(each, Fired)]


def test_a_terminal_that_was_never_heard_is_a_fault_after_its_grace() -> None:
    story = Beginning()
    assert story.tick(3599) == []
    assert story.tick(3700) == ["never"]
    hold = story.terminal.holds["never", ""]
    assert hold.started_at == T0 + seconds(3600)


def test_heard_once_it_is_never_called_so_again() -> None:
    """Its fault ends with the first message; that it is silent later is another rule's."""
    story = Story(NEVER)
    terminal = story.terminals[0]
    terminal.commissioned_at = T0
    story.engine.adopt(terminal)
    assert begun(story.tick(4000)) == [3600]
    changes = story.says(5000) + story.tick(5020)
    assert over(changes) == [5000]
    assert faults(story.tick(DAY)) == []


def test_while_we_are_blind_nobody_is_called_never_seen() -> None:
    """We hear again since an hour and a half: ten minutes of that come first."""
    story = Beginning()
    story.engine.watch(None)
    assert story.tick(5000) == []
    story.engine.watch(T0 + seconds(5400))
    assert story.tick(5400 + 590) == []
    assert story.tick(5400 + 700) == ["never"]


def test_what_the_broker_remembers_of_it_is_another_matter() -> None:
    """Its will says that it was there once and is gone: offline, and not never seen."""
    story = Beginning()
    will = Presence(T0, 1, online=False)
    story.engine.presence(story.terminal, will, T0 + seconds(10), retained=True)
    changes = story.engine.take().changes
    assert [each.key.rule for each in changes if isinstance(each, Fired)] == ["offline"]
    assert story.tick(DAY) == []


def test_both_are_read_and_described(tmp_path: Path) -> None:
    part = "name: a\nsilent_for: 10m\nof: cardReader"
    never = complete("name: b\nnever_seen_for: 24h")
    a, b = load(written(tmp_path, complete(part), never)).rules
    assert (a.trigger, a.hold) == (Unsaid("cardReader"), timedelta(minutes=10))
    assert (describe(a)["silent_for"], describe(a)["of"]) == ("10m", "cardReader")
    assert b.trigger == Unseen(timedelta(hours=24))


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("silent_for: 10m\nof: cardReadr", "did you mean cardReader?"),
        ("silent_for: 10m\nof: cardReader\nfor: 1m", "for does not go with of"),
        ("never_seen_for: 24h\nof: cardReader", "of does not go with never_seen_for"),
        ("never_seen_for: 24h\nimpact: offline", "its state is unknown"),
        ("never_seen_for: soon", "never_seen_for:"),
    ],
)
def test_what_cannot_be_is_refused(tmp_path: Path, text: str, problem: str) -> None:
    with pytest.raises(CatalogueError) as refused:
        load(written(tmp_path, complete(f"name: a\n{text}")))
    assert any(problem in str(each) for each in refused.value.problems)
