"""The short way of a heartbeat says what the long way says, or nothing: whatever is around."""

import json
from datetime import datetime, timedelta
from typing import Any

from hypothesis import assume, example, given
from hypothesis import strategies as st

from fleet.heartbeat import Heartbeat, Refrain, refrain
from fleet.quarantine import Quarantined
from fleet.rules.catalogue import load
from fleet.rules.engine import Engine
from fleet.rules.files import DEFAULT
from fleet.rules.terminal import Terminal
from fleet.telemetry import Telemetry, decode
from fleet.topics import Channel

NAME = "ATM-0001"
STATUS = {"common": {"device": "online"}, "printer": {"paper": {"upper": "low"}}}
STORAGE = [{"id": "CST1", "status": "ok", "count": 312}]
TIME = "2026-11-23T08:00:00.123+08:00"
FIRST = f'{{"ts":"{TIME}","boot":17,"seq":4211'
REFRAIN = f',"status":{json.dumps(STATUS)},"storage":{json.dumps(STORAGE)}'
LAST = ',"metrics":{"rtt_ms":42}}'

# What may stand before and behind, sound and unsound: as if cut anywhere and put together anew.
pieces = st.sampled_from(
    [
        FIRST, f'{{"ts":"{TIME}"', ',"boot":17', ',"seq":4212', LAST, "}",
        ',"metrics":{"rtt_ms":42}',
        ',"x":{"y":1', ',"x":[1', ',"x":"', '"', "\\", ',"x', '":1', ',"metrics":', ',"metrics",1]',
        ',"status":null', ',"status":{}', ',"storage":[]', f',"terminal":"{NAME}"', "{",
        ',"terminal":"ATM-0002"', ',"z":4111111111111111', ',"z":"4111 1111', ' 1111 1111"',
        ",", " ",
        ',"st\\u0061tus":{}', ',"z":"\\u0000"', ',"boot":"1"', "]", "}}", ',"metrics":{"n":1e400}',
    ]
)  # fmt: skip
around = st.lists(pieces, max_size=5).map("".join)


def taken(payload: bytes) -> Telemetry | None:
    """What the long way says; None for what it refuses."""
    try:
        found = decode(Channel.TELEMETRY, NAME, payload)
    except Quarantined:
        return None
    return found if isinstance(found, Telemetry) else None


def known(payload: str) -> Refrain:
    """The refrain of a payload that was taken."""
    message = taken(payload.encode())
    assert message is not None
    found = refrain(payload.encode(), message)
    assert found is not None
    return found


BASE = known(FIRST + REFRAIN + LAST)


def heard(payload: bytes, found: Refrain = BASE) -> Heartbeat | None:
    """What the short way says to a caller who listens to `NAME` alone."""
    said = found.heartbeat(payload)
    return said if said is not None and said.terminal in {None, NAME} else None


@given(around, around)
@example(FIRST, LAST)
@example(f'{{"ts":"{TIME}","boot":17,"seq":4211,"x":[1', ',"metrics",1]}')
@example(f'{{"ts":"{TIME}","boot":17,"seq":4211,"x":{{"y":1', ',"metrics":{"rtt_ms":42}}}')
@example(f'{{"ts":"{TIME}","boot":17,"seq":4211,"x":"', ',"metrics":{"rtt_ms":42}}')
@example(f'{{"ts":"{TIME}","boot":17,"seq":4211,"x\\', LAST)
@example(f'{{"ts":"{TIME}","boot":17,"seq":4211', ',"metrics":{"rtt_ms":42},"status":{}}')
def test_the_short_way_says_what_the_long_way_says(before: str, behind: str) -> None:
    """Status and storage stand there word for word, and anything around them."""
    payload = (before + REFRAIN + behind).encode()
    said = heard(payload)
    if said is not None:
        assert BASE.whole(said) == taken(payload)


