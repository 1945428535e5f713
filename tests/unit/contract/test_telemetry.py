"""Messages: what is taken, what is refused, and why."""

import json
import re
from datetime import UTC, datetime, timedelta

import msgspec
import pytest

from fleet import snapshot
from fleet.components import Status
from fleet.quarantine import Quarantined, Reason
from fleet.telemetry import (
    MAX_AHEAD,
    MAX_BEHIND,
    MAX_PAYLOAD_BYTES,
    Event,
    Presence,
    Resend,
    Reset,
    Telemetry,
    check_time,
    decode,
    decode_command,
    encode,
)
from fleet.topics import Channel
from fleet.vocabulary import PROPERTIES, Kind, Property, Unknown

HEAD = '"ts": "2026-11-23T08:00:00.123+08:00", "boot": 17, "seq": 4211'
WRONG = {Kind.STRING: 7, Kind.NUMBER: "7", Kind.INTEGER: 7.5, Kind.BOOLEAN: "true"}


def message(rest: str = '"status": {}') -> bytes:
    return f"{{{HEAD}, {rest}}}".encode()


def refused(channel: Channel, payload: bytes) -> Quarantined:
    with pytest.raises(Quarantined) as caught:
        decode(channel, "ATM-0001", payload)
    return caught.value


def taken(payload: bytes) -> Telemetry:
    found = decode(Channel.TELEMETRY, "ATM-0001", payload)
    assert isinstance(found, Telemetry)
    return found


def test_a_telemetry_message_keeps_its_time_offset_and_its_raw_parts() -> None:
    """Equal bytes need no second reading, so they stay bytes."""
    found = taken(message('"status": {"common":  {"device": "online"}}'))
    assert found.ts == datetime(2026, 11, 23, 0, 0, 0, 123000, tzinfo=UTC)
    assert found.ts.utcoffset() == timedelta(hours=8)
    assert (found.boot, found.seq) == (17, 4211)
    assert bytes(found.status) == b'{"common":  {"device": "online"}}'
    assert (bytes(found.storage), bytes(found.metrics)) == (b"[]", b"{}")


@pytest.mark.parametrize(
    ("payload", "field"),
    [
        (b"", "truncated"),
        (b"\xff", "malformed"),
        (b"[]", "Expected `object`"),
        (b"null", "Expected `object`"),
        (message() + b"x", "trailing"),
        (b"\xef\xbb\xbf" + message(), "malformed"),
        (b'{"boot": 1, "seq": 1, "status": {}}', "`ts`"),
        (b'{"ts": "2026-11-23T08:00:00", "boot": 1, "seq": 1, "status": {}}', "$.ts"),
        (b'{"ts": "2026-12-31T23:59:60Z", "boot": 1, "seq": 1, "status": {}}', "$.ts"),
        (b'{"ts": "2026-11-23T24:00:00Z", "boot": 1, "seq": 1, "status": {}}', "$.ts"),
        (b'{"ts": "yesterday", "boot": 1, "seq": 1, "status": {}}', "$.ts"),
        (b'{"ts": 1795420800, "boot": 1, "seq": 1, "status": {}}', "$.ts"),
        (b'{"ts": "2026-11-23T08:00:00Z", "boot": -1, "seq": 1, "status": {}}', "$.boot"),
        (b'{"ts": "2026-11-23T08:00:00Z", "boot": 1, "seq": 0, "status": {}}', "$.seq"),
        (b'{"ts": "2026-11-23T08:00:00Z", "boot": 1, "seq": "1", "status": {}}', "$.seq"),
        (message('"storage": []'), "`status`"),
        (message('"status": {}, "terminal": 7'), "$.terminal"),
        (message('"status": {"common": {"device": "\\u0000"}}'), "NUL"),
    ],
)
def test_what_is_no_telemetry_message_is_malformed_and_says_which_field(
    payload: bytes, field: str
) -> None:
    """The vendor reads the reason and knows where to look."""
    why = refused(Channel.TELEMETRY, payload)
    assert why.reason is Reason.MALFORMED
    assert field in why.detail


def test_what_is_too_large_is_refused_before_it_is_read() -> None:
    """64 KiB is allowed, a byte more is not."""
    padding = MAX_PAYLOAD_BYTES - len(message('"status": {}, "pad": ""'))
    full = message(f'"status": {{}}, "pad": "{"x" * padding}"')
    assert len(full) == MAX_PAYLOAD_BYTES
    assert taken(full).seq == 4211
    why = refused(Channel.TELEMETRY, full + b" ")
    assert why.reason is Reason.OVERSIZED
    assert "65537 bytes" in why.detail


