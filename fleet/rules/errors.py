"""What can be wrong with a catalogue: every problem with its place, all of them at once."""

from collections.abc import Sequence
from dataclasses import dataclass


class RuleError(Exception):
    """The family of errors in rules."""


class ConditionError(RuleError):
    """A condition cannot stand; line and column count from 1 inside the condition's own text."""

    def __init__(
        self, message: str, line: int = 1, column: int = 1, suggestion: str | None = None
    ) -> None:
        super().__init__(message if suggestion is None else f"{message}; {suggestion}")
        self.message = message
        self.line = line
        self.column = column
        self.suggestion = suggestion


@dataclass(frozen=True, slots=True, order=True)
class Problem:
    """One thing that is wrong in a file of rules; line and column count from 1."""

    file: str
    line: int
    column: int
    message: str
    suggestion: str | None = None

    def __str__(self) -> str:
        hint = f" ({self.suggestion})" if self.suggestion else ""
        return f"{self.file}:{self.line}:{self.column}: {self.message}{hint}"


class CatalogueError(RuleError):
    """A catalogue cannot be used; `problems` holds all that is wrong, in the order of the files."""

    def __init__(self, problems: Sequence[Problem]) -> None:
        super().__init__("\n".join(map(str, problems)))
        self.problems = tuple(problems)
