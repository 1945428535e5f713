"""The contract under everything that can arrive: only ever a message or a quarantine."""

import json
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import msgspec
from hypothesis import assume, example, given
from hypothesis import strategies as st

from fleet import card_numbers, snapshot
from fleet.quarantine import Quarantined, Reason
from fleet.telemetry import Event, Message, Presence, Result, Telemetry, decode, encode
from fleet.topics import FROM_TERMINAL, Channel, Topic, TopicError, build, parse
from fleet.vocabulary import COMPONENTS, PROPERTIES

EXAMPLE = (
    Path(__file__).parents[2] / "docs/reference/examples/telemetry-healthy.json"
).read_bytes()
HEAD = {"ts": "2026-11-23T08:00:00Z", "boot": 1, "seq": 1}

text = st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=12)
numbers = st.integers(-(10**9), 10**9) | st.floats(-1e9, 1e9)
scalars = st.booleans() | numbers | text
trees = st.recursive(
    st.none() | scalars,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(text, inner, max_size=3),
    max_leaves=8,
)
times = st.datetimes(
    datetime(2000, 1, 1),  # noqa: DTZ001  (the zone comes with the strategy)
    datetime(2100, 1, 1),  # noqa: DTZ001
    timezones=st.integers(-840, 840).map(lambda minutes: timezone(timedelta(minutes=minutes))),
)
boots = st.integers(0, 2**31 - 1)
seqs = st.integers(1, 2**53)
details = st.none() | st.dictionaries(text, trees, max_size=3)
presences = st.builds(Presence, ts=times, boot=boots, online=st.booleans())
results = st.builds(Result, ts=times, boot=boots, op=text, ok=st.booleans(), detail=details)
events = st.builds(
    Event,
    ts=times,
    boot=boots,
    seq=seqs,
    event=st.text("abcXYZ.", min_size=1, max_size=80),
    component=st.none() | st.sampled_from(COMPONENTS),
    event_id=st.none() | text,
    amount=st.none() | numbers,
    detail=details,
)
raw_objects = st.dictionaries(text, trees, max_size=4).map(lambda it: msgspec.Raw(_json(it)))
telemetries = st.builds(
    Telemetry, ts=times, boot=boots, seq=seqs, status=raw_objects, metrics=raw_objects
)
messages: st.SearchStrategy[tuple[Channel, Message]] = (
    st.tuples(st.just(Channel.STATUS), presences)
    | st.tuples(st.just(Channel.RESULT), results)
    | st.tuples(st.just(Channel.EVENT), events)
    | st.tuples(st.just(Channel.TELEMETRY), telemetries)
)


def _json(tree: object) -> bytes:
    return json.dumps(tree).encode()


def refusal(channel: Channel, payload: bytes) -> Quarantined | None:
    """Why a payload is refused, everything in it being read; None where it is taken."""
    try:
        message = decode(channel, "ATM-0001", payload)
        if isinstance(message, Telemetry):
            snapshot.read(message.status, message.storage)
            snapshot.read_metrics(message.metrics)
    except Quarantined as why:
        return why
    return None


@given(messages)
def test_what_is_encoded_decodes_to_the_same(sent: tuple[Channel, Message]) -> None:
    """Both ends of the wire use one type."""
    channel, message = sent
    payload = encode(message)
    assume(not card_numbers.present(payload))
    assert decode(channel, "ATM-0001", payload) == message


@given(st.sampled_from(FROM_TERMINAL), st.binary(max_size=300))
@example(Channel.TELEMETRY, b"[" * 60_000)
@example(Channel.EVENT, b'{"detail":' + b'{"a":' * 10_000)
def test_arbitrary_bytes_are_quarantined_and_nothing_else(channel: Channel, payload: bytes) -> None:
    """The stream goes on, whatever is thrown into it."""
    why = refusal(channel, payload)
    assert why is None or why.detail


