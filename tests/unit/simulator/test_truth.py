"""What is known about a terminal from inside, and never said."""

from pathlib import Path

import pytest

from fleet.service_state import ServiceState
from simulator import truth
from simulator.behaviour import HOUR_S, Behaviour
from simulator.device import Device, Origin
from simulator.errors import StateError
from simulator.truth import Label, Run, Stay, Witness
from simulator.turns import Turn

START = 1_795_651_200.0
QUIET = Behaviour(customers_per_day=0, faults_per_day=0, stock_at_start=0.9, heartbeat_s=60)


def watched(
    *turns: Turn, kind: str = "atm", behaviour: Behaviour = QUIET
) -> tuple[Device, Witness]:
    witness = Witness("ATM-0001", kind, START)
    origin = Origin("ATM-0001", kind, 7, 1, START)
    return Device(origin, behaviour, iter(turns), witness), witness


def test_a_label_says_what_was_wrong_from_when_to_when_and_why() -> None:
    """Two jams, one by the scenario and one by hand; between them the terminal is well."""
    turn = Turn(START + 10, START + 70, {"cardReader.media": "jammed"}, cause="worn out")
    device, witness = watched(turn)
    device.live(START + 100)
    device.set_by_hand({"cardReader.media": "jammed"}, START + 200)
    assert witness.wrong_now == 1
    device.repair(START + 230)
    assert witness.labels == [
        Label("ATM-0001", "card-reader-jammed", START + 10, START + 70, cause="worn out"),
        Label("ATM-0001", "card-reader-jammed", START + 200, START + 230, cause="hands"),
    ]
    out = [(stay.begins_at, stay.ends_at) for stay in witness.stays if stay.state != "in_service"]
    assert out == [(START + 10, START + 70), (START + 200, START + 230)]


def test_of_several_troubles_the_state_is_the_first_in_precedence() -> None:
    """A missing unit, then a cut line, then the line is back and the unit still missing."""
    turns = (
        Turn(START + 10, START + 500, {"storage.CST1.status": "missing"}),
        Turn(START + 100, START + 200, {"offline": True}),
    )
    device, witness = watched(*turns)
    device.live(START + 600)
    states = [(stay.state, stay.begins_at - START) for stay in witness.stays]
    assert states == [
        (ServiceState.IN_SERVICE, 0),
        (ServiceState.DEGRADED, 10),
        (ServiceState.OFFLINE, 100),
        (ServiceState.DEGRADED, 200),
    ]
    assert [label.item for label in witness.labels] == ["", "CST1"]


def test_something_hidden_is_in_the_truth_and_changes_no_message() -> None:
    """A skimmer that no sensor notices."""
    plain, _ = watched()
    device, witness = watched(Turn(START + 10, START + 500, cause="gang", hidden="skimmer"))
    assert device.advance(START + 600) == plain.advance(START + 600)
    [label] = witness.labels
    assert (label.name, label.hidden, label.cause) == ("skimmer", True, "gang")


def test_a_terminal_that_hangs_is_silent_and_then_begins_a_new_boot() -> None:
    """Its line stands; a terminal without power has none, and begins a new boot too."""
    device, witness = watched(Turn(START + 10, START + 300, {"silent": True}))
    said = device.advance(START + 400)
    assert not [m for m in said if START + 10 <= m.ts.timestamp() < START + 300]
    assert [m.boot for m in said][-1] == 2
    mains = {"powerManagement.info.powerInStatus": "noPower"}
    device, witness = watched(Turn(START + 10, START + 3 * HOUR_S, mains))
    device.live(START + 2 * HOUR_S)
    assert not device.linked
    device.live(START + 4 * HOUR_S)
    assert (device.linked, device.boot) == (True, 2)
    names = [label.name for label in witness.labels]
    assert sorted(names) == ["battery-critical", "mains-lost", "offline"]


def test_a_clock_jumps_and_the_truth_keeps_its_own_time() -> None:
    """Two hours behind for a minute; the label of a jam in it is where it was."""
    jump = Turn(START + 10, START + 130, ahead_s=-2 * HOUR_S)
    jam = Turn(START + 20, START + 50, {"cardReader.media": "jammed"})
    device, witness = watched(jump, jam)
    said = device.advance(START + 300)
    behind = [m for m in said if m.ts.timestamp() < START]
    assert behind
    assert witness.labels[0].begins_at == START + 20
    assert said[-1].ts.timestamp() > START + 200


def test_notes_leak_away_that_nobody_was_paid() -> None:
    """Counts fall, and no transaction says why."""
    device, _ = watched(Turn(START + 10, START + 5 * HOUR_S, leak_per_h=200))
    before = notes(device)
    said = device.advance(START + 5 * HOUR_S)
    assert 800 < before - notes(device) < 1200
    assert all(hasattr(message, "status") for message in said)


def notes(device: Device) -> int:
    counts = device.properties().items()
    return sum(int(n) for path, n in counts if path.startswith("storage.CST") and "count" in path)


def test_the_file_is_read_as_it_was_written(tmp_path: Path) -> None:
    """And one that is something else is refused."""
    path = tmp_path / "deep" / "truth.jsonl"
    lines: list[truth.Line] = [
        Run("quiet", 1, 2, START),
        Label("ATM-0001", "skimmer", START, None, hidden=True),
        Stay("ATM-0001", ServiceState.IN_SERVICE, START, None),
    ]
    truth.write(path, lines)
    assert truth.read(path) == lines
    path.write_text("[]\n")
    with pytest.raises(StateError, match="truth"):
        truth.read(path)
