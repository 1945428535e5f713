"""A report's figures as people read them, and what each of them means, in a language."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from fractions import Fraction
from functools import cache
from importlib import resources
from math import floor
from typing import Any

import yaml

from fleet.language import Language
from fleet.reports.monthly import CellMonth, Figures, Month
from fleet.service_state import ServiceState

_UNITS = ((86_400, "d"), (3_600, "h"), (60, "min"))
_MOST_CAUSES = 3
_NO_RULE = "none"


@dataclass(frozen=True, slots=True)
class Words:
    """The templates of a language, filled with figures."""

    language: Language
    texts: Mapping[str, Any]

    def text(self, name: str, **facts: object) -> str:
        """A template of that name, filled."""
        found: str = self.texts[name]
        return found.format_map(facts)

    @property
    def definitions(self) -> list[tuple[str, str]]:
        """What each figure means."""
        return [(name, meaning) for name, meaning in self.texts["definitions"]]

    @property
    def summary_head(self) -> list[str]:
        """The head of the list of cells: code, name, and what `summary` says."""
        return list(self.texts["summary"])

    def state(self, state: ServiceState) -> str:
        """What a service state is called."""
        return str(self.texts["states"][state.value])

    def about(self, month: Month, made_at: datetime, digest: str) -> str:
        """What the report is of, and which figures are in it."""
        return self.text(
            "about",
            cells=len(month.cells),
            terminals=month.terminals,
            zone=month.zone,
            made=f"{made_at.astimezone(UTC):%Y-%m-%d %H:%M}",
            figures=digest[:16],
        )

    def version(self, number: int, changed: Sequence[str]) -> str:
        """Which version the report is, and what another one before it said otherwise."""
        if number == 1:
            return self.text("first_version")
        cells = self.texts["list"].join(changed) or self.text("no_single_cell")
        return self.text("later_version", number=number, before=number - 1, cells=cells)

    def share(self, value: float | None) -> str:
        """A share as a percentage; rounded down, so that nothing short of all reads as all.

        It is cut as it is written: in binary 0.000249 × 1,000,000 is less than 249.
        """
        if value is None:
            return self.text("unknown")
        return f"{floor(Fraction(str(value)) * 1_000_000) / 10_000:.4f} %"

    def hours(self, us: int) -> str:
        """A sum of times, in hours."""
        return f"{us / 3_600_000_000:,.2f} {self._unit('h')}"

    def duration(self, us: int | None) -> str:
        """How long something lasted, in the two largest units that it has."""
        if us is None:
            return "–"
        seconds = us // 1_000_000
        parts: list[str] = []
        for size, unit in _UNITS:
            if seconds >= size and len(parts) < 2:
                parts.append(f"{seconds // size} {self._unit(unit)}")
                seconds %= size
        return " ".join(parts) or f"{seconds} {self._unit('s')}"

    def lines(self, figures: Figures) -> list[tuple[str, str]]:
        """Every figure of a part with its name, in the order of the definitions."""
        return [(self.texts["figures"][name], value) for name, value in self._told(figures)]

    def summary(self, figures: Figures) -> tuple[str, ...]:
        """A cell in the list of cells."""
        known = figures.availability
        shares = (known.operational, known.technical, known.coverage)
        return (*map(self.share, shares), self.hours(known.down_us), str(figures.outages))

    def causes(self, figures: Figures) -> list[tuple[str, str]]:
        """The rules that cost the most time down, and how much each."""
        ranked = sorted(figures.down_by_cause_us.items(), key=lambda pair: (-pair[1], pair[0]))
        called = {_NO_RULE: self.text("no_rule")}
        return [
            (called.get(cause, cause), self.hours(us)) for cause, us in ranked[:_MOST_CAUSES] if us
        ]

    def most(self, figures: Figures) -> str:
        """The same in a sentence; empty where nothing was lost."""
        found = [self.text("cause", cause=cause, lost=lost) for cause, lost in self.causes(figures)]
        return self.text("most", causes=self.texts["list"].join(found)) if found else ""

    def _told(self, figures: Figures) -> Iterator[tuple[str, str]]:
        known = figures.availability
        outages = figures.outages
        yield "operational", self.share(known.operational)
        yield "technical", self.share(known.technical)
        yield "full_function", self.share(known.full_function)
        yield "coverage", self.share(known.coverage)
        yield "scope", self.hours(known.scope_us)
        yield "up", self.hours(known.up_us)
        yield "down", self.hours(known.down_us)
        yield "unknown", self.hours(known.unknown_us)
        yield "cash_out", self.hours(figures.by_state_us.get(ServiceState.CASH_OUT, 0))
        yield "outages", str(outages)
        yield "mtbf", self.duration(known.up_us // outages if outages else None)
        yield "mttr", self.duration(known.down_us // outages if outages else None)
        yield "longest", self.duration(figures.longest_outage_us if outages else None)

    def _unit(self, name: str) -> str:
        return str(self.texts["units"][name])


@cache
def words(language: Language = Language.ENGLISH) -> Words:
    """The words of a language."""
    file = resources.files("fleet.reports").joinpath("texts", f"{language}.yaml")
    return Words(language, yaml.safe_load(file.read_text(encoding="utf-8")))


def worst_first(cells: tuple[CellMonth, ...]) -> list[CellMonth]:
    """In the order of operational availability; those of which nothing is known at the end."""

    def order(cell: CellMonth) -> tuple[float, str]:
        operational = cell.whole.availability.operational
        return 2.0 if operational is None else operational, cell.code

    return sorted(cells, key=order)
