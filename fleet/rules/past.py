"""Where terminals were and what was planned for them, while time went on. Pure.

A replay asks it at each edge; it says what the grid and the windows were then, not what they are.
"""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property
from typing import NamedTuple

from fleet.grid import UNASSIGNED
from fleet.rules.terminal import Terminal
from fleet.sla.calendar import Span


class Stay(NamedTuple):
    """A terminal was in a cell, or a cell below another, for a while."""

    of: int | str
    cell: str
    during: Span


class Window(NamedTuple):
    """A while in which tickets were held for all that is named; in maintenance, nobody served."""

    maintenance: bool
    terminal_id: int | None
    kind: str | None
    cell: str | None
    component: str | None
    during: Span


@dataclass(frozen=True)
class Past:
    """The stays of terminals, the tree of cells, the windows, and who was taken out of service."""

    stays: Sequence[Stay] = ()
    tree: Sequence[Stay] = ()
    windows: Sequence[Window] = ()
    gone: dict[int, datetime] = field(default_factory=dict)

    @cached_property
    def _where(self) -> dict[int | str, list[Stay]]:
        found: dict[int | str, list[Stay]] = defaultdict(list)
        for stay in (*self.stays, *self.tree):
            found[stay.of].append(stay)
        return found

    def edges(self, since: datetime) -> list[datetime]:
        """When anything changed after a time, in order."""
        whiles = [each.during for each in (*self.stays, *self.tree)]
        whiles += [each.during for each in self.windows]
        found = {at for span in whiles for at in span} | set(self.gone.values())
        return sorted(at for at in found if at > since)

    def path(self, of: int | str, at: datetime) -> tuple[str, ...]:
        """The cells that a terminal was in, or above a cell, the nearest first."""
        found: list[str] = []
        while (cell := self._cell(of, at)) is not None and cell not in found:
            found.append(cell)
            of = cell
        return tuple(found)

    def _cell(self, of: int | str, at: datetime) -> str | None:
        stays = self._where.get(of, ())
        return next(
            (each.cell for each in stays if each.during.begin <= at < each.during.end), None
        )

    def place(self, terminal: Terminal, at: datetime) -> tuple[str, tuple[str, ...], bool]:
        """Its cell, those above, and whether it served."""
        path = self.path(terminal.id, at) or (UNASSIGNED,)
        serves = not any(
            each.maintenance
            and each.component is None
            and each.during.begin <= at < each.during.end
            for each in self._about(terminal.id, terminal.kind, path)
        )
        return path[0], path[1:], serves

    def holding(
        self, terminal: Terminal | None, cell: str, component: str, at: datetime
    ) -> list[Span]:
        """When tickets about a terminal, or about a cell itself, were held."""
        path = (cell, *self.path(cell, at))
        key, kind = (None, None) if terminal is None else (terminal.id, terminal.kind)
        return [
            each.during
            for each in self._about(key, kind, path)
            if each.component in (None, component)
        ]

    def _about(
        self, terminal_id: int | None, kind: str | None, path: Sequence[str]
    ) -> Iterator[Window]:
        for each in self.windows:
            if (
                each.terminal_id in (None, terminal_id)
                and each.kind in (None, kind)
                and (each.cell is None or each.cell in path)
            ):
                yield each
