"""The catalogue in force: read again when its files change, kept where the new one is broken."""

from pathlib import Path

from fleet.rules import files
from fleet.rules.catalogue import Catalogue, load
from fleet.rules.errors import CatalogueError, Problem

_Mark = tuple[tuple[str, tuple[int, int, int] | None], ...]


class Shelf:
    """One folder's catalogue; `refused` is what is wrong with what lies there now, if it is."""

    def __init__(self, folder: Path | None = None) -> None:
        """Raises `CatalogueError`: to begin with there must be one to keep."""
        self._folder = folder or files.DEFAULT
        self._known: list[Path] = []
        self.refused: tuple[Problem, ...] = ()
        self.current = load(self._folder)
        self._seen = self._mark(files.paths(self._folder))

    def look(self) -> bool:
        """Look at the files; whether they have changed, for better or worse.

        A sound catalogue takes the place of the one in force, a broken one is `refused`.
        """
        if self._mark(self._known) == self._seen:
            return False
        # Marked before they are read: what changes meanwhile is seen at the next look.
        seen = self._mark(files.paths(self._folder))
        try:
            self.current = load(self._folder)
        except CatalogueError as error:
            self.refused = error.problems
        else:
            self.refused = ()
        self._seen = seen
        return True

    def present(self) -> Catalogue:
        """The catalogue in force, after a look."""
        self.look()
        return self.current

    def _mark(self, known: list[Path]) -> _Mark:
        """What tells one state of the files from another, those newly in the folder too."""
        self._known = known
        there = self._folder.glob("*.y*ml") if self._folder.is_dir() else ()
        return tuple((str(path), _stat(path)) for path in sorted({*known, *there}))


def _stat(path: Path) -> tuple[int, int, int] | None:
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_mtime_ns, found.st_size, found.st_ino
