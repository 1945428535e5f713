"""The components of a terminal in the words of XFS4IoT (CWA 17852): one struct a status class.

Every property is optional: absent and null both mean that the device does not support it. Values
are read as plain strings, because vendors extend: `OneOf` names the values the standard knows, and
whatever else arrives is kept and counted (`fleet.vocabulary`), never refused. What is refused is
the wrong JSON type, with the path of the field in the error.
"""

from typing import Annotated

import msgspec


class OneOf:
    """Marks a property with the values that XFS4IoT defines for it."""

    __slots__ = ("values",)

    def __init__(self, *values: str) -> None:
        self.values = values


DeviceState = Annotated[
    str | None,
    OneOf(
        "online",
        "offline",
        "powerOff",
        "noDevice",
        "hardwareError",
        "userError",
        "deviceBusy",
        "fraudAttempt",
        "potentialFraud",
        "starting",
    ),
]
Inoperability = Annotated[str | None, OneOf("ok", "inoperable", "unknown")]
Attention = Annotated[str | None, OneOf("ok", "attention", "stop", "unknown")]
Shutter = Annotated[
    str | None,
    OneOf(
        "closed",
        "open",
        "jammedOpen",
        "jammedPartiallyOpen",
        "jammedClosed",
        "jammedUnknown",
        "unknown",
    ),
]
Transport = Annotated[str | None, OneOf("ok", "inoperative", "unknown")]
TransportStatus = Annotated[str | None, OneOf("empty", "notEmpty", "notEmptyCustomer", "unknown")]
PaperLevel = Annotated[str | None, OneOf("unknown", "full", "low", "out", "jammed")]
InkLevel = Annotated[str | None, OneOf("unknown", "full", "low", "out")]
CameraMediaLevel = Annotated[str | None, OneOf("ok", "high", "full", "unknown")]
CameraState = Annotated[str | None, OneOf("ok", "inop", "unknown")]
Sensor = Annotated[str | None, OneOf("on", "off")]
Door = Annotated[str | None, OneOf("closed", "open", "locked", "bolted", "tampered")]
MAX_MEMBERS = 100
"""Of a list: more than any terminal has of anything, and few enough to be judged one by one."""
MAX_NAME = 64
MAX_ITEMS = 2**53
"""What JSON's readers agree on."""
Name = Annotated[str, msgspec.Meta(max_length=MAX_NAME)]
Items = Annotated[int, msgspec.Meta(ge=-MAX_ITEMS, le=MAX_ITEMS)]
Measurement = Annotated[float, msgspec.Meta(ge=-1e9, le=1e9)] | None
PowerState = Annotated[str | None, OneOf("powering", "noPower")]


class Part(msgspec.Struct, frozen=True, omit_defaults=True, rename="camel"):
    """A group of properties inside a component; spelled in camel case on the wire."""


class Component(Part, frozen=True):
    """What every component reports."""

    device: DeviceState = None


class Common(Component, frozen=True):
    """The terminal as a whole."""

    device_position: Annotated[str | None, OneOf("inPosition", "notInPosition", "unknown")] = None
    anti_fraud_module: Annotated[
        str | None, OneOf("ok", "inoperable", "deviceDetected", "unknown")
    ] = None
    exchange: Annotated[str | None, OneOf("active", "inactive")] = None
    end_to_end_security: Annotated[
        str | None, OneOf("notEnforced", "notConfigured", "enforced")
    ] = None


class CardReader(Component, frozen=True):
    """The card reader (IDC in XFS 3)."""

    media: Annotated[
        str | None, OneOf("unknown", "present", "notPresent", "jammed", "entering", "latched")
    ] = None
    security: Annotated[str | None, OneOf("notReady", "open")] = None
    chip_power: Annotated[
        str | None,
        OneOf("unknown", "online", "busy", "poweredOff", "noDevice", "hardwareError", "noCard"),
    ] = None
    chip_module: Inoperability = None
    mag_write_module: Inoperability = None


class DispenserPosition(Part, frozen=True):
    """One output position: its shutter and what lies behind it."""

    position: Name | None = None
    shutter: Shutter = None
    position_status: Annotated[str | None, OneOf("empty", "notEmpty", "unknown")] = None
    transport: Transport = None
    transport_status: TransportStatus = None


class CashDispenser(Component, frozen=True):
    """The cash dispenser (CDM in XFS 3)."""

    intermediate_stacker: Annotated[
        str | None, OneOf("empty", "notEmpty", "notEmptyCustomer", "notEmptyUnknown", "unknown")
    ] = None
    positions: (
        Annotated[tuple[DispenserPosition, ...], msgspec.Meta(max_length=MAX_MEMBERS)] | None
    ) = None


class AcceptorPosition(Part, frozen=True):
    """One input or output position of the acceptor."""

    position: Name | None = None
    shutter: Shutter = None
    position_status: Annotated[
        str | None, OneOf("empty", "notEmpty", "unknown", "foreignItems")
    ] = None
    transport: Transport = None
    transport_status: TransportStatus = None


class CashAcceptor(Component, frozen=True):
    """The banknote acceptor of a recycler (CIM in XFS 3)."""

    intermediate_stacker: Annotated[str | None, OneOf("empty", "notEmpty", "full", "unknown")] = (
        None
    )
    stacker_items: Annotated[
        str | None, OneOf("customerAccess", "noCustomerAccess", "accessUnknown", "noItems")
    ] = None
    banknote_reader: Inoperability = None
    drop_box: bool | None = None
    positions: (
        Annotated[tuple[AcceptorPosition, ...], msgspec.Meta(max_length=MAX_MEMBERS)] | None
    ) = None