def test_a_message_that_names_another_terminal_is_on_the_wrong_topic() -> None:
    """The topic says who speaks; a field may repeat it, not contradict it."""
    assert taken(message('"status": {}, "terminal": "ATM-0001"')).terminal == "ATM-0001"
    why = refused(Channel.TELEMETRY, message('"status": {}, "terminal": "ATM-0002"'))
    assert why.reason is Reason.WRONG_TOPIC
    assert "'ATM-0002'" in why.detail


def test_a_terminal_does_not_speak_on_the_command_channel() -> None:
    """Commands come from the other side."""
    assert refused(Channel.COMMAND, b'{"op": "reset"}').reason is Reason.WRONG_TOPIC


def test_a_card_number_is_refused_before_anything_is_read() -> None:
    """Even where the message is malformed besides."""
    why = refused(Channel.EVENT, b'{"event": "4111 1111 1111 1111"')
    assert why.reason is Reason.CARD_NUMBER
    assert "4111" not in why.detail


@pytest.mark.parametrize(
    ("off", "reason"),
    [
        (timedelta(), None),
        (MAX_AHEAD, None),
        (-MAX_BEHIND, None),
        (MAX_AHEAD + timedelta(microseconds=1), Reason.FAR_FUTURE),
        (-MAX_BEHIND - timedelta(microseconds=1), Reason.FAR_PAST),
    ],
)
def test_a_time_too_far_from_its_arrival_is_refused(off: timedelta, reason: Reason | None) -> None:
    """An hour ahead is a wrong clock, a year ahead is a wrong message."""
    now = datetime(2026, 11, 23, 8, tzinfo=UTC)
    if reason is None:
        check_time(now + off, now)
        return
    with pytest.raises(Quarantined) as caught:
        check_time(now + off, now)
    assert caught.value.reason is reason


def nested(path: str, value: object) -> tuple[dict[str, object], list[object], dict[str, object]]:
    """Status, storage and metrics that hold one value at a path of the vocabulary."""
    root, _, rest = path.partition(".")
    if root == "storage[]":
        return {}, [{"id": "CST1", rest: value}], {}
    if root == "metrics":
        return {}, [], {rest: value}
    tree: object = value
    for step in reversed(path.split(".")):
        tree = {step.removesuffix("[]"): [tree] if step.endswith("[]") else tree}
    assert isinstance(tree, dict)
    return tree, [], {}


@pytest.mark.parametrize("known", PROPERTIES.values(), ids=lambda known: known.path)
def test_a_known_property_of_the_wrong_type_is_refused_by_name(known: Property) -> None:
    """Unknown is kept, wrong is refused: with the path as the vendor spells it."""
    status, storage, metrics = nested(known.path, WRONG[known.kind])
    read = snapshot.read_metrics if metrics else snapshot.read
    raw = (metrics,) if metrics else (status, storage)
    with pytest.raises(Quarantined) as caught:
        read(*(json.dumps(part).encode() for part in raw))
    assert caught.value.reason is Reason.MALFORMED
    name = known.path.removeprefix("storage[].").removeprefix("metrics.").replace("[]", "[0]")
    assert f"{name}`" in caught.value.detail.replace("[...]", "[0]")


@pytest.mark.parametrize("known", PROPERTIES.values(), ids=lambda known: known.path)
def test_null_means_that_a_property_is_not_supported(known: Property) -> None:
    """As in XFS4IoT; but a unit without an id is none."""
    if known.path == "storage[].id":
        return
    status, storage, metrics = nested(known.path, None)
    read = snapshot.read(json.dumps(status).encode(), json.dumps(storage).encode())
    assert read.values == {}
    assert read.unknown == ()
    assert snapshot.read_metrics(json.dumps(metrics).encode()).values == {}


def test_what_vendors_add_is_kept_and_counted_by_its_path() -> None:
    """Components, properties, values, members of lists, metrics."""
    status = {
        "acmeVault": {"cycles": 7},
        "cardReader": {"media": "acmeStuck", "acmeWear": 0.5, "device": "online"},
        "cashDispenser": {"positions": [{"shutter": "closed", "acmeTorque": 3}]},
    }
    storage = [{"id": "CST1", "acmeSeal": "A7", "status": "acmeLocked"}]
    read = snapshot.read(json.dumps(status).encode(), json.dumps(storage).encode())
    assert set(read.unknown) == {
        Unknown("acmeVault", "component"),
        Unknown("cardReader.media", "value"),
        Unknown("cardReader.acmeWear", "property"),
        Unknown("cashDispenser.positions[].acmeTorque", "property"),
        Unknown("storage[].acmeSeal", "property"),
        Unknown("storage[].status", "value"),
    }
    assert read.values["acmeVault.cycles"] == 7
    assert read.values["cardReader.media"] == "acmeStuck"
    assert read.items["cashDispenser.positions"] == ({"shutter": "closed", "acmeTorque": 3},)
    assert read.items["storage"][0]["acmeSeal"] == "A7"
    measured = snapshot.read_metrics(b'{"rtt_ms": 42, "acmeFan_rpm": 900}')
    assert measured.values == {"metrics.rtt_ms": 42}
    assert measured.extra == {"acmeFan_rpm": 900}


