"""The notation of series: words apart by blanks, `jammed*5` for five of them, `_` for none."""

import re
from datetime import timedelta

from fleet.rules import duration
from fleet.rules.trials.story import Fate, Sending
from fleet.snapshot import Value
from fleet.vocabulary import Kind, Property, suggest_value

_WORD = re.compile(r"(?P<word>[^\s*]+)(?:\*(?P<times>[1-9]\d{0,4}))?")
_OWN = "vendor:"


def values(text: str, known: Property) -> tuple[Value | None, ...]:
    """A property's value in each snapshot; `vendor:word` is a value the contract does not know.

    Raises `ValueError` saying which word cannot stand.
    """
    return tuple(None if word == "_" else _value(word, known) for word in _words(text))


def sendings(text: str) -> tuple[Sending, ...]:
    """What becomes of each snapshot: sent, lost, twice, late:30s, will, boot."""
    return tuple(_sending(word) for word in _words(text))


def _words(text: str) -> list[str]:
    found: list[str] = []
    for part in text.split():
        match = _WORD.fullmatch(part)
        if match is None:
            raise ValueError(f"{part} is no value: write ok, ok*5 for five of them, _ for none")
        found += [match["word"]] * int(match["times"] or 1)
    if not found:
        raise ValueError("is empty")
    return found


def _value(word: str, known: Property) -> Value:
    if known.kind is Kind.STRING:
        if word.startswith(_OWN):
            return word.removeprefix(_OWN)
        if known.values and word not in known.values:
            near = suggest_value(known, word)
            hint = f"did you mean {near}?" if near else f"one of {', '.join(known.values)}"
            raise ValueError(f"{known.path} is never {word}: {hint} ({_OWN}{word} if it must be)")
        return word
    if known.kind is Kind.BOOLEAN:
        if word not in ("true", "false"):
            raise ValueError(f"{known.path} is true or false, not {word}")
        return word == "true"
    try:
        return int(word) if known.kind is Kind.INTEGER else float(word)
    except ValueError:
        raise ValueError(f"{known.path} is a number ({known.kind.value}), not {word}") from None


def _sending(word: str) -> Sending:
    fate, _, delay = word.partition(":")
    plain = [each.value for each in Fate if each is not Fate.LATE]
    if fate == Fate.LATE and delay:
        return Sending(Fate.LATE, duration.parse(delay))
    if word in plain:
        return Sending(Fate(word), timedelta())
    raise ValueError(f"{word} is none of {', '.join(plain)}, late:30s")