class CashManagement(Component, frozen=True):
    """The cash units as a whole: `attention` can still dispense, `stop` cannot."""

    dispenser: Attention = None
    acceptor: Attention = None


class Paper(Part, frozen=True):
    """Paper supplies by their place."""

    upper: PaperLevel = None
    lower: PaperLevel = None
    external: PaperLevel = None
    aux: PaperLevel = None
    aux2: PaperLevel = None
    park: PaperLevel = None


class Printer(Component, frozen=True):
    """The receipt, journal or passbook printer."""

    media: Annotated[
        str | None, OneOf("unknown", "present", "notPresent", "jammed", "entering", "retracted")
    ] = None
    paper: Paper | None = None
    toner: InkLevel = None
    ink: InkLevel = None
    lamp: Annotated[str | None, OneOf("unknown", "ok", "fading", "inop")] = None


class KeyManagement(Component, frozen=True):
    """The PIN pad and its keys."""

    encryption_state: Annotated[
        str | None,
        OneOf("ready", "notReady", "notInitialized", "busy", "undefined", "initialized"),
    ] = None
    certificate_state: Annotated[
        str | None, OneOf("unknown", "primary", "secondary", "notReady")
    ] = None


class BarcodeReader(Component, frozen=True):
    """The barcode scanner."""

    scanner: Annotated[str | None, OneOf("on", "off", "inoperative", "unknown")] = None


class CameraMedia(Part, frozen=True):
    """How full each camera's recording medium is."""

    room: CameraMediaLevel = None
    person: CameraMediaLevel = None
    exit_slot: CameraMediaLevel = None


class Cameras(Part, frozen=True):
    """Whether each camera works."""

    room: CameraState = None
    person: CameraState = None
    exit_slot: CameraState = None


class Camera(Component, frozen=True):
    """The cameras of the terminal."""

    media: CameraMedia | None = None
    cameras: Cameras | None = None


class UninterruptiblePowerSupply(Part, frozen=True):
    """The flags of the UPS."""

    low: bool | None = None
    engaged: bool | None = None
    powering: bool | None = None
    recovered: bool | None = None


class Auxiliaries(Component, frozen=True):
    """Switches, sensors, doors (SIU in XFS 3)."""

    operator_switch: Annotated[str | None, OneOf("run", "maintenance", "supervisor")] = None
    tamper: Sensor = None
    internal_tamper: Sensor = None
    seismic: Sensor = None
    heat_sensor: Sensor = None
    cabinet_door: Door = None
    safe_door: Door = None
    vandal_shield: Annotated[
        str | None,
        OneOf(
            "closed",
            "open",
            "locked",
            "bolted",
            "tampered",
            "service",
            "keyboard",
            "partiallyOpen",
            "jammed",
        ),
    ] = None
    ups: UninterruptiblePowerSupply | None = msgspec.field(default=None, name="UPS")


class PowerInfo(Part, frozen=True):
    """Mains in, supply out."""

    power_in_status: PowerState = None
    power_out_status: PowerState = None


class PowerManagement(Component, frozen=True):
    """Mains and battery."""

    info: PowerInfo | None = None
    battery_status: Annotated[
        str | None, OneOf("full", "low", "operational", "critical", "failure")
    ] = None
    battery_charging_status: Annotated[
        str | None, OneOf("charging", "discharging", "notCharging")
    ] = None


class VendorMode(Component, frozen=True):
    """Whether the vendor's own application has the terminal."""

    device: Annotated[str | None, OneOf("online", "offline")] = None
    service: Annotated[str | None, OneOf("enterPending", "active", "exitPending", "inactive")] = (
        None
    )


class Status(msgspec.Struct, frozen=True, omit_defaults=True, rename="camel"):
    """The whole of `Common.Status`: a component that is absent is not fitted."""

    common: Common | None = None
    card_reader: CardReader | None = None
    cash_dispenser: CashDispenser | None = None
    cash_acceptor: CashAcceptor | None = None
    cash_management: CashManagement | None = None
    printer: Printer | None = None
    key_management: KeyManagement | None = None
    barcode_reader: BarcodeReader | None = None
    camera: Camera | None = None
    auxiliaries: Auxiliaries | None = None
    power_management: PowerManagement | None = None
    vendor_mode: VendorMode | None = None


class StorageUnit(msgspec.Struct, frozen=True, omit_defaults=True, rename="camel"):
    """One unit of `Storage.GetStorage`: a cassette, a reject bin, a card bin.

    `value` is the denomination in whole units of `currency`; `count` and `capacity` are items. A
    unit that does not say its `type` is a cassette.
    """

    id: Name
    status: Annotated[
        str | None, OneOf("ok", "inoperative", "missing", "notConfigured", "manipulated")
    ] = None
    replenishment_status: Annotated[str | None, OneOf("ok", "full", "high", "low", "empty")] = None
    type: Annotated[str | None, OneOf("cassette", "recycle", "deposit", "reject", "retract")] = None
    currency: str | None = None
    value: float | None = None
    count: Items | None = None
    capacity: Items | None = None


Storage = Annotated[tuple[StorageUnit, ...], msgspec.Meta(max_length=MAX_MEMBERS)]
"""All the units of a terminal."""


class Metrics(msgspec.Struct, frozen=True, omit_defaults=True):
    """Numbers a terminal measures about itself; units are in the names."""

    temperature_c: Measurement = None
    rtt_ms: Measurement = None
    disk_free_pct: Measurement = None