def test_a_unit_that_does_not_say_its_type_is_a_cassette() -> None:
    """The shortest message of the contract has none; what says otherwise is believed."""
    read = snapshot.read(
        b"{}", b'[{"id": "A"}, {"id": "B", "type": null}, {"id": "C", "type": "x"}]'
    )
    assert [unit["type"] for unit in read.items["storage"]] == ["cassette", "cassette", "x"]


def test_nothing_is_unknown_in_a_snapshot_of_known_values() -> None:
    """Every known value of every property is known."""
    for known in PROPERTIES.values():
        for value in known.values:
            status, storage, _ = nested(known.path, value)
            read = snapshot.read(json.dumps(status).encode(), json.dumps(storage).encode())
            assert read.unknown == (), known.path


def test_events_and_presence_are_read_in_camel_case() -> None:
    """The names on the wire are those of XFS4IoT."""
    event = decode(
        Channel.EVENT,
        "ATM-0001",
        f'{{{HEAD}, "event": "Common.ErrorEvent", "eventId": "hardware", "x": 1}}'.encode(),
    )
    assert isinstance(event, Event)
    assert event.event_id == "hardware"
    will = decode(
        Channel.STATUS, "ATM-0001", b'{"ts":"2026-11-23T08:00:00Z","boot":1,"online":false}'
    )
    assert isinstance(will, Presence)
    assert not will.online


def test_commands_go_out_as_they_come_in() -> None:
    """Both ends use the same types."""
    resend = Resend(boot=17, first=4200, last=4205)
    assert json.loads(encode(resend)) == {"op": "resend", "boot": 17, "from": 4200, "to": 4205}
    assert decode_command(encode(resend)) == resend
    assert decode_command(b'{"op": "reset"}') == Reset()
    with pytest.raises(Quarantined):
        decode_command(b'{"op": "explode"}')


def test_every_component_of_the_standard_is_in_the_status() -> None:
    """The twelve of the contract, by their names on the wire."""
    assert list(Status.__struct_encode_fields__) == [
        "common",
        "cardReader",
        "cashDispenser",
        "cashAcceptor",
        "cashManagement",
        "printer",
        "keyManagement",
        "barcodeReader",
        "camera",
        "auxiliaries",
        "powerManagement",
        "vendorMode",
    ]


LONG, MANY = "x" * 65, 101


@pytest.mark.parametrize(
    ("status", "storage", "field"),
    [
        ({}, [{"id": LONG}], "storage[0].id"),
        ({}, [{"id": "a", "count": 10**300}], "storage[0].count"),
        ({}, [{"id": "a", "capacity": -(10**300)}], "storage[0].capacity"),
        ({}, [{"id": "a"}] * MANY, "storage"),
        ({"cashDispenser": {"positions": [{}] * MANY}}, [], "status.cashDispenser.positions"),
        (
            {"cashAcceptor": {"positions": [{"position": LONG}]}},
            [],
            "status.cashAcceptor.positions[0].position",
        ),
    ],
)
def test_more_than_any_terminal_has_is_malformed_and_says_which_field(
    status: object, storage: object, field: str
) -> None:
    """Each member may be a fault of its own, and its name a key in the database."""
    with pytest.raises(Quarantined, match=re.escape(f"`$.{field}`")) as refused:
        snapshot.read(json.dumps(status).encode(), json.dumps(storage).encode())
    assert refused.value.reason is Reason.MALFORMED


def test_what_is_long_is_not_remembered_beyond_those_that_say_it() -> None:
    """A terminal that counts in a long status would fill the memory of all with old ones."""
    short, long = (msgspec.json.encode({"acme": {"n": "x" * size}}) for size in (10, 5000))
    assert snapshot.read(short, b"[]").values is snapshot.read(short, b"[]").values
    assert snapshot.read(long, b"[]").values is not snapshot.read(long, b"[]").values
