"""Card numbers: found wherever they hide, and nothing else taken for one."""

import pytest

from fleet.card_numbers import luhn, mask, present

FOUND = [
    (b"4111111111111111", b"************1111"),
    (b'{"note": "card 4111111111111111 kept"}', b'{"note": "card ************1111 kept"}'),
    (b"4111 1111 1111 1111", b"**** **** **** 1111"),
    (b"4111-1111-1111-1111", b"****-****-****-1111"),
    (b"3782 822463 10005", b"**** ****** *0005"),
    (b"378282246310005", b"***********0005"),
    (b"30569309025904", b"**********5904"),
    (b"6222021234567890128", b"***************0128"),
    (b"6222 0212 3456 7890 128", b"**** **** **** **** 128"),
    (b"4111 1111 1111 1111 12/29", b"**** **** **** 1111 12/29"),
    (b"2026-4111-1111-1111-1111", b"2026-****-****-****-1111"),
    (b";4111111111111111=2912101", b";************1111=2912101"),
    (b"4111111111111111D2912101", b"************1111D2912101"),
    (b"PAN4111111111111111X", b"PAN************1111X"),
    (b'{"to": "4111111111111111"}', b'{"to": "************1111"}'),
    (b'{"amount": 4111111111111111}', b'{"amount": ************1111}'),
    (rb'"\u0034111111111111111"', b'"************1111"'),
    (rb'"\u5361\u53f74111111111111111"', rb'"\u5361\u53f7************1111"'),
    (rb'"4111\u00201111\u002d1111\u00201111"', b'"**** ****-**** 1111"'),
    (rb'"\\u4111111111111111"', rb'"\\u************1111"'),
    (rb'"\"seq\": 4111111111111111"', rb'"\"seq\": ************1111"'),
    ("４１１１１１１１１１１１１１１１".encode(), b"************1111"),
    ("卡 ٤١١١١١١١١١١١١١١١".encode(), "卡 ************1111".encode()),
    (rb'"\uff14\uff11111111111111\u06611"', b'"************1111"'),
    ("4111\u00a01111\u20131111\u20091111".encode(), b"**** ****-**** 1111"),
    (rb"4111\u00a01111\u00a01111\u00a01111", b"**** **** **** 1111"),
    (b'{"acmeCard": 4.111111111111111e+15}', b'{"acmeCard": *.***********1111e+15}'),
    (b'{"acmeCard": 6.22202123456789012E17}', b'{"acmeCard": *.*************9012E17}'),
    (b"4111111111111111 and 378282246310005", b"************1111 and ***********0005"),
]
NOT_FOUND = [
    b"4111111111111112",  # does not pass Luhn
    b"411111111111",  # 12 digits
    b"41111111111111111111",  # 20 digits
    b"0000000000000000",
    b'{"temperature_c": 31.4111111111111111}',
    b'{"boot": 4111111111111111, "seq" : 4111111111111111}',
    b'{"from": 4111111111111111, "to":4111111111111111}',
    b"2026-11-23T08:00:00.123+08:00",
    b"12345678-4111-1111-1111-1111abcdefab",  # UUIDs
    b"abcd4111-1111-1111-1111-a23456789012",
    b"[4111, 1111, 1111, 1111]",
    b'{"acmeRate": 4.111111111111112e15, "acmeTiny": 4.111111111111111e-15}',
    "一二三 ４１１１ – １１１２".encode(),
    rb'"\u0041 \u00a0"',
    b"",
]


@pytest.mark.parametrize(("payload", "masked"), FOUND)
def test_what_looks_like_a_card_number_is_found_and_masked(payload: bytes, masked: bytes) -> None:
    """Plain, in printed groups, inside words, behind escapes; the last four digits stay."""
    assert present(payload)
    assert mask(payload) == masked
    assert not present(masked)


@pytest.mark.parametrize("payload", NOT_FOUND)
def test_what_is_a_measurement_or_a_counter_is_left_alone(payload: bytes) -> None:
    """A false alarm costs a message."""
    assert not present(payload)
    assert mask(payload) == payload


@pytest.mark.parametrize(
    ("digits", "passes"), [(b"79927398713", True), (b"79927398710", False), (b"0", True)]
)
def test_the_last_digit_is_the_check_digit(digits: bytes, passes: bool) -> None:
    """ISO/IEC 7812-1, annex B."""
    assert luhn(digits) is passes
