"""What goes wrong with terminals, in the words of XFS4IoT, and how often each kind does.

The shares are those commonly counted for ATM fleets: communication 25 %, cash 20 %, dispenser
18 %, card reader 12 %, printer 12 %, power 6 %, software 4 %, the rest 3 %.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from simulator.properties import OFFLINE, Values


@dataclass(frozen=True, slots=True)
class Fault:
    """One kind: what it sets, its share of all faults, and the `Common.ErrorEvent` it sends.

    `action` is XFS4IoT's: `clear` for bank staff, `maintenance` for an engineer, `suspend` when it
    passes by itself. `cured_by_reset` ones end with the command `reset`.
    """

    name: str
    component: str
    share: float
    values: Values
    action: str
    event_id: str = "hardware"
    cured_by_reset: bool = False


FAULTS = (
    Fault("line-down", "common", 25, {OFFLINE: True}, "suspend"),
    Fault(
        "cassette-inoperative",
        "storage",
        8,
        {"storage.CST2.status": "inoperative"},
        "maintenance",
    ),
    Fault("cassette-missing", "storage", 4, {"storage.CST3.status": "missing"}, "clear"),
    Fault(
        "recycling-unit-inoperative",
        "storage",
        8,
        {"storage.REC2.status": "inoperative"},
        "maintenance",
    ),
    Fault(
        "dispenser-hardware",
        "cashDispenser",
        9,
        {"cashDispenser.device": "hardwareError"},
        "maintenance",
    ),
    Fault(
        "shutter-jammed",
        "cashDispenser",
        9,
        {"cashDispenser.positions.outDefault.shutter": "jammedClosed"},
        "maintenance",
    ),
    Fault("card-jammed", "cardReader", 8, {"cardReader.media": "jammed"}, "clear"),
    Fault("chip-power", "cardReader", 4, {"cardReader.chipPower": "hardwareError"}, "maintenance"),
    Fault("paper-jammed", "printer", 12, {"printer.paper.upper": "jammed"}, "clear"),
    Fault(
        "mains-lost",
        "powerManagement",
        6,
        {
            "powerManagement.info.powerInStatus": "noPower",
            "powerManagement.batteryChargingStatus": "discharging",
        },
        "suspend",
    ),
    Fault(
        "pin-pad-not-ready",
        "keyManagement",
        4,
        {"keyManagement.encryptionState": "notReady"},
        "reset",
        event_id="software",
        cured_by_reset=True,
    ),
    Fault("camera-dark", "camera", 3, {"camera.cameras.person": "inop"}, "maintenance"),
)


def possible(values: Mapping[str, object]) -> tuple[Fault, ...]:
    """The kinds that can befall a terminal with these properties."""
    return tuple(
        fault for fault in FAULTS if all(path == OFFLINE or path in values for path in fault.values)
    )
