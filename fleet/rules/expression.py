"""The one place that touches the CEL library: typed, and without its exceptions."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from cel_expr_python import cel

from fleet.rules import syntax
from fleet.vocabulary import Kind

_TYPES = {
    Kind.STRING: cel.Type.STRING,
    Kind.NUMBER: cel.Type.DOUBLE,
    Kind.INTEGER: cel.Type.INT,
    Kind.BOOLEAN: cel.Type.BOOL,
}
_ERROR = re.compile(r"ERROR: <input>:(\d+):(\d+): (.*)")


@dataclass(frozen=True, slots=True)
class Complaint:
    """The first thing the compiler found; line and column count from 1."""

    line: int
    column: int
    message: str


class Expression:
    """A checked expression that yields true, false or unknown."""

    __slots__ = ("_expression",)

    def __init__(self, expression: Any) -> None:  # noqa: ANN401  (the library has no types)
        self._expression = expression

    def evaluate(self, data: Mapping[str, object]) -> bool | None:
        """The answer, or None where an error decides it: most often a variable that is missing."""
        answer = self._expression.eval(data=data).value()
        return answer if answer is True or answer is False else None

    def result(self) -> str:
        """The name of the type it yields; "BOOL" is what a condition must."""
        return str(self._expression.return_type().name())

    def tree(self) -> syntax.Node:
        """Its syntax tree."""
        return syntax.parse(self._expression.serialize())


class Environment:
    """The variables that expressions may read, with their types."""

    __slots__ = ("_env",)

    def __init__(self, variables: Mapping[str, Kind]) -> None:
        types = {name: _TYPES[kind] for name, kind in variables.items()}
        self._env = cel.NewEnv(variables=types)

    def compile(self, text: str) -> Expression | Complaint:
        """The checked expression, or what is wrong with the text."""
        try:
            return Expression(self._env.compile(text))
        except RuntimeError as error:  # all the library ever raises
            found = _ERROR.search(str(error))
            if found is None:
                return Complaint(1, 1, str(error))
            return Complaint(
                int(found[1]), int(found[2]), found[3].removesuffix(" [INVALID_ARGUMENT]")
            )
