"""The syntax tree of a checked condition, read from what CEL serialises (`cel.expr.CheckedExpr`).

The library hands out no tree, but a protocol buffer whose field numbers are fixed by the CEL
specification. Only what a check of names and literals needs is read: identifiers, string
literals, calls, and where each stands in the text.
"""

from collections.abc import Iterator
from dataclasses import dataclass

# Field numbers of cel/expr/checked.proto and cel/expr/syntax.proto.
_ANY_VALUE = 2
_CHECKED_EXPR, _CHECKED_SOURCE = 4, 5
_ID, _CONST, _IDENT, _SELECT, _CALL, _LIST, _STRUCT, _COMPREHENSION = range(2, 10)
_CONST_STRING = 6
_CALL_TARGET, _CALL_FUNCTION, _CALL_ARGS = 1, 2, 3
_SOURCE_POSITIONS = 4
_COMPREHENSION_EXPRESSIONS = (2, 4, 5, 6, 7)

_Field = tuple[int, int | bytes]


@dataclass(frozen=True, slots=True)
class Node:
    """One node: an identifier, a string literal, a call or something of no interest here.

    `at` is the place of the node in the condition's text, in characters from 0.
    """

    at: int
    name: str = ""
    literal: str | None = None
    function: str = ""
    children: tuple["Node", ...] = ()

    def walk(self) -> Iterator["Node"]:
        """This node and all below it."""
        yield self
        for child in self.children:
            yield from child.walk()


def parse(serialized: bytes) -> Node:
    """The tree of a serialized checked expression."""
    checked = _bytes(serialized, _ANY_VALUE)
    positions: dict[int, int] = {}
    for source in _all(checked, _CHECKED_SOURCE):
        for entry in _all(source, _SOURCE_POSITIONS):
            pair = {number: value for number, value in _fields(entry) if isinstance(value, int)}
            positions[pair.get(1, 0)] = pair.get(2, 0)
    return _node(_bytes(checked, _CHECKED_EXPR), positions)


def _node(expr: bytes, positions: dict[int, int]) -> Node:
    at, name, function = 0, "", ""
    literal: str | None = None
    inner: list[bytes] = []
    for number, value in _fields(expr):
        if isinstance(value, int):
            at = positions.get(value, 0) if number == _ID else at
        elif number == _CONST:
            literal = _text(value, _CONST_STRING)
        elif number == _IDENT:
            name = _text(value, 1) or ""
        elif number == _CALL:
            function = _text(value, _CALL_FUNCTION) or ""
            inner += [*_all(value, _CALL_TARGET), *_all(value, _CALL_ARGS)]
        else:
            inner += _operands(number, value)
    return Node(at, name, literal, function, tuple(_node(child, positions) for child in inner))


def _operands(number: int, value: bytes) -> Iterator[bytes]:
    if number in (_SELECT, _LIST):
        yield from _all(value, 1)
    elif number == _STRUCT:
        for entry in _all(value, 2):
            yield from _all(entry, 3)
            yield from _all(entry, 4)
    elif number == _COMPREHENSION:
        for part in _COMPREHENSION_EXPRESSIONS:
            yield from _all(value, part)


def _all(message: bytes, wanted: int) -> Iterator[bytes]:
    for number, value in _fields(message):
        if number == wanted and isinstance(value, bytes):
            yield value


def _bytes(message: bytes, wanted: int) -> bytes:
    return next(_all(message, wanted), b"")


def _text(message: bytes, wanted: int) -> str | None:
    found = next(_all(message, wanted), None)
    return None if found is None else found.decode()


def _fields(message: bytes) -> Iterator[_Field]:
    """The fields of a protocol buffer in order: varints as int, the rest as bytes."""
    at = 0
    while at < len(message):
        key, at = _varint(message, at)
        number, wire = key >> 3, key & 7
        if wire == 0:
            value, at = _varint(message, at)
            yield number, value
            continue
        if wire == 2:
            length, at = _varint(message, at)
        else:
            length = 8 if wire == 1 else 4
        yield number, message[at : at + length]
        at += length


def _varint(message: bytes, at: int) -> tuple[int, int]:
    value = shift = 0
    while True:
        byte = message[at]
        value |= (byte & 0x7F) << shift
        shift += 7
        at += 1
        if byte < 0x80:
            return value, at
