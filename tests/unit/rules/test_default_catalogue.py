"""The default catalogue: every rule fires on what it is about, and on nothing else."""

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import msgspec
import pytest

from fleet import demo, snapshot
from fleet.rules.catalogue import load
from fleet.rules.rule import (
    SKILLS,
    Count,
    Offline,
    Quorum,
    Rate,
    Rule,
    Silent,
    Unsaid,
    Unseen,
    When,
)
from fleet.rules.severity import Severity
from fleet.service_state import ServiceState
from fleet.snapshot import Snapshot, Values
from fleet.telemetry import Telemetry

EXAMPLES = Path(__file__).parents[3] / "docs/reference/examples"
CATALOGUE = load()
RULES = {rule.name: rule for rule in CATALOGUE.rules}

# What makes each rule fire: values of the terminal, or of one more member of its list.
FIRES: dict[str, Values] = {
    "acceptor-failed": {"cashAcceptor.device": "hardwareError"},
    "acceptor-shutter-jammed": {"shutter": "jammedPartiallyOpen"},
    "anti-fraud-device-detected": {"common.antiFraudModule": "deviceDetected"},
    "anti-fraud-module-inoperable": {"common.antiFraudModule": "inoperable"},
    "banknote-reader-failed": {"cashAcceptor.banknoteReader": "inoperable"},
    "barcode-scanner-inoperative": {"barcodeReader.scanner": "inoperative"},
    "battery-critical": {"powerManagement.batteryStatus": "critical"},
    "camera-exit-inoperative": {"camera.cameras.exitSlot": "inop"},
    "camera-person-inoperative": {"camera.cameras.person": "inop"},
    "camera-room-inoperative": {"camera.cameras.room": "inop"},
    "card-chip-module-failed": {"cardReader.chipModule": "inoperable"},
    "card-chip-power-lost": {"cardReader.chipPower": "poweredOff"},
    "card-magnetic-stripe-failed": {"cardReader.magWriteModule": "inoperable"},
    "card-reader-failed": {"cardReader.device": "hardwareError"},
    "card-reader-fraud-attempt": {"cardReader.device": "fraudAttempt"},
    "card-reader-jammed": {"cardReader.media": "jammed"},
    "card-reader-potential-fraud": {"cardReader.device": "potentialFraud"},
    "cash-out": {"cashManagement.dispenser": "stop"},
    "cassette-empty": {"type": "cassette", "replenishmentStatus": "empty"},
    "cassette-inoperative": {"status": "inoperative"},
    "cassette-low": {"type": "recycle", "replenishmentStatus": "low"},
    "cassette-manipulated": {"status": "manipulated"},
    "cassette-missing": {"status": "missing"},
    "deposit-unit-full": {"type": "deposit", "replenishmentStatus": "full"},
    "deposits-stopped": {"cashManagement.acceptor": "stop"},
    "disk-nearly-full": {"metrics.disk_free_pct": 9.5},
    "dispenser-failed": {"cashDispenser.device": "hardwareError"},
    "dispenser-fraud-attempt": {"cashDispenser.device": "fraudAttempt"},
    "dispenser-notes-left": {"cashDispenser.intermediateStacker": "notEmptyCustomer"},
    "dispenser-shutter-jammed": {"shutter": "jammedClosed"},
    "dispenser-transport-inoperative": {"transport": "inoperative"},
    "fraud-attempt": {"common.device": "fraudAttempt"},
    "heat-sensor": {"auxiliaries.heatSensor": "on"},
    "internal-tamper": {"auxiliaries.internalTamper": "on"},
    "journal-paper-out": {"printer.paper.lower": "out"},
    "mains-lost": {"powerManagement.info.powerInStatus": "noPower"},
    "over-temperature": {"metrics.temperature_c": 61},
    "paper-jammed": {"printer.paper.upper": "jammed"},
    "paper-low": {"printer.paper.upper": "low"},
    "paper-out": {"printer.paper.upper": "out"},
    "pin-pad-failed": {"keyManagement.device": "noDevice"},
    "pin-pad-not-ready": {"keyManagement.encryptionState": "notInitialized"},
    "printer-failed": {"printer.device": "hardwareError"},
    "printer-media-jammed": {"printer.media": "jammed"},
    "reject-bin-full": {"type": "reject", "replenishmentStatus": "full"},
    "reject-bin-nearly-full": {"type": "reject", "replenishmentStatus": "high"},
    "retract-bin-full": {"type": "retract", "replenishmentStatus": "full"},
    "safe-door-open": {"auxiliaries.safeDoor": "open", "auxiliaries.operatorSwitch": "run"},
    "seismic": {"auxiliaries.seismic": "on"},
    "supervisor-mode": {"auxiliaries.operatorSwitch": "supervisor"},
    "tamper": {"auxiliaries.tamper": "on"},
    "terminal-failed": {"common.device": "hardwareError"},
    "toner-low": {"printer.toner": "low"},
    "vendor-mode": {"vendorMode.service": "active"},
}


def example(name: str) -> Snapshot:
    message = msgspec.json.decode((EXAMPLES / name).read_bytes(), type=Telemetry)
    read = snapshot.read(message.status, message.storage)
    measured = snapshot.read_metrics(message.metrics)
    return Snapshot({**read.values, **measured.values}, read.items)


HEALTHY = example("telemetry-healthy.json")