@given(
    st.integers(0, len(EXAMPLE)),
    st.integers(0, 12),
    st.binary(max_size=12) | trees.map(_json) | st.sampled_from([b"[" * 5000, b'"\\ud800"']),
)
def test_a_damaged_message_is_taken_or_quarantined_and_nothing_else(
    at: int, cut: int, put: bytes
) -> None:
    """Bytes cut out of a good message, others put in."""
    why = refusal(Channel.TELEMETRY, EXAMPLE[:at] + put + EXAMPLE[at + cut :])
    expected = (Reason.MALFORMED, Reason.CARD_NUMBER, Reason.WRONG_TOPIC)
    assert why is None or why.reason in expected


@given(
    component=st.sampled_from([*COMPONENTS, "acmeVault"]),
    name=st.text("abcdefgh", min_size=1, max_size=8).map(lambda it: f"acme{it}"),
    value=trees.filter(lambda it: it is not None),
)
def test_what_vendors_add_is_counted_and_changes_nothing_that_was_known(
    component: str, name: str, value: object
) -> None:
    """Any JSON under any new name, in the status, a storage unit, the metrics, the message."""
    message: dict[str, Any] = json.loads(EXAMPLE)
    plain = snapshot.read(_json(message["status"]), _json(message["storage"]))
    message["status"].setdefault(component, {})[name] = value
    message["storage"][0][name] = value
    message["metrics"][name] = value
    payload = _json({**message, name: value})
    assume(not card_numbers.present(payload))
    taken = decode(Channel.TELEMETRY, "ATM-0001", payload)
    assert isinstance(taken, Telemetry)
    read = snapshot.read(taken.status, taken.storage)
    assert plain.values.items() <= read.values.items()
    counted = {found.path for found in read.unknown}
    strange = "acmeVault" if component == "acmeVault" else f"{component}.{name}"
    assert counted == {strange, f"storage[].{name}"}
    measured = snapshot.read_metrics(taken.metrics)
    assert measured.extra == {name: value}
    assert measured.values["metrics.rtt_ms"] == message["metrics"]["rtt_ms"]


@given(
    known=st.sampled_from([it for it in PROPERTIES.values() if "[]" not in it.path]),
    value=trees.filter(lambda it: it is not None),
)
def test_a_known_property_is_read_or_refused_by_its_name(known: Any, value: object) -> None:
    """Whatever JSON stands there: its type fits and it is read, or its path is in the reason."""
    tree: Any = value
    for step in reversed(known.path.split(".")):
        tree = {step: tree}
    metrics = tree.pop("metrics", {})
    payload = _json({**HEAD, "status": tree, "metrics": metrics})
    assume(not card_numbers.present(payload))
    why = refusal(Channel.TELEMETRY, payload)
    if why is not None:
        assert why.reason is Reason.MALFORMED
        assert f"{known.path}`" in why.detail
        return
    read = snapshot.read(_json(tree), b"[]").values
    assert {**read, **snapshot.read_metrics(_json(metrics)).values} == {known.path: value}


names = st.from_regex(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,63}", fullmatch=True)


@given(names, names, st.sampled_from(list(Channel)))
def test_a_built_topic_parses_to_its_parts(region: str, terminal: str, channel: Channel) -> None:
    """There and back."""
    assert parse(build(region, terminal, channel)) == Topic(region, terminal, channel)


@given(st.text(max_size=80))
def test_any_other_topic_is_an_error_of_one_kind(topic: str) -> None:
    """A broker may deliver any text."""
    try:
        found = parse(topic)
    except TopicError:
        return
    assert str(found) == topic


@given(times)
def test_a_time_is_the_same_instant_after_the_wire(ts: datetime) -> None:
    """Offsets are kept to the minute, instants to the microsecond."""
    sent = Presence(ts=ts, boot=1, online=True)
    got = decode(Channel.STATUS, "ATM-0001", encode(sent))
    assert got.ts.astimezone(UTC) == ts.astimezone(UTC)
    assert got.ts.utcoffset() == ts.utcoffset()
