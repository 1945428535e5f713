"""The vocabulary: one table for decoder, rules, simulator and schema."""

import pytest

from fleet.vocabulary import COMPONENTS, PROPERTIES, Kind, suggest, suggest_value

TABLE = {
    "common.device": "online offline powerOff noDevice hardwareError userError deviceBusy "
    "fraudAttempt potentialFraud starting",
    "cardReader.media": "unknown present notPresent jammed entering latched",
    "cashDispenser.positions[].shutter": "closed open jammedOpen jammedPartiallyOpen jammedClosed "
    "jammedUnknown unknown",
    "cashAcceptor.positions[].positionStatus": "empty notEmpty unknown foreignItems",
    "cashManagement.dispenser": "ok attention stop unknown",
    "printer.paper.aux2": "unknown full low out jammed",
    "keyManagement.encryptionState": "ready notReady notInitialized busy undefined initialized",
    "camera.cameras.exitSlot": "ok inop unknown",
    "auxiliaries.vandalShield": "closed open locked bolted tampered service keyboard "
    "partiallyOpen jammed",
    "powerManagement.info.powerOutStatus": "powering noPower",
    "vendorMode.device": "online offline",
    "storage[].replenishmentStatus": "ok full high low empty",
    "storage[].type": "cassette recycle deposit reject retract",
}


@pytest.mark.parametrize(("path", "values"), TABLE.items())
def test_a_property_has_the_values_of_the_standard(path: str, values: str) -> None:
    """In the JSON spelling of XFS4IoT, at their paths."""
    assert PROPERTIES[path].values == tuple(values.split())


def test_flags_and_numbers_have_their_types() -> None:
    """Conditions are typed by them."""
    assert PROPERTIES["auxiliaries.UPS.engaged"].kind is Kind.BOOLEAN
    assert PROPERTIES["cashAcceptor.dropBox"].kind is Kind.BOOLEAN
    assert PROPERTIES["storage[].count"].kind is Kind.INTEGER
    assert PROPERTIES["storage[].value"].kind is Kind.NUMBER
    assert PROPERTIES["metrics.temperature_c"].kind is Kind.NUMBER
    assert all(f"{name}.device" in PROPERTIES for name in COMPONENTS)


def test_a_misspelt_path_or_value_finds_the_right_one() -> None:
    """Or none, where nothing is near."""
    assert suggest("cardReader.meida") == "cardReader.media"
    assert suggest("zzz") is None
    assert suggest_value(PROPERTIES["cardReader.media"], "jamed") == "jammed"
    assert suggest_value(PROPERTIES["cardReader.media"], "zzz") is None
