"""What is wrong with a terminal, seen from inside: what a perfect system would say of it.

This is the simulator's own judgement, from the terminal's true properties and not from anything it
sends, and made without a look at how the rules are written: each trouble has the name under which
the default catalogue ought to report it, and the service state it truly causes. How long it must
last before a fault is raised is the catalogue's business.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache
from typing import NamedTuple

from fleet.service_state import ServiceState
from simulator import equipment
from simulator.properties import DARK, ELSEWHERE, OFFLINE, SILENT, Values

CASH_LEAK = "cash-leak"
ERRORS = {"cardReader": "card-reader-errors"}
"""By component, what it is called when one error comes after the other."""
OUT, DEGRADED = ServiceState.OUT_OF_SERVICE, ServiceState.DEGRADED
_DEAD = ("hardwareError", "noDevice", "powerOff")
_JAMMED = ("jammedOpen", "jammedPartiallyOpen", "jammedClosed", "jammedUnknown")
_CASH = ("cassette", "recycle")


class Trouble(NamedTuple):
    """A property (`[]`: of each member) that has one of these values; only of units of a type."""

    name: str
    path: str
    values: tuple[str, ...]
    impact: ServiceState | None = None
    unit_types: tuple[str, ...] = ()


TROUBLES = (
    Trouble("card-reader-jammed", "cardReader.media", ("jammed",), OUT),
    Trouble("card-reader-failed", "cardReader.device", _DEAD, OUT),
    Trouble("card-chip-module-failed", "cardReader.chipModule", ("inoperable",), OUT),
    Trouble(
        "card-chip-power-lost", "cardReader.chipPower", ("poweredOff", "hardwareError"), DEGRADED
    ),
    Trouble("card-magnetic-stripe-failed", "cardReader.magWriteModule", ("inoperable",), DEGRADED),
    Trouble("pin-pad-failed", "keyManagement.device", _DEAD, OUT),
    Trouble(
        "pin-pad-not-ready",
        "keyManagement.encryptionState",
        ("notReady", "notInitialized", "undefined"),
        OUT,
    ),
    Trouble("cassette-low", "storage[].replenishmentStatus", ("low",), None, _CASH),
    Trouble("cassette-empty", "storage[].replenishmentStatus", ("empty",), DEGRADED, _CASH),
    Trouble("cassette-missing", "storage[].status", ("missing",), DEGRADED),
    Trouble("cassette-manipulated", "storage[].status", ("manipulated",), DEGRADED),
    Trouble("cassette-inoperative", "storage[].status", ("inoperative",), DEGRADED),
    Trouble("reject-bin-full", "storage[].replenishmentStatus", ("full",), OUT, ("reject",)),
    Trouble(
        "reject-bin-nearly-full", "storage[].replenishmentStatus", ("high",), None, ("reject",)
    ),
    Trouble("dispenser-failed", "cashDispenser.device", _DEAD, OUT),
    Trouble("dispenser-shutter-jammed", "cashDispenser.positions[].shutter", _JAMMED, OUT),
    Trouble(
        "dispenser-transport-inoperative",
        "cashDispenser.positions[].transport",
        ("inoperative",),
        OUT,
    ),
    Trouble(
        "dispenser-notes-left",
        "cashDispenser.intermediateStacker",
        ("notEmptyCustomer", "notEmptyUnknown"),
    ),
    Trouble("cash-out", "cashManagement.dispenser", ("stop",), ServiceState.CASH_OUT),
    Trouble("deposits-stopped", "cashManagement.acceptor", ("stop",), DEGRADED),
    Trouble("acceptor-failed", "cashAcceptor.device", _DEAD, DEGRADED),
    Trouble("acceptor-shutter-jammed", "cashAcceptor.positions[].shutter", _JAMMED, DEGRADED),
    Trouble("banknote-reader-failed", "cashAcceptor.banknoteReader", ("inoperable",), DEGRADED),
    Trouble("terminal-failed", "common.device", ("hardwareError",), OUT),
    Trouble("mains-lost", "powerManagement.info.powerInStatus", ("noPower",), DEGRADED),
    Trouble("battery-critical", "powerManagement.batteryStatus", ("critical", "failure")),
    Trouble(
        "supervisor-mode",
        "auxiliaries.operatorSwitch",
        ("supervisor", "maintenance"),
        ServiceState.SUPERVISOR,
    ),
    Trouble("vendor-mode", "vendorMode.service", ("active",), ServiceState.SUPERVISOR),
    Trouble("printer-failed", "printer.device", _DEAD, DEGRADED),
    Trouble("printer-media-jammed", "printer.media", ("jammed",), DEGRADED),
    Trouble("paper-low", "printer.paper.upper", ("low",)),
    Trouble("paper-out", "printer.paper.upper", ("out",), DEGRADED),
    Trouble("paper-jammed", "printer.paper.upper", ("jammed",), DEGRADED),
    Trouble("barcode-scanner-inoperative", "barcodeReader.scanner", ("inoperative",), DEGRADED),
    Trouble("fraud-attempt", "common.device", ("fraudAttempt",), OUT),
    Trouble("card-reader-fraud-attempt", "cardReader.device", ("fraudAttempt",), OUT),
    Trouble("card-reader-potential-fraud", "cardReader.device", ("potentialFraud",)),
    Trouble("dispenser-fraud-attempt", "cashDispenser.device", ("fraudAttempt",), OUT),
    Trouble("anti-fraud-device-detected", "common.antiFraudModule", ("deviceDetected",), DEGRADED),
    Trouble("anti-fraud-module-inoperable", "common.antiFraudModule", ("inoperable",)),
    Trouble("tamper", "auxiliaries.tamper", ("on",)),
    Trouble("internal-tamper", "auxiliaries.internalTamper", ("on",)),
    Trouble("seismic", "auxiliaries.seismic", ("on",)),
    Trouble("heat-sensor", "auxiliaries.heatSensor", ("on",)),
    Trouble("camera-person-inoperative", "camera.cameras.person", ("inop",)),
    Trouble("camera-room-inoperative", "camera.cameras.room", ("inop",)),
    Trouble("camera-exit-inoperative", "camera.cameras.exitSlot", ("inop",)),
)

TOO_HOT_C = 60.0
DISK_FULL_PCT = 10.0


class Wrong(NamedTuple):
    """One thing that is wrong, on an item or "" for the whole, and the property that says so."""

    name: str
    item: str
    path: str
    impact: ServiceState | None


@dataclass(frozen=True, slots=True)
class _Probe:
    wrong: Wrong
    values: tuple[str, ...]


class Inspector:
    """Looks at the true properties of a kind of terminal; made for those that are present."""

    def __init__(self, present: Values) -> None:
        self._probes = [probe for trouble in TROUBLES for probe in _probes(trouble, present)]

    def look(self, values: Values) -> list[Wrong]:
        """Everything that is wrong now."""
        found = [
            probe.wrong for probe in self._probes if values.get(probe.wrong.path) in probe.values
        ]
        return found + [wrong for wrong, holds in _OTHERS if holds(values)]


@cache
def inspector(kind: str) -> Inspector:
    """The one for terminals of a kind."""
    return Inspector(equipment.in_order(kind, dict.fromkeys(equipment.cash_units(kind), 0)))


def _probes(trouble: Trouble, present: Values) -> Iterator[_Probe]:
    root, listed, rest = trouble.path.partition("[].")
    if not listed:
        yield _Probe(Wrong(trouble.name, "", trouble.path, trouble.impact), trouble.values)
        return
    members = {
        path.split(".")[root.count(".") + 1] for path in present if path.startswith(f"{root}.")
    }
    for member in sorted(members):
        if trouble.unit_types and present.get(f"{root}.{member}.type") not in trouble.unit_types:
            continue
        path = f"{root}.{member}.{rest}"
        yield _Probe(Wrong(trouble.name, member, path, trouble.impact), trouble.values)


def _offline(values: Values) -> bool:
    """Nobody hears it where it belongs; one that was carried off is not there."""
    return bool(values.get(OFFLINE) or values.get(DARK) or values.get(ELSEWHERE))


def _silent(values: Values) -> bool:
    return bool(values.get(SILENT)) and not _offline(values)


def _safe_open(values: Values) -> bool:
    door = values.get("auxiliaries.safeDoor")
    in_hand = values.get("auxiliaries.operatorSwitch") != "run"
    return door == "tampered" or (door == "open" and not in_hand)


def _number(values: Values, path: str, default: float) -> float:
    value = values.get(path, default)
    return float(value) if isinstance(value, int | float) else default


_OTHERS: tuple[tuple[Wrong, Callable[[Values], bool]], ...] = (
    (Wrong("offline", "", OFFLINE, ServiceState.OFFLINE), _offline),
    (Wrong("silent", "", SILENT, ServiceState.OFFLINE), _silent),
    (Wrong("safe-door-open", "", "auxiliaries.safeDoor", None), _safe_open),
    (
        Wrong("over-temperature", "", "metrics.temperature_c", DEGRADED),
        lambda values: _number(values, "metrics.temperature_c", 0) > TOO_HOT_C,
    ),
    (
        Wrong("disk-nearly-full", "", "metrics.disk_free_pct", None),
        lambda values: _number(values, "metrics.disk_free_pct", 100) < DISK_FULL_PCT,
    ),
)
