"""A condition taken apart: its `&&`, `||` and `!`, and below them what can be true by itself.

The split is by the text, with CEL's own precedence; each part is compiled as a condition of its
own, so it answers as it does within the whole. What cannot be split (`a ? b : c`) stays one part.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass

from fleet.rules.condition import compile_condition
from fleet.rules.errors import ConditionError
from fleet.snapshot import Value

_TOKEN = re.compile(r"'(?:\\.|[^'\\])*'|\"(?:\\.|[^\"\\])*\"|\|\||&&|[()\[\]{}?]|.", re.DOTALL)
_OPENING, _CLOSING = "([{", ")]}"


@dataclass(frozen=True, slots=True)
class Clause:
    """One part of a condition: its truth (None: unknown), and what it is made of."""

    text: str
    truth: bool | None
    operator: str = ""
    parts: tuple["Clause", ...] = ()


def clauses(text: str, values: Mapping[str, Value], each: str | None = None) -> Clause:
    """A condition with the truth of every part of it, for a set of values."""
    bare = _unwrapped(" ".join(text.split()) if "\n" in text else text.strip())
    truth = _truth(bare, values, each)
    operator, parts = _split(bare)
    found = tuple(clauses(part, values, each) for part in parts)
    return Clause(bare, truth, operator, found)


def _truth(text: str, values: Mapping[str, Value], each: str | None) -> bool | None:
    try:
        return compile_condition(text, each).evaluate(values)
    except ConditionError:  # a part that reads nothing: `true`
        return None


def _split(text: str) -> tuple[str, list[str]]:
    """The outermost operator and what it joins; nothing where there is none."""
    if len(_at_top(text, "?")) > 1:
        return "", []
    for operator in ("||", "&&"):
        parts = _at_top(text, operator)
        if len(parts) > 1:
            return operator, parts
    if text.startswith("!") and not text.startswith("!="):
        inner = text[1:].strip()
        if _unwrapped(inner) != inner:
            return "!", [inner]
    return "", []


def _at_top(text: str, operator: str) -> list[str]:
    """The text divided at an operator, outside of brackets and quotes."""
    parts, depth = [""], 0
    for token in _TOKEN.findall(text):
        depth += (token in _OPENING) - (token in _CLOSING)
        if token == operator and depth == 0:
            parts.append("")
        else:
            parts[-1] += token
    return [part.strip() for part in parts]


def _unwrapped(text: str) -> str:
    """Without brackets around the whole."""
    while text.startswith("(") and text.endswith(")"):
        depth = 0
        for at, token in _placed(text):
            depth += (token in _OPENING) - (token in _CLOSING)
            if depth == 0 and at < len(text) - 1:
                return text
        text = text[1:-1].strip()
    return text


def _placed(text: str) -> list[tuple[int, str]]:
    return [(match.start(), match.group()) for match in _TOKEN.finditer(text)]
