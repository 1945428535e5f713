"""Card numbers: wherever one stands it is found; what is none stays as it was."""

import json
from datetime import datetime

from hypothesis import assume, given
from hypothesis import strategies as st

from fleet.card_numbers import luhn, mask, present
from fleet.telemetry import Event, encode
from tests.properties.test_contract_messages import boots, seqs, times

words = st.text(
    st.characters(codec="utf-8", exclude_categories=["Nd"], exclude_characters=".\0"), max_size=20
)


def with_check_digit(digits: str) -> str:
    """The digits and the one that makes them pass."""
    return next(digits + last for last in "0123456789" if luhn((digits + last).encode()))


numbers = st.text("0123456789", min_size=12, max_size=18).map(with_check_digit)
grouped = st.text("0123456789", min_size=15, max_size=15).map(with_check_digit)


@given(number=numbers, before=words, after=words, key=words)
def test_a_card_number_is_found_and_masked_anywhere_in_any_string(
    number: str, before: str, after: str, key: str
) -> None:
    """Between any letters, signs and escapes, in a value or in a key."""
    assume(number.strip("0"))
    for tree in ({key: f"{before}{number}{after}"}, {f"{before}{number}{after}": key}, [[number]]):
        payload = json.dumps(tree).encode()
        assert present(payload)
        masked = mask(payload)
        assert number.encode() not in masked
        assert b"*" * (len(number) - 4) + number[-4:].encode() in masked
        assert not present(masked)
        json.loads(masked)


@given(number=grouped, separator=st.sampled_from([" ", "-"]), before=words, after=words)
def test_a_card_number_in_groups_is_found_too(
    number: str, separator: str, before: str, after: str
) -> None:
    """As printed on the card."""
    assume(number.strip("0"))
    printed = separator.join(number[at : at + 4] for at in range(0, 16, 4))
    payload = json.dumps([f"{before}{printed}{after}"]).encode()
    assert present(payload)
    assert printed.encode() not in mask(payload)


@given(number=numbers, escaped=st.sets(st.integers(0, 18)))
def test_escapes_do_not_hide_a_card_number(number: str, escaped: set[int]) -> None:
    """JSON may write any digit as an escape."""
    assume(number.strip("0"))
    written = "".join(
        f"\\u003{digit}" if at in escaped else digit for at, digit in enumerate(number)
    )
    payload = f'{{"note": "{written}"}}'.encode()
    assert present(payload)
    assert number not in json.loads(mask(payload))["note"]


@given(st.floats(allow_nan=False, allow_infinity=False, min_value=-1e6, max_value=1e6))
def test_a_measurement_is_no_card_number_however_long_its_fraction(value: float) -> None:
    """Sensors send all the digits they have."""
    payload = json.dumps({"metrics": {"temperature_c": value}}).encode()
    assume(b"e" not in payload.split(b":")[-1])
    assert not present(payload)
    assert mask(payload) == payload


@given(ts=times, boot=boots, seq=seqs)
def test_boot_and_seq_are_no_card_numbers_however_they_grow(
    ts: datetime, boot: int, seq: int
) -> None:
    """They are the contract's own, and seq may have 16 digits."""
    payload = encode(Event(ts=ts, boot=boot, seq=seq, event="transaction"))
    assert not present(payload)
    assert not present(json.dumps(json.loads(payload)).encode())
    assert mask(payload) == payload


@given(st.binary(max_size=200))
def test_masking_keeps_everything_but_digits(payload: bytes) -> None:
    """Nothing is lost but what must be; escapes of digits come out as digits."""
    masked = mask(payload)
    assert not present(masked)
    if not present(payload) and b"\\" not in payload:
        assert masked == payload
