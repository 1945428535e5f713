"""Conditions: CEL over the contract's vocabulary, checked when loaded, three-valued when evaluated.

A condition reads properties by their dotted path (`cardReader.media == 'jammed'`). With `each` it
reads the members of a list, one at a time: `unit.…` for `storage`, `position.…` for the positions
of the dispenser and the acceptor. A property that is missing makes the condition unknown, unless
the rest decides it: `a || b` is true when `b` is, whatever `a`.
"""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import cache, lru_cache

from fleet.rules.complaints import explain
from fleet.rules.errors import ConditionError
from fleet.rules.expression import Complaint, Environment, Expression
from fleet.rules.inputs import EACH, readable
from fleet.rules.syntax import Node
from fleet.snapshot import Value
from fleet.vocabulary import Property, suggest_value

_COMPARISONS = frozenset({"_==_", "_!=_", "@in"})
_REMEMBERED = 1024  # answers a condition
Answer = Callable[[Value | None], bool | None]
"""True, false, or None for unknown, for a value or for none."""

# Quoted text is matched first, so that a `has(` inside it is not found.
_HAS = re.compile(r"'[^']*'|\"[^\"]*\"|(\bhas\s*\()")


class Condition:
    """A checked condition: its text, the paths it reads, and its answer for a set of values.

    Answers are remembered: a fleet says the same few things again and again, and looking one up
    costs a tenth of evaluating it.
    """

    __slots__ = ("_answer", "_expression", "_paths", "_variables", "inputs", "only", "text")

    def __init__(
        self, text: str, inputs: frozenset[str], reads: Mapping[str, str], expression: Expression
    ) -> None:
        self.text = text
        self.inputs = inputs
        self._paths, self._variables = tuple(reads), tuple(reads.values())
        self._expression = expression
        # By type too: 1, 1.0 and true are equal, and are not the same to a condition.
        self._answer = lru_cache(maxsize=_REMEMBERED, typed=True)(self._ask)
        self.only = (self._paths[0], self._answer) if len(self._paths) == 1 else None
        """What it reads, where that is one value, and its answer for it."""

    def __repr__(self) -> str:
        return f"Condition({self.text!r})"

    @property
    def paths(self) -> tuple[str, ...]:
        """The values it asks for; with `each` by their names inside a member."""
        return self._paths

    def evaluate(self, values: Mapping[str, Value]) -> bool | None:
        """True, false, or None for unknown.

        `values` are a terminal's values by dotted path or, with `each`, the member's own values
        by their names inside it (`{"id": "CST1", "status": "missing"}`).
        """
        return self._answer(*map(values.get, self._paths))

    def _ask(self, *values: Value | None) -> bool | None:
        named = zip(self._variables, values, strict=True)
        return self._expression.evaluate({name: it for name, it in named if it is not None})


def compile_condition(text: str, each: str | None = None) -> Condition:
    """The condition in a text, over a terminal's values or over each member of a list.

    `inputs` are the dotted paths it reads; with `each` it is the list alone. Raises
    `ConditionError` with line, column and, where there is one, a suggestion.
    """
    if each is not None and each not in EACH:
        raise ConditionError(f"each cannot be {each!r}", suggestion=f"one of {', '.join(EACH)}")
    expression = _environment(each).compile(text)
    if isinstance(expression, Complaint):
        raise explain(expression, text, each)
    _check_result(expression, text)
    known = readable(each)
    tree = expression.tree()
    for node, literal, compared in _comparisons(tree, known):
        _check_literal(text, node, literal, compared)
    variables = sorted({node.name for node in tree.walk() if node.name in known})
    if not variables:
        raise ConditionError("reads no property, so it would never change")
    if each is None:
        return Condition(text, frozenset(variables), {name: name for name in variables}, expression)
    reads = {name.partition(".")[2]: name for name in variables}
    return Condition(text, frozenset({each}), reads, expression)


@cache
def _environment(each: str | None) -> Environment:
    return Environment({name: known.kind for name, known in readable(each).items()})


def _check_result(expression: Expression, text: str) -> None:
    for match in _HAS.finditer(text):
        if match[1]:
            line, column = _place(text, match.start())
            why = "has() does not work on properties: one that is missing makes it unknown already"
            raise ConditionError(why, line, column)
    if expression.result() != "BOOL":
        kind = expression.result().lower()
        raise ConditionError(f"yields {kind}, but a condition must be true or false")


def _comparisons(tree: Node, known: Mapping[str, Property]) -> Iterator[tuple[Node, str, Property]]:
    """Each text literal that is compared with a property which has known values."""
    for call in tree.walk():
        if call.function not in _COMPARISONS:
            continue
        sides = [part for child in call.children for part in (child, *_listed(child))]
        compared = [known[side.name] for side in sides if side.name in known]
        for side in sides:
            if side.literal is not None:
                yield from ((side, side.literal, one) for one in compared if one.values)


def _listed(node: Node) -> Iterable[Node]:
    return () if node.function else node.children


def _check_literal(text: str, node: Node, literal: str, compared: Property) -> None:
    if literal in compared.values:
        return
    line, column = _place(text, node.at)
    near = suggest_value(compared, literal)
    suggestion = f"did you mean '{near}'?" if near else f"one of {', '.join(compared.values)}"
    raise ConditionError(f"{compared.path} is never '{literal}'", line, column, suggestion)


def _place(text: str, at: int) -> tuple[int, int]:
    """Line and column, from 1, of a character."""
    before = text[:at]
    return before.count("\n") + 1, at - (before.rfind("\n") + 1) + 1
