"""A replay says what the collector said, though nobody lets time pass but the messages."""

from datetime import UTC, datetime, timedelta

import msgspec

from fleet.rules.catalogue import load
from fleet.rules.replay import Heard, Replay
from fleet.rules.terminal import Terminal
from fleet.telemetry import Telemetry

T0 = datetime(2026, 11, 23, 8, 0, tzinfo=UTC)
NOTHING, NO_UNITS = msgspec.Raw(b"{}"), msgspec.Raw(b"[]")


def at(seconds: float) -> datetime:
    return T0 + timedelta(seconds=seconds)


def told(replay: Replay) -> list[tuple[str, datetime, bool]]:
    courses = replay.courses.values()
    return sorted((each.key.subject, each.fired_at, each.alone) for each in courses)


def test_a_cell_that_was_silent_as_a_whole_is_one_outage_in_a_replay_too() -> None:
    """Four terminals fall silent together and come back after an hour: between them no message says
    that time has passed. Live it was one fault of the cell, that spoke for all four."""
    terminals = [Terminal(n, f"A{n}", "atm", "C1") for n in range(1, 5)]
    replay = Replay(load().selection(), terminals, T0)
    for seq in range(1, 30):
        for n in range(1, 5):
            said = at(30 * seq + n + (3600 if seq > 10 else 0))
            message = Telemetry(said, 1, seq, NOTHING, NO_UNITS)
            replay.hear(Heard(said, n, message, None))
    replay.finish(at(4500))
    members = [(f"A{n}", at(550 + n), False) for n in range(1, 5)]
    assert told(replay) == [*members, ("C1", at(488), True)]


def test_one_that_fell_silent_twice_has_two_faults_in_a_replay_too() -> None:
    """It spoke once between: the first silence was over before the second began, though nothing was
    heard that would have said so."""
    replay = Replay(load().selection(), [Terminal(1, "A1", "atm", "C1")], T0)
    for seq, second in enumerate((0, 600, 1200, 1230), start=1):
        message = Telemetry(at(second), 1, seq, NOTHING, NO_UNITS)
        replay.hear(Heard(at(second), 1, message, None))
    replay.finish(at(1300))
    assert told(replay) == [("A1", at(250), True), ("A1", at(850), True)]