@given(st.data())
def test_a_byte_that_is_another_is_never_overlooked(data: st.DataObject) -> None:
    payload = bytearray((FIRST + REFRAIN + LAST).encode())
    place = data.draw(st.integers(0, len(payload) - 1))
    payload[place] = data.draw(st.integers(0, 255))
    said = heard(bytes(payload))
    if said is not None:
        assert BASE.whole(said) == taken(bytes(payload))


trees: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers(-9, 9) | st.text('ab{[",: é', max_size=4),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text("ab", max_size=2), inner),
    max_leaves=6,
)
objects = st.dictionaries(st.sampled_from(["common", "acme", "status", "metrics"]), trees)


@given(objects, st.lists(objects, max_size=2) | st.none(), objects, st.booleans())
def test_whatever_a_terminal_repeats_is_its_refrain(
    status: dict[str, Any], storage: list[Any] | None, metrics: dict[str, Any], compact: bool
) -> None:
    """Written in the contract's order, spaced or not; only what says nothing else is shortened."""
    head: dict[str, Any] = {"ts": TIME, "boot": 17, "seq": 4211, "status": status}
    if storage is not None:
        head["storage"] = storage
    spaces = (",", ":") if compact else (", ", ": ")
    payload = json.dumps({**head, "metrics": {}}, separators=spaces, ensure_ascii=False).encode()
    message = taken(payload)
    assume(message is not None)
    assert message is not None
    found = refrain(payload, message)
    assert found is not None
    assert (found.status, found.storage) == (bytes(message.status), bytes(message.storage))
    later = {**head, "seq": 4212, "metrics": metrics}
    again = json.dumps(later, separators=spaces, ensure_ascii=False).encode()
    said = heard(again, found)
    whole = taken(again)
    measured = json.dumps(metrics, ensure_ascii=False)
    if measured.isascii() and "\\" not in measured and whole is not None:
        assert said is not None
        assert found.whole(said) == whole


def test_a_card_number_beside_the_refrain_is_not_passed_over() -> None:
    payload = (FIRST + REFRAIN + ',"metrics":{"n":4111111111111111}}').encode()
    assert taken(payload) is None
    assert heard(payload) is None


STEPS = st.lists(
    st.tuples(
        st.integers(1, 2),  # how far the number is ahead: a gap now and then
        st.sampled_from(["full", "full", "full", "low"]),
        st.sampled_from([31.5, 32.0, 70.0]),
        st.sampled_from([1, 30, 90, 400]),  # seconds later
    ),
    max_size=25,
)


@given(STEPS)
def test_an_engine_that_is_spared_the_long_way_ends_as_one_that_is_not(steps: list[Any]) -> None:
    """Paper that runs low, heat that raises a fault, gaps, clocks that leap: the same each time."""
    plain, spared = _engine(), _engine()
    found: Refrain | None = None
    seq, at = 0, datetime.fromisoformat(TIME)
    for ahead, paper, heat, later in steps:
        seq, at = seq + ahead, at + timedelta(seconds=later)
        status = {"common": {"device": "online"}, "printer": {"paper": {"upper": paper}}}
        body = {"ts": at.isoformat(), "boot": 1, "seq": seq, "status": status, "storage": STORAGE}
        body["metrics"] = {"temperature_c": heat, "rtt_ms": 42, "disk_free_pct": 40}
        payload = json.dumps(body).encode()
        message = taken(payload)
        assert message is not None
        _told(plain, message, at)
        said = heard(payload, found) if found else None
        if found is None or said is None:
            found = refrain(payload, message)
            _told(spared, message, at)
        elif spared.is_due(at) or spared.heartbeat(spared.terminals[1], said, found, at) is None:
            _told(spared, found.whole(said), at)
        plain.tick(at)
        spared.tick(at)
        assert spared.terminals[1] == plain.terminals[1]
    assert spared.take() == plain.take()


RULES = load(DEFAULT).rules


def _engine() -> Engine:
    engine = Engine(RULES, lateness=timedelta(seconds=5))
    engine.adopt(Terminal(1, NAME, "atm", "C1"))
    return engine


def _told(engine: Engine, message: Telemetry, at: datetime) -> None:
    engine.telemetry(engine.terminals[1], message, at)
