"""Numbers that no database takes are malformed; texts that look like them are not."""

import pytest

from fleet.numerals import NotStorable, check

PLAIN = ["1", "-0.5", "1e999", "-1E-999", "1e0000000001", "9" * 1000, "0." + "1" * 999]
LONG = ["1e1000", "-1E-16384", "9" * 1001, "5" * 600 + "." + "5" * 600, "1e" + "9" * 5000]


@pytest.mark.parametrize("number", PLAIN)
def test_a_number_that_can_be_stored_passes(number: str) -> None:
    check(f'{{"a": [{number}]}}'.encode())


@pytest.mark.parametrize("number", LONG)
def test_a_number_that_is_too_long_is_refused(number: str) -> None:
    with pytest.raises(NotStorable, match=r"1000 digits and an exponent up to 999"):
        check(f'{{"a": [{number}]}}'.encode())


@pytest.mark.parametrize("number", LONG)
def test_a_text_may_look_like_one(number: str) -> None:
    check(f'{{"a{number}": "{number}"}}'.encode())
