"""What a terminal of each kind is made of, everything in order and nothing used up yet."""

from simulator.properties import Values

CURRENCY = "CNY"
CASSETTES = ("CST1", "CST2", "CST3", "CST4")
RECYCLING = ("REC1", "REC2", "REC3", "REC4")
REJECT = "REJ1"
REJECT_CAPACITY = 300
DENOMINATION = 100
ROLL_RECEIPTS = 1500

_MACHINE: Values = {
    "common.device": "online",
    "common.devicePosition": "inPosition",
    "common.antiFraudModule": "ok",
    "common.exchange": "inactive",
    "cardReader.device": "online",
    "cardReader.media": "notPresent",
    "cardReader.chipPower": "noCard",
    "cardReader.chipModule": "ok",
    "cardReader.magWriteModule": "ok",
    "printer.device": "online",
    "printer.media": "notPresent",
    "printer.paper.upper": "full",
    "keyManagement.device": "online",
    "keyManagement.encryptionState": "ready",
    "keyManagement.certificateState": "primary",
    "camera.device": "online",
    "camera.cameras.person": "ok",
    "camera.media.person": "ok",
    "auxiliaries.device": "online",
    "auxiliaries.operatorSwitch": "run",
    "auxiliaries.tamper": "off",
    "auxiliaries.seismic": "off",
    "auxiliaries.heatSensor": "off",
    "auxiliaries.cabinetDoor": "closed",
    "powerManagement.device": "online",
    "powerManagement.info.powerInStatus": "powering",
    "powerManagement.info.powerOutStatus": "powering",
    "powerManagement.batteryStatus": "full",
    "powerManagement.batteryChargingStatus": "notCharging",
    "vendorMode.device": "online",
    "vendorMode.service": "inactive",
}
_DISPENSER: Values = {
    "auxiliaries.safeDoor": "closed",
    "cashDispenser.device": "online",
    "cashDispenser.intermediateStacker": "empty",
    "cashDispenser.positions.outDefault.shutter": "closed",
    "cashDispenser.positions.outDefault.positionStatus": "empty",
    "cashDispenser.positions.outDefault.transport": "ok",
    "cashDispenser.positions.outDefault.transportStatus": "empty",
    "cashManagement.device": "online",
    "cashManagement.dispenser": "ok",
}
_ACCEPTOR: Values = {
    "cashAcceptor.device": "online",
    "cashAcceptor.intermediateStacker": "empty",
    "cashAcceptor.stackerItems": "noItems",
    "cashAcceptor.banknoteReader": "ok",
    "cashAcceptor.positions.inDefault.shutter": "closed",
    "cashAcceptor.positions.inDefault.positionStatus": "empty",
    "cashAcceptor.positions.inDefault.transport": "ok",
    "cashManagement.acceptor": "ok",
}
_SCANNER: Values = {"barcodeReader.device": "online", "barcodeReader.scanner": "on"}


def cash_units(kind: str) -> tuple[str, ...]:
    """The units a terminal pays out from; none for a kiosk."""
    return {"atm": CASSETTES, "recycler": RECYCLING}.get(kind, ())


def in_order(kind: str, capacities: dict[str, int]) -> Values:
    """The properties of a terminal (`atm`, `recycler`, `kiosk`) as it leaves the workshop.

    `capacities` is how many notes each cash unit takes; they are full.
    """
    values = dict(_MACHINE)
    if kind == "kiosk":
        return values | _SCANNER
    values |= _DISPENSER
    if kind == "recycler":
        values |= _ACCEPTOR
    unit_type = "recycle" if kind == "recycler" else "cassette"
    for unit in cash_units(kind):
        values |= _unit(unit, unit_type, capacities[unit], capacities[unit])
        values[f"storage.{unit}.currency"] = CURRENCY
        values[f"storage.{unit}.value"] = DENOMINATION
    return values | _unit(REJECT, "reject", 0, REJECT_CAPACITY)


def _unit(name: str, unit_type: str, count: int, capacity: int) -> Values:
    return {
        f"storage.{name}.status": "ok",
        f"storage.{name}.replenishmentStatus": "ok",
        f"storage.{name}.type": unit_type,
        f"storage.{name}.count": count,
        f"storage.{name}.capacity": capacity,
    }
