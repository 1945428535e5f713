"""What looks like a card number: found and masked before anything touches disk or log.

A primary account number is 13 to 19 digits whose last is the Luhn check digit (ISO/IEC 7812-1,
annex B), plain or in the groups printed on cards (4-4-4-4, a shorter fifth group, 4-6-5, 4-6-4), in
the digits of any script, or as a number with an exponent: the database writes that out. The digits
behind a decimal point are a measurement, and the contract's own counters (`DECLARED_IDS`) are
exempt. Nearly every payload holds nothing of the kind, and is told so first, without a regular
expression.
"""

import re
import unicodedata
from collections.abc import Iterator

DECLARED_IDS = ("boot", "seq", "from", "to")

# One digit begins a candidate, and the rest is looked at without being consumed, so that a number
# is also found where digits in groups stand before it. Four groups in a UUID are no card number:
# neither its second to its last, cut after four digits, nor the end of its first to its fourth.
_CANDIDATE = re.compile(
    rb"""\d(?<!\d\d)(?<!\d\.\d)(?=(
        \d{12,18}
        | (?!(?<=[0-9a-fA-F]{8}-\d)\d{3}(?:-\d{4}){3}[0-9a-fA-F]{8})
          \d{3}(?:[ -]\d{4}){3}(?!-[0-9a-fA-F]{12})(?:[ -]\d{1,3})?
        | \d{3}[ -]\d{6}[ -]\d{4,5}
    )(?!\d))""",
    re.VERBOSE,
)
_SCIENTIFIC = re.compile(rb"(?<![\d.])(\d)\.(\d{12,18})[eE]\+?(1[2-8])(?!\d)")
_DECLARED = re.compile(rb'"(?:%b)"\s*:\s*$' % "|".join(DECLARED_IDS).encode())
_ESCAPE = re.compile(rb"\\(?:u[0-9a-fA-F]{4}|.)", re.DOTALL)
# Digits of other scripts; and their blanks and dashes as well.
_DIGIT = re.compile(r"[^\x00-\x7f\D]")
_FOREIGN = re.compile(r"[^\x00-\x7f\D]|[^\x00-\x7f\S]|[\u2010-\u2015\u2212\uff0d]")
_DIGITS_AS_ZEROS = bytes(48 if 48 <= byte <= 57 else 120 for byte in range(256))
_SEPARATORS = b" -"
_BETWEEN = _SEPARATORS + bytes(range(128, 256))  # blanks and dashes of other scripts among them
_BACKSLASH = ord("\\")  # one byte as its number is found quickest
_SHORTEST = b"0" * 13
_FOUR_GROUPS = 19  # characters: without a fifth group
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


def present(payload: bytes) -> bool:
    """Whether a payload holds what looks like a card number, JSON escapes seen through."""
    if _BACKSLASH not in payload and not digits_enough(payload) and not _foreign_digits(payload):
        return False
    return next(_spans(_plain(payload)), None) is not None


def mask(payload: bytes) -> bytes:
    """The payload with all but the last four digits of each card number replaced by `*`."""
    plain = _plain(payload)
    spans = list(_spans(plain))
    if not spans:
        return payload
    masked = bytearray(plain)
    for start, end in spans:
        masked[start : end - _KEPT] = re.sub(rb"\d", b"*", masked[start : end - _KEPT])
    return bytes(masked)


def _spans(payload: bytes) -> Iterator[tuple[int, int]]:
    """Where each card number begins and ends."""
    payload = _veiled(payload)
    if not digits_enough(payload):
        return
    for match in _CANDIDATE.finditer(payload):
        start, end = match.start(), match.end(1)
        if _DECLARED.search(payload, max(0, start - 24), start):
            continue
        # A fifth group may be the number's end or, say, the month of expiry behind it.
        ends = {end, start + _FOUR_GROUPS} if end - start > _FOUR_GROUPS else {end}
        yield from ((start, stop) for stop in sorted(ends) if _is_card(payload[start:stop]))
    for match in _SCIENTIFIC.finditer(payload):
        behind = int(match[3])
        if _is_card(match[1] + match[2].ljust(behind, b"0")[:behind]):
            yield match.start(), match.end(2)


def digits_enough(payload: bytes) -> bool:
    """Whether so many digits follow one another, blanks, hyphens and what is not ASCII aside;
    nearly never."""
    # From its end: that search is the quickest where much is a digit.
    return payload.translate(_DIGITS_AS_ZEROS, _BETWEEN).rfind(_SHORTEST) >= 0


def _foreign_digits(payload: bytes) -> bool:
    return not payload.isascii() and _DIGIT.search(_text(payload)) is not None


def _text(payload: bytes) -> str:
    return payload.decode(errors="surrogateescape")


def _is_card(text: bytes) -> bool:
    digits = text.translate(None, _SEPARATORS)
    return luhn(digits) and digits.strip(b"0") != b""


def _plain(payload: bytes) -> bytes:
    """The payload with escapes of plain characters, digits above all, written as themselves, and
    the digits, blanks and dashes of other scripts as those of ASCII."""
    if not payload.isascii():
        payload = _FOREIGN.sub(_familiar, _text(payload)).encode(errors="surrogateescape")
    return _ESCAPE.sub(_unescaped, payload) if b"\\" in payload else payload


def _unescaped(match: re.Match[bytes]) -> bytes:
    code = int(match[0][2:], 16) if len(match[0]) == 6 else 0
    if 0x20 <= code < 0x7F and code not in b'"\\':
        return bytes([code])
    foreign = _FOREIGN.fullmatch(chr(code))
    return _familiar(foreign).encode() if foreign else match[0]


def _familiar(match: re.Match[str]) -> str:
    sign = match[0]
    if sign.isdecimal():
        return str(unicodedata.decimal(sign))
    return " " if sign.isspace() else "-"


def _veiled(payload: bytes) -> bytes:
    """The payload with all other escapes covered: their digits belong to no number beside them."""
    if b"\\" not in payload:
        return payload
    return _ESCAPE.sub(lambda match: b"x" * len(match[0]), payload)
