"""A cell as files and database know it, and what may be wrong with one."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import shapely
import shapely.geometry


@dataclass(frozen=True, slots=True)
class Cell:
    """A cell of the grid. `boundary` is a GeoJSON geometry in WGS 84, as it was given.

    `people` are the codes of the technicians who answer for it, or nothing where that is not said.
    `properties` is what else was said of it, kept so that an export gives it back.
    """

    code: str
    name: str
    level: int
    parent: str | None
    boundary: Mapping[str, Any]
    people: tuple[str, ...] | None = None
    properties: Mapping[str, Any] = field(default_factory=dict)

    def shape(self) -> shapely.Geometry:
        """The boundary as a Shapely geometry."""
        return shapely.geometry.shape(self.boundary)


@dataclass(frozen=True, slots=True, order=True)
class Problem:
    """Something that keeps a file from being imported: where in it, and what."""

    where: str
    what: str

    def __str__(self) -> str:
        return f"{self.where}: {self.what}"


class ImportRefused(Exception):
    """A file cannot be imported; holds every problem, not only the first."""

    def __init__(self, problems: list[Problem]) -> None:
        self.problems = sorted(set(problems))
        super().__init__("\n".join(str(problem) for problem in self.problems))
