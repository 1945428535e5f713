"""Rows of a CSV file under its named columns, and all that is wrong with the file itself."""

import csv
import io
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from fleet.grid.cell import Problem

LONGEST = 200
"""Characters of a text in one field."""


@dataclass(slots=True)
class Sheet:
    """A file's rows; `problems` grows as they are read."""

    text: str
    required: Sequence[str]
    optional: Sequence[str]
    problems: list[Problem] = field(default_factory=list)

    def rows(self) -> Iterator[tuple[str, Mapping[str, str | None]]]:
        """Each row with where it stands. A row that does not fit its columns is a problem.

        What has a field too many was shifted by a separator inside of a text.
        """
        lines = csv.DictReader(io.StringIO(self.text.removeprefix("\ufeff"), newline=""))
        try:
            if not self._columns(lines):
                return
            for row in lines:
                where = f"line {lines.line_num}"
                if None in row:
                    self._note(where, "has more fields than columns: a text with a comma is quoted")
                elif any("\0" in (value or "") for value in row.values()):
                    self._note(where, "has a NUL in it")
                else:
                    yield where, row
        except csv.Error as error:
            self._note(f"line {lines.reader.line_num}", f"cannot be read as CSV: {error}")

    def _columns(self, lines: "csv.DictReader[str]") -> bool:
        names = [name.strip() for name in lines.fieldnames or ()]
        lines.fieldnames = names
        if missing := [name for name in self.required if name not in names]:
            for name in missing:
                self._note("line 1", f"there is no column {name}")
            return False
        for name in dict.fromkeys(names):
            if name not in (*self.required, *self.optional):
                self._note("line 1", f"there is no use for a column {name!r}")
            if names.count(name) > 1:
                self._note("line 1", f"there is more than one column {name!r}")
        return True

    def _note(self, where: str, what: str) -> None:
        self.problems.append(Problem(where, what))


def check_length(values: Mapping[str, str]) -> None:
    """Raise `ValueError` for a text that is too long to be one, naming its column."""
    for name, value in values.items():
        if len(value) > LONGEST:
            raise ValueError(f"{name} has {len(value)} characters, of {LONGEST} at the most")