def conditions() -> Iterator[tuple[Rule, When]]:
    for rule in CATALOGUE.rules:
        if isinstance(rule.trigger, When):
            yield rule, rule.trigger


def firing(seen: Snapshot) -> set[str]:
    """The rules whose condition is true of a snapshot or of a member of its lists."""
    found = set()
    for rule, trigger in conditions():
        subjects = [seen.values] if trigger.each is None else seen.items.get(trigger.each, ())
        if any(trigger.condition.evaluate(subject) for subject in subjects):
            found.add(rule.name)
    return found


def changed(each: str | None, values: Values) -> Snapshot:
    if each is None:
        return Snapshot({**HEALTHY.values, **values}, HEALTHY.items)
    more = (*HEALTHY.items.get(each, ()), {"id": "X", **values})
    return Snapshot(HEALTHY.values, {**HEALTHY.items, each: more})


def test_the_default_catalogue_is_sound_and_complete() -> None:
    """It loads, and holds what a bank expects of it."""
    assert len(CATALOGUE.rules) >= 30
    assert CATALOGUE.identity.startswith("1+")
    triggers = {type(rule.trigger) for rule in CATALOGUE.rules}
    assert triggers == {When, Silent, Unseen, Unsaid, Offline, Count, Rate, Quorum}


def test_every_condition_of_the_default_catalogue_has_a_case_here() -> None:
    """A rule nobody has seen firing is not delivered."""
    assert {rule.name for rule, _ in conditions()} == set(FIRES)


@pytest.mark.parametrize("name", sorted(FIRES))
def test_a_rule_fires_on_its_own_case_and_not_on_a_healthy_terminal(name: str) -> None:
    """One thing wrong, and no rule but this one says so."""
    trigger = RULES[name].trigger
    assert isinstance(trigger, When)
    assert name not in firing(HEALTHY)
    assert firing(changed(trigger.each, FIRES[name])) == {name}


def test_a_healthy_terminal_fires_nothing_and_the_documented_jam_one_rule() -> None:
    """The examples in the reference show one fault, cleared by the second message."""
    assert firing(HEALTHY) == set()
    assert firing(example("telemetry.json")) == {"card-reader-jammed"}


def test_a_rule_with_a_second_threshold_leaves_a_gap_between_them() -> None:
    """57 °C neither raises nor clears."""
    for rule, trigger in conditions():
        if trigger.clear_when is not None:
            raising = FIRES[rule.name]
            assert trigger.clear_when.evaluate(raising) is False
    hot = RULES["over-temperature"].trigger
    assert isinstance(hot, When)
    assert hot.clear_when is not None
    between: Values = {"metrics.temperature_c": 57.0}
    assert hot.condition.evaluate(between) is False
    assert hot.clear_when.evaluate(between) is False


@pytest.mark.parametrize(
    ("values", "fires"),
    [
        ({"auxiliaries.safeDoor": "open", "auxiliaries.operatorSwitch": "supervisor"}, False),
        ({"auxiliaries.safeDoor": "tampered", "auxiliaries.operatorSwitch": "supervisor"}, True),
        ({"auxiliaries.safeDoor": "bolted", "auxiliaries.operatorSwitch": "run"}, False),
    ],
)
def test_an_open_safe_is_an_alarm_only_outside_supervisor_mode(values: Values, fires: bool) -> None:
    """Staff open it to fill it; nobody tampers with it rightly."""
    assert ("safe-door-open" in firing(changed(None, values))) is fires


def test_an_empty_reject_bin_is_no_empty_cassette() -> None:
    """An empty bin is a good bin; a unit that does not say its type is a cassette."""
    silent_type = snapshot.read(b"{}", b'[{"id": "CST9", "replenishmentStatus": "empty"}]')
    assert firing(silent_type) == {"cassette-empty"}
    assert firing(changed("storage", {"type": "reject", "replenishmentStatus": "empty"})) == set()


def test_what_one_empty_cassette_means_and_what_no_cash_means() -> None:
    """Degraded while others pay out; cash out when the dispenser cannot; bins are neither."""
    assert RULES["cassette-empty"].impact is ServiceState.DEGRADED
    assert RULES["cash-out"].impact is ServiceState.CASH_OUT
    assert RULES["reject-bin-full"].impact is ServiceState.OUT_OF_SERVICE
    assert RULES["supervisor-mode"].impact is ServiceState.SUPERVISOR


def test_a_cell_wide_outage_stands_for_terminals_that_are_silent_or_offline() -> None:
    """Forty percent, three at least."""
    outage = RULES["cell-outage"]
    assert outage.scope == "cell"
    assert outage.trigger == Quorum(
        ("silent", "offline"), at_least=3, share=0.4, within=timedelta(minutes=15)
    )


def test_every_ticket_finds_somebody_with_its_skill() -> None:
    """A skill that no technician can have would leave its tickets unassigned."""
    assert set(SKILLS) == set(demo.SKILLS)
    assert {rule.skill for rule in CATALOGUE.rules} <= set(SKILLS)


def test_whoever_is_sent_is_told_what_to_do() -> None:
    """Titles are one of a kind and short, remedies are sentences."""
    titles = [rule.title for rule in CATALOGUE.rules]
    assert len(set(titles)) == len(titles)
    for rule in CATALOGUE.rules:
        assert len(rule.title) <= 50
        assert rule.remedy.endswith(".")
        assert rule.severity is not Severity.WARNING or rule.impact is None
