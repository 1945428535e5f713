"""What goes wrong with terminals by itself, in the words of XFS4IoT.

Each kind belongs to a family; how often a family fails is `simulator.behaviour.SHARES`, and within
it each kind that the terminal can have counts by its `weight`.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from simulator.properties import OFFLINE, PSEUDO, SILENT, Values


@dataclass(frozen=True, slots=True)
class Fault:
    """One kind: what it sets and the `Common.ErrorEvent` it sends.

    `action` is XFS4IoT's: `clear` for bank staff, `maintenance` for an engineer, `suspend` when it
    passes by itself. `cured_by_reset` ones end with the command `reset`; after a `reboots` one the
    terminal starts anew.
    """

    name: str
    family: str
    component: str
    values: Values
    action: str = "maintenance"
    event_id: str = "hardware"
    weight: float = 1
    cured_by_reset: bool = False
    reboots: bool = False


_MAINS: Values = {
    "powerManagement.info.powerInStatus": "noPower",
    "powerManagement.batteryChargingStatus": "discharging",
}
MAINS_LOST = Fault("mains-lost", "power", "powerManagement", _MAINS, "suspend")

FAULTS = (
    Fault("line-down", "communication", "common", {OFFLINE: True}, "suspend"),
    Fault("cassette-inoperative", "cash", "storage", {"storage.CST2.status": "inoperative"}),
    Fault("cassette-missing", "cash", "storage", {"storage.CST3.status": "missing"}, "clear"),
    Fault("recycling-unit-inoperative", "cash", "storage", {"storage.REC2.status": "inoperative"}),
    Fault("banknote-reader", "cash", "cashAcceptor", {"cashAcceptor.banknoteReader": "inoperable"}),
    Fault(
        "dispenser-hardware",
        "dispenser",
        "cashDispenser",
        {"cashDispenser.device": "hardwareError"},
    ),
    Fault(
        "shutter-jammed",
        "dispenser",
        "cashDispenser",
        {"cashDispenser.positions.outDefault.shutter": "jammedClosed"},
    ),
    Fault(
        "transport-blocked",
        "dispenser",
        "cashDispenser",
        {"cashDispenser.positions.outDefault.transport": "inoperative"},
    ),
    Fault(
        "card-jammed",
        "card_reader",
        "cardReader",
        {"cardReader.media": "jammed"},
        "clear",
        weight=2,
    ),
    Fault("chip-power", "card_reader", "cardReader", {"cardReader.chipPower": "hardwareError"}),
    Fault("chip-module", "card_reader", "cardReader", {"cardReader.chipModule": "inoperable"}),
    Fault("reader-hardware", "card_reader", "cardReader", {"cardReader.device": "hardwareError"}),
    Fault(
        "paper-jammed", "printer", "printer", {"printer.paper.upper": "jammed"}, "clear", weight=2
    ),
    Fault("paper-stuck", "printer", "printer", {"printer.media": "jammed"}, "clear"),
    Fault("printer-hardware", "printer", "printer", {"printer.device": "hardwareError"}),
    MAINS_LOST,
    Fault(
        "pin-pad-not-ready",
        "software",
        "keyManagement",
        {"keyManagement.encryptionState": "notReady"},
        "reset",
        event_id="software",
        weight=3,
        cured_by_reset=True,
    ),
    Fault(
        "software-hangs",
        "software",
        "common",
        {SILENT: True},
        "reset",
        event_id="software",
        cured_by_reset=True,
        reboots=True,
    ),
    Fault("camera-dark", "other", "camera", {"camera.cameras.person": "inop"}),
    Fault("fan-stopped", "other", "common", {"metrics.temperature_c": 68.5}),
    Fault(
        "anti-fraud-module", "other", "common", {"common.antiFraudModule": "inoperable"}, "clear"
    ),
    Fault("scanner-dark", "other", "barcodeReader", {"barcodeReader.scanner": "inoperative"}),
)

_EVERYWHERE = {*PSEUDO, "metrics.temperature_c"}


def possible(values: Mapping[str, object], family: str | None = None) -> tuple[Fault, ...]:
    """The kinds, or those of one family, that can befall a terminal with these properties."""
    return tuple(
        fault
        for fault in FAULTS
        if family in (None, fault.family)
        and all(path in _EVERYWHERE or path in values for path in fault.values)
    )
