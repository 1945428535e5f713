"""Numbers as messages write them, and whether they can be stored.

A `numeric` of PostgreSQL, and so a `jsonb`, holds 131,072 digits before the point and 16,383 behind
it (https://www.postgresql.org/docs/17/datatype-numeric.html); what it refuses ends the transaction
of a whole batch. The contract allows far less, and more than any device says.
"""

import json

MAX_DIGITS = 1000
MAX_EXPONENT = 999
_SHOWN = 20  # characters
_DIGITS_AS_ZEROS = bytes.maketrans(b"123456789E", b"000000000e")
_SIGNS = b"+-"
_LONG, _LONG_EXPONENT = b"0" * (MAX_DIGITS // 2), b"0e0000"  # a point may stand in the middle


class NotStorable(ValueError):
    """A number is longer than the contract allows; says how it begins."""


def check(payload: bytes) -> None:
    """Raise `NotStorable` for JSON with a number that is too long; texts may look as they like."""
    alike = payload.translate(_DIGITS_AS_ZEROS, _SIGNS)
    if _LONG_EXPONENT in alike or _LONG in alike:  # nearly never: to be sure is slow
        json.loads(payload, parse_float=_check, parse_int=_check)


def _check(number: str) -> None:
    significand, _, exponent = number.lower().partition("e")
    digits = len(significand) - significand.count("-") - significand.count(".")
    # An exponent's own digits are counted first: Python reads no more than some thousands.
    if digits > MAX_DIGITS or len(exponent) > MAX_DIGITS or abs(int(exponent or 0)) > MAX_EXPONENT:
        allowed = f"{MAX_DIGITS} digits and an exponent up to {MAX_EXPONENT}"
        shown = number if len(number) <= _SHOWN else f"{number[:_SHOWN]}…"
        raise NotStorable(f"the number {shown}: {allowed} are allowed")
