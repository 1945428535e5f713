"""Packets opened: what is short, what is whole, what is none."""

from datetime import UTC, datetime, timedelta

from collector.intake import Arrival, Intake, Opened, Repeated
from collector.registry import Entry, Registry
from fleet.quarantine import Reason

NOW = datetime(2026, 11, 23, 8, tzinfo=UTC)
ENTRY = Entry(1, "ATM-0001", "atm", "C001", "Acme", "One")
SAYS = '{{"ts":"{ts}","boot":1,"seq":{seq}{more},"status":{{}},"storage":[],"metrics":{{}}}}'


def arrival(seq: int, more: str = "") -> Arrival:
    """Heartbeat `seq` of the terminal, with more members in it."""
    ts = (NOW + timedelta(seconds=seq)).isoformat()
    payload = SAYS.format(ts=ts, seq=seq, more=more).encode()
    return Arrival("fleet/v1/R1/ATM-0001/telemetry", payload, NOW)


def test_a_heartbeat_that_names_its_own_terminal_goes_the_short_way() -> None:
    """The name is looked at without all that is said again."""
    intake = Intake(Registry("R1", {"ATM-0001": ENTRY}, {}))
    opening = intake.open([arrival(1), arrival(2), arrival(3, ',"terminal":"ATM-0001"')])
    assert [type(each) for each in opening.messages] == [Opened, Repeated, Repeated]


def test_a_heartbeat_that_names_another_terminal_is_set_aside() -> None:
    """Two terminals under one account: what one says is not the other's."""
    intake = Intake(Registry("R1", {"ATM-0001": ENTRY}, {}))
    opening = intake.open([arrival(1), arrival(2, ',"terminal":"ATM-0002"')])
    assert len(opening.messages) == 1
    assert [each.reason for each in opening.aside] == [Reason.WRONG_TOPIC]
