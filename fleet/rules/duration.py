"""Durations as rules write them: `10s`, `5m`, `2h`, `1h30m`, `7d`."""

import re
from datetime import timedelta

_UNITS = {"ms": "milliseconds", "s": "seconds", "m": "minutes", "h": "hours", "d": "days"}
_PART = r"(\d{1,6})(ms|s|m|h|d)"
_WHOLE = re.compile(f"(?:{_PART})+")


def parse(text: str) -> timedelta:
    """The duration in a text; raises `ValueError` saying what one looks like."""
    if not _WHOLE.fullmatch(text):
        raise ValueError("a duration is a number and a unit, as in 10s, 5m, 2h, 1h30m")
    parts = re.findall(_PART, text)
    return sum((timedelta(**{_UNITS[unit]: int(number)}) for number, unit in parts), timedelta())


def render(duration: timedelta) -> str:
    """The shortest text that parses to the duration; `0s` for none."""
    left = duration // timedelta(milliseconds=1)
    text = ""
    for unit, size in (("d", 86_400_000), ("h", 3_600_000), ("m", 60_000), ("s", 1000), ("ms", 1)):
        number, left = divmod(left, size)
        text += f"{number}{unit}" if number else ""
    return text or "0s"
