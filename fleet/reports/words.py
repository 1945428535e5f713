"""A report's figures as people read them, and what each of them means."""

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime

from fleet.reports.monthly import CellMonth, Figures, Month
from fleet.service_state import ServiceState

DEFINITIONS = (
    (
        "scope",
        "the month while a terminal was the cell's, less planned maintenance and closing hours",
    ),
    ("up", "in service or degraded"),
    ("unknown", "nothing recorded, never seen, or our own systems were blind"),
    ("down", "the rest; up + down + unknown = scope, to the microsecond"),
    ("operational", "up ÷ (scope less unknown)"),
    ("technical", "the same, with terminals that only lack cash counted as up"),
    ("full function", "in service ÷ (scope less unknown)"),
    ("coverage", "(scope less unknown) ÷ scope: how much of the month the other shares speak of"),
    ("outage", "a terminal's unbroken time down, counted where it began"),
    ("MTBF, MTTR", "up ÷ outages, down ÷ outages"),
    ("a cell", "its terminals' times added up, never a mean of their shares"),
)

FOOTNOTE = (
    "operational = up ÷ (scope less unknown); technical: cash-out counts as up;"
    " coverage = (scope less unknown) ÷ scope"
)

SUMMARY = ("cell", "", "operational", "technical", "coverage", "down", "outages")
"""The head of the list of cells: code, name, and what `summary` says."""

_UNITS = ((86_400, "d"), (3_600, "h"), (60, "min"))
_MOST_CAUSES = 3
_RULE = {"none": "no rule"}


def about(month: Month, made_at: datetime, digest: str) -> str:
    """What the report is of, and which figures are in it."""
    return (
        f"{len(month.cells)} cells, {month.terminals} terminals. Days and hours are those of"
        f" {month.zone}. Made {made_at.astimezone(UTC):%Y-%m-%d %H:%M} UTC, figures {digest[:16]}."
    )


def version(number: int, changed: Sequence[str]) -> str:
    """Which version the report is, and what another one before it said otherwise."""
    if number == 1:
        return "Version 1."
    cells = ", ".join(changed) or "no single cell"
    return (
        f"Version {number}. It replaces version {number - 1}: records that came or were corrected"
        f" since then changed {cells}."
    )


def share(value: float | None) -> str:
    """A share as a percentage; rounded down, so that nothing short of all reads as all."""
    if value is None:
        return "unknown"
    return f"{int(value * 1_000_000) / 10_000:.4f} %"


def hours(us: int) -> str:
    """A sum of times, in hours."""
    return f"{us / 3_600_000_000:,.2f} h"


def duration(us: int | None) -> str:
    """How long something lasted, in the two largest units that it has."""
    if us is None:
        return "–"
    seconds = us // 1_000_000
    parts: list[str] = []
    for size, unit in _UNITS:
        if seconds >= size and len(parts) < 2:
            parts.append(f"{seconds // size} {unit}")
            seconds %= size
    return " ".join(parts) or f"{seconds} s"


def lines(figures: Figures) -> Iterator[tuple[str, str]]:
    """Every figure of a part with its name, in the order of the definitions."""
    known = figures.availability
    outages = figures.outages
    yield "operational", share(known.operational)
    yield "technical", share(known.technical)
    yield "full function", share(known.full_function)
    yield "coverage", share(known.coverage)
    yield "scope", hours(known.scope_us)
    yield "up", hours(known.up_us)
    yield "down", hours(known.down_us)
    yield "unknown", hours(known.unknown_us)
    yield "cash-out", hours(figures.by_state_us.get(ServiceState.CASH_OUT, 0))
    yield "outages", str(outages)
    yield "MTBF", duration(known.up_us // outages if outages else None)
    yield "MTTR", duration(known.down_us // outages if outages else None)
    yield "longest", duration(figures.longest_outage_us if outages else None)


def summary(figures: Figures) -> tuple[str, ...]:
    """A cell in the list of cells."""
    known = figures.availability
    shares = (known.operational, known.technical, known.coverage)
    return (*map(share, shares), hours(known.down_us), str(figures.outages))


def causes(figures: Figures) -> list[tuple[str, str]]:
    """The rules that cost the most time down, and how much each."""
    ranked = sorted(figures.down_by_cause_us.items(), key=lambda pair: (-pair[1], pair[0]))
    return [(_RULE.get(cause, cause), hours(us)) for cause, us in ranked[:_MOST_CAUSES] if us]


def worst_first(cells: tuple[CellMonth, ...]) -> list[CellMonth]:
    """In the order of operational availability; those of which nothing is known at the end."""

    def order(cell: CellMonth) -> tuple[float, str]:
        operational = cell.whole.availability.operational
        return 2.0 if operational is None else operational, cell.code

    return sorted(cells, key=order)
