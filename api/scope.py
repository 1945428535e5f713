"""What a caller may see: the one place that says so.

Every statement that reads what belongs to a cell takes `%(scope)s`, an array of cell codes, or null
for a caller who sees everything; a test holds every `.sql` file of the api to that. What is outside
the scope does not exist for the caller.
"""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Scope:
    """The cells a caller sees, with all below them; `None` is every cell."""

    cells: tuple[str, ...] | None

    @property
    def parameter(self) -> list[str] | None:
        """The value of `%(scope)s`."""
        return None if self.cells is None else list(self.cells)


EVERYTHING = Scope(None)
