"""What looks like a card number: found and masked before anything touches disk or log.

A primary account number is 13 to 19 digits whose last is the Luhn check digit (ISO/IEC 7812-1,
annex B), plain or in the four-digit groups embossed on cards. The digits behind a decimal point
are a measurement, and the contract's own counters (`DECLARED_IDS`) are exempt.
"""

import re

DECLARED_IDS = ("boot", "seq", "from", "to")

_CANDIDATE = re.compile(rb"(?<!\d)(?<!\d\.)(?:\d{13,19}|\d{4}(?:[ -]\d{4}){3})(?!\d)")
_DECLARED = re.compile(rb'"(?:%b)"\s*:\s*$' % "|".join(DECLARED_IDS).encode())
_ESCAPED_DIGIT = re.compile(rb"\\u003\d")
_KEPT = 4  # the last four digits stay readable, as on a receipt


def luhn(digits: bytes) -> bool:
    """Whether ASCII digits end in their Luhn check digit."""
    total = 0
    for place, digit in enumerate(reversed(digits)):
        value = digit - 48
        if place % 2:
            value = value * 2 - 9 if value > 4 else value * 2
        total += value
    return total % 10 == 0


def _is_card(match: re.Match[bytes]) -> bool:
    digits = match[0].replace(b" ", b"").replace(b"-", b"")
    if not luhn(digits) or not digits.strip(b"0"):
        return False
    before = match.string[max(0, match.start() - 24) : match.start()]
    return not _DECLARED.search(before)


def present(payload: bytes) -> bool:
    """Whether a payload holds what looks like a card number, JSON escapes seen through."""
    if any(map(_is_card, _CANDIDATE.finditer(payload))):
        return True
    return _ESCAPED_DIGIT.search(payload) is not None and any(
        map(_is_card, _CANDIDATE.finditer(_plain(payload)))
    )


def mask(payload: bytes) -> bytes:
    """The payload with all but the last four digits of each card number replaced by `*`."""
    if _ESCAPED_DIGIT.search(payload):
        payload = _plain(payload)
    return _CANDIDATE.sub(_masked, payload)


def _plain(payload: bytes) -> bytes:
    return _ESCAPED_DIGIT.sub(lambda match: match[0][-1:], payload)


def _masked(match: re.Match[bytes]) -> bytes:
    if not _is_card(match):
        return match[0]
    return re.sub(rb"\d", b"*", match[0][:-_KEPT]) + match[0][-_KEPT:]
